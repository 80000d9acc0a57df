// Dropout, addition, concatenation and channel scale.
#include <cmath>

#include "kernels/dropout/philox.h"
#include "test/testing/random.h"
#include "test/testing/run.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

using Words = std::array<std::uint32_t, 4>;

// The generator once more, as its authors describe it: two multiplications, a permutation, keys that grow.
Words philox_by_the_book(Words counter, std::uint64_t key) {
    auto low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = counter[0] * std::uint64_t{0xD2511F53}, b = counter[2] * std::uint64_t{0xCD9E8D57};
        counter = {std::uint32_t(b >> 32) ^ counter[1] ^ low, std::uint32_t(b), std::uint32_t(a >> 32) ^ counter[3] ^ high, std::uint32_t(a)};
        low += 0x9E3779B9u, high += 0xBB67AE85u;
    }
    return counter;
}

struct Seed {
    Tensor memory;
    explicit Seed(const Words& words) : memory(JCUCONV_F32, 1, 4) { std::memcpy(memory.address(), words.data(), sizeof words); }
};

void check_dropout(const jcuconv_dropout& d, const Words& seed) {
    const auto type = static_cast<jcuconv_type>(d.type);
    const auto count = std::size_t(d.n) * std::size_t(d.pixels) * std::size_t(d.c);
    auto xs = Random(count).reals(count);
    for (float& v : xs) v = rounded(type, v + 2);
    Expected y{std::vector<double>(count), std::vector<double>(count)};
    const auto threshold = std::uint64_t(std::ldexp(double(d.rate), 32));
    std::size_t i = 0;  // in N C H W order
    for (int n = 0; n < d.n; ++n)
        for (int c = 0; c < d.c; ++c)
            for (int p = 0; p < d.pixels; ++p, ++i) {
                const std::size_t at = (std::size_t(n) * std::size_t(d.pixels) + std::size_t(p)) * std::size_t(d.c) + std::size_t(c);
                const auto words = philox_by_the_book({std::uint32_t(i / 4), std::uint32_t(d.layer), seed[2], seed[3]},
                                                      std::uint64_t{seed[1]} << 32 | seed[0]);
                if (words[i % 4] < threshold) continue;
                y.value[at] = xs[at] / (1 - double(d.rate));
                y.bound[at] = 2 * 0x1p-24 * y.value[at];
            }
    const int odd = d.alignment == 0 ? 0 : 1;  // the address is as bad as the problem allows
    Tensor x(type, 1, int(count), 0, odd);
    const Tensor out(type, 1, int(count), 0, odd);
    const Seed seeds(seed);
    x.write(xs);
    Arguments a{};
    a[JCUCONV_ARG_X] = a[JCUCONV_ARG_DY] = x.span(), a[JCUCONV_ARG_Y] = out.span(), a[JCUCONV_ARG_SEED] = seeds.memory.span();
    run_plan(jcuconv_dropout_plan, d, JCUCONV_FPROP, a);
    matches("dropout y", out, y, type);
    a[JCUCONV_ARG_DX] = x.span();  // in place
    run_plan(jcuconv_dropout_plan, d, JCUCONV_DGRAD, a);
    matches("dropout dx", x, y, type);
}

}  // namespace

JCUCONV_TEST(philox_gives_the_published_words) {
    const Words answers[][3] = {
        {{0, 0, 0, 0}, {0, 0, 0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{~0u, ~0u, ~0u, ~0u}, {~0u, ~0u, 0, 0}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0, 0, 0}, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
    for (const auto& [counter, key, expected] : answers) {
        const std::uint32_t at[4] = {counter[0], counter[1], counter[2], counter[3]};
        std::uint32_t words[4];
        philox(at, {key[0], key[1]}, words);
        for (std::size_t i = 0; i < 4; ++i) CHECK(words[i] == expected[i]);
        CHECK(philox_by_the_book(counter, std::uint64_t{key[1]} << 32 | key[0]) == expected);
    }
}

JCUCONV_TEST(dropout_of_the_published_words_drops_what_lies_below_the_rate) {
    // 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 are 0.40, 0.88, 0.74 and 0.61 of 2^32.
    for (const auto& [rate, kept] : {std::pair{0.39f, 0b1111}, {0.5f, 0b1110}, {0.7f, 0b0110}, {0.8f, 0b0010}, {0.9f, 0b0000}}) {
        Tensor x(JCUCONV_F32, 1, 4);
        const Tensor y(JCUCONV_F32, 1, 4);
        const Seed seed({0, 0, 0, 0});
        x.write({1, 1, 1, 1});
        Arguments a{};
        a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_Y] = y.span(), a[JCUCONV_ARG_SEED] = seed.memory.span();
        run_plan(jcuconv_dropout_plan, jcuconv_dropout{1, 4, 1, 0, rate, 0, 0}, JCUCONV_FPROP, a);
        const auto values = y.read();
        for (std::size_t i = 0; i < 4; ++i) CHECK((values[i] != 0) == ((kept >> i & 1) != 0));
    }
}

JCUCONV_TEST(dropout_masks_do_not_depend_on_the_layout) {
    const Words seed = {12, 0xFFFFFFF0u, 7, 1};
    for (const int type : {0, 1, 2})
        for (const auto& [n, pixels, c] : {std::tuple{1, 1, 1}, {1, 1, 7}, {3, 1, 8}, {5, 1, 301}, {2, 9, 5}, {2, 8, 4}, {3, 12, 3}, {1, 5, 6}, {2, 7, 1}})
            for (const float rate : {0.0f, 0.5f, 0.3f}) check_dropout({n, pixels, c, 9, rate, type, 0}, seed);
    check_dropout({2, 1, 8, -1, 0.5f, JCUCONV_F16, 2}, seed);  // no vectors
}

JCUCONV_TEST(wrong_dropouts_are_named) {
    jcuconv_handle plan;
    for (const float rate : {-0.1f, 1.0f, std::nanf("")}) {
        const jcuconv_dropout d{1, 1, 4, 0, rate, 0, 0};
        CHECK(jcuconv_dropout_plan(&d, JCUCONV_FPROP, 0, &plan) == JCUCONV_INVALID_PARAMETER);
    }
    const jcuconv_dropout huge{INT32_MAX, INT32_MAX, INT32_MAX, 0, 0.5f, 0, 0};
    CHECK(jcuconv_dropout_plan(&huge, JCUCONV_FPROP, 0, &plan) == JCUCONV_UNSUPPORTED_SIZE);
}

JCUCONV_TEST(add_sums_each_element_with_its_own_partner) {
    for (const int type : {0, 1, 2})
        for (const auto& [count, aligned] : {std::pair{1, true}, {7, true}, {8, true}, {1027, true}, {3072, true}, {2052, false}}) {
            const auto t = static_cast<jcuconv_type>(type);
            const auto size = std::size_t(count);
            Random random(size);
            const auto xs = random.integers(size, 100), x2s = random.integers(size, 100);
            Expected y{std::vector<double>(size), {}};
            for (std::size_t i = 0; i < size; ++i) y.value[i] = double(xs[i]) + x2s[i];
            const int odd = aligned ? 0 : 1, alignment = aligned ? 0 : type == JCUCONV_F32 ? 4 : 2;
            Tensor x(t, 1, count, 0, odd), x2(t, 1, count, 0, odd);
            const Tensor out(t, 1, count, 0, odd);
            x.write(xs), x2.write(x2s);
            Arguments a{};
            a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_X2] = x2.span(), a[JCUCONV_ARG_Y] = out.span();
            run_plan(jcuconv_add_plan, jcuconv_add{count, type, alignment}, JCUCONV_FPROP, a);
            matches("add y", out, y, t);
        }
}

JCUCONV_TEST(concat_copies_a_slice_both_ways_and_leaves_the_rest) {
    for (const int type : {0, 1, 2})
        for (const auto& [c, channels, offset, extra] : {std::tuple{4, 12, 4, 0}, {3, 7, 2, 1}, {8, 8, 0, 4}, {1, 5, 4, 0}, {4, 12, 2, 4}}) {
            constexpr int kPixels = 37;
            const auto t = static_cast<jcuconv_type>(type);
            const jcuconv_concat o{kPixels, c, channels, offset, c + extra, channels + extra, type, 0};
            Random random(std::uint64_t(c + channels));
            auto xs = random.reals(std::size_t(kPixels * c)), ys = random.reals(std::size_t(kPixels * channels));
            for (auto* values : {&xs, &ys})
                for (float& v : *values) v = rounded(t, v);
            Tensor x(t, kPixels, c, c + extra), y(t, kPixels, channels, channels + extra);
            const Tensor dx(t, kPixels, c, c + extra);
            x.write(xs), y.write(ys);
            Expected joined{std::vector<double>(ys.begin(), ys.end()), {}};
            for (int p = 0; p < kPixels; ++p)
                for (int i = 0; i < c; ++i) joined.value[std::size_t(p * channels + offset + i)] = xs[std::size_t(p * c + i)];
            Arguments a{};
            a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_Y] = a[JCUCONV_ARG_DY] = y.span(), a[JCUCONV_ARG_DX] = dx.span();
            run_plan(jcuconv_concat_plan, o, JCUCONV_FPROP, a);
            matches("concat y", y, joined, t);
            run_plan(jcuconv_concat_plan, o, JCUCONV_DGRAD, a);
            matches("concat dx", dx, {std::vector<double>(xs.begin(), xs.end()), {}}, t);
        }
}

JCUCONV_TEST(concat_outside_y_is_refused) {
    jcuconv_handle plan;
    for (const int offset : {-1, 5, INT32_MAX}) {
        const jcuconv_concat o{4, 4, 8, offset, 0, 0, 0, 0};
        CHECK(jcuconv_concat_plan(&o, JCUCONV_FPROP, 0, &plan) == JCUCONV_INVALID_CHANNELS);
    }
}

// Integers, so every product and sum is exact in fp32 and rounded once.
JCUCONV_TEST(channel_scale_multiplies_each_map_by_its_gate_and_sums_both_gradients) {
    for (const int type : {0, 1, 2})
        for (const auto& [n, pixels, c] : {std::tuple{1, 1, 1}, {2, 7, 3}, {3, 9, 4}, {2, 65, 33}, {1, 300, 40}, {4, 8, 64}}) {
            const auto t = static_cast<jcuconv_type>(type);
            const jcuconv_channel_scale s{n, pixels, c, type, 0};
            const auto count = std::size_t(n * pixels * c);
            Random random(count);
            const auto xs = random.integers(count, 3), dys = random.integers(count, 3), gates = random.integers(std::size_t(n * c), 3);
            Expected y{std::vector<double>(count), {}}, dx = y, dgate{std::vector<double>(std::size_t(n * c)), {}};
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t gate = i / std::size_t(pixels * c) * std::size_t(c) + i % std::size_t(c);
                y.value[i] = double(xs[i]) * gates[gate], dx.value[i] = double(dys[i]) * gates[gate];
                dgate.value[gate] += double(dys[i]) * xs[i];
            }
            Tensor x(t, n * pixels, c), dy(t, n * pixels, c), x2(t, n, c);
            const Tensor out_y(t, n * pixels, c), out_dx(t, n * pixels, c), out_dx2(t, n, c);
            x.write(xs), dy.write(dys), x2.write(gates);
            Arguments a{};
            a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_X2] = x2.span(), a[JCUCONV_ARG_Y] = out_y.span(), a[JCUCONV_ARG_DY] = dy.span();
            a[JCUCONV_ARG_DX] = out_dx.span(), a[JCUCONV_ARG_DX2] = out_dx2.span();
            run_plan(jcuconv_channel_scale_plan, s, JCUCONV_FPROP, a);
            matches("channel scale y", out_y, y, t);
            run_plan(jcuconv_channel_scale_plan, s, JCUCONV_DGRAD, a);
            matches("channel scale dx", out_dx, dx, t);
            matches("channel scale dx2", out_dx2, dgate, t);
        }
}

JCUCONV_TEST(wrong_channel_scales_are_named) {
    jcuconv_handle plan;
    const auto status = [&](const jcuconv_channel_scale& s) { return jcuconv_channel_scale_plan(&s, JCUCONV_DGRAD, 0, &plan); };
    CHECK(status({0, 1, 1, 0, 0}) == JCUCONV_INVALID_BATCH);
    CHECK(status({1, 0, 1, 0, 0}) == JCUCONV_INVALID_IMAGE);
    CHECK(status({1, 1, 0, 0, 0}) == JCUCONV_INVALID_CHANNELS);
    CHECK(status({1, 1, 1, 9, 0}) == JCUCONV_INVALID_TYPE);
    CHECK(status({INT32_MAX, 1, 33, 0, 0}) == JCUCONV_UNSUPPORTED_SIZE);
}
