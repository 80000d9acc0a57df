// What ends a training step: the finite check, the decisions on the device, and optimizers that may be told to do nothing.
#include <cmath>

#include "test/testing/random.h"
#include "test/testing/run.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

// Words of memory that are integers to somebody.
struct Integers {
    Tensor memory;
    explicit Integers(const std::vector<std::int32_t>& values) : memory(JCUCONV_F32, 1, int(values.size())) {
        std::memcpy(memory.address(), values.data(), values.size() * sizeof values[0]);
    }
    std::int32_t& operator[](int i) const { return static_cast<std::int32_t*>(memory.address())[i]; }
    std::uint64_t wide(int i) const { return std::uint64_t{std::uint32_t((*this)[i + 1])} << 32 | std::uint32_t((*this)[i]); }
};

constexpr int kHyper = 9;

// The same decisions on the host, number by number.
struct Oracle {
    std::uint64_t step, updates;
    int good, ranks;
    float scale;
    std::vector<float> hyper;

    void advance(const jcuconv_step_control& s, const std::vector<float>& rates, bool flag) {
        const bool overflow = s.loss_scaling != 0 && flag;
        if (!overflow) ++updates;
        for (std::size_t row = 0; row < hyper.size(); row += kHyper) {
            float* h = hyper.data() + row;
            h[0] = rates[std::size_t(std::min<std::uint64_t>(step, rates.size() - 1))];
            h[1] = static_cast<float>(1 / (double(scale) * ranks));
            h[6] = static_cast<float>(1 - std::pow(double(h[3]), double(updates)));
            h[7] = static_cast<float>(1 - std::pow(double(h[4]), double(updates)));
            h[8] = overflow ? 0 : 1;
        }
        if (s.loss_scaling != 0) {
            if (overflow) scale = std::max(1.0f, scale / 2), good = 0;
            else if (++good >= s.growth_interval) scale = std::min(0x1p24f, 2 * scale), good = 0;
        }
        ++step;
    }
};

void check_steps(const jcuconv_step_control& s, Oracle oracle, int steps, std::uint64_t seed) {
    Random random(seed);
    auto rates = random.reals(std::size_t(s.rates));
    oracle.hyper = random.reals(std::size_t(s.rows) * kHyper);
    for (std::size_t row = 0; row < oracle.hyper.size(); row += kHyper) oracle.hyper[row + 3] = 0.9f, oracle.hyper[row + 4] = row == 0 ? 0.999f : 0.0f;
    const auto low = [](std::uint64_t v) { return std::int32_t(std::uint32_t(v)); };
    const auto high = [](std::uint64_t v) { return std::int32_t(std::uint32_t(v >> 32)); };
    const Integers counters({low(oracle.step), high(oracle.step), low(oracle.updates), high(oracle.updates), oracle.good, oracle.ranks, 5, 77});
    const Integers seeds({3, 4, 5, 6}), flag({0});
    Tensor rate(JCUCONV_F32, 1, s.rates), hyper(JCUCONV_F32, s.rows, kHyper), scale(JCUCONV_F32, 1, 1);
    rate.write(rates), hyper.write(oracle.hyper), scale.write({oracle.scale});
    Arguments a{};
    a[JCUCONV_ARG_RATES] = rate.span(), a[JCUCONV_ARG_COUNTERS] = counters.memory.span(), a[JCUCONV_ARG_LOSS_SCALE] = scale.span();
    a[JCUCONV_ARG_SEED] = seeds.memory.span(), a[JCUCONV_ARG_HYPER] = hyper.span();
    if (s.loss_scaling != 0) a[JCUCONV_ARG_FLAG] = flag.memory.span();
    for (int i = 0; i < steps; ++i) {
        flag[0] = random.chance(30) ? random.between(-2, 2) : 0;
        if (!run_plan(jcuconv_step_control_plan, s, JCUCONV_FPROP, a)) return;
        oracle.advance(s, rates, flag[0] != 0);
        CHECK(hyper.read() == oracle.hyper);
        CHECK(scale.read()[0] == oracle.scale);
        CHECK(counters.wide(0) == oracle.step && counters.wide(2) == oracle.updates && counters[4] == oracle.good);
        CHECK(counters[5] == oracle.ranks && counters[6] == int(oracle.hyper[8]) && counters[7] == 77);
        CHECK(seeds[0] == 3 && seeds[1] == 4 && seeds.wide(2) == oracle.step);
    }
}

}  // namespace

JCUCONV_TEST(finite_check_finds_one_bad_element_anywhere) {
    for (const int type : {0, 1, 2})
        for (const int count : {1, 3, 8, 2049, 20000}) {
            const auto t = static_cast<jcuconv_type>(type);
            Random random{std::uint64_t(count)};
            auto xs = random.reals(std::size_t(count));
            for (float& v : xs) v = rounded(t, 60000 * double(v));
            Tensor x(t, 1, count);
            const Integers flag({9});
            Arguments a{};
            a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_FLAG] = flag.memory.span();
            x.write(xs);
            run_plan(jcuconv_finite_check_plan, jcuconv_finite_check{count, type, 0}, JCUCONV_FPROP, a);
            CHECK(flag[0] == 0);
            for (const float bad : {INFINITY, -INFINITY, std::nanf("")})
                for (const int at : {0, count / 2, count - 1}) {
                    auto spoilt = xs;
                    spoilt[std::size_t(at)] = bad;
                    x.write(spoilt);
                    run_plan(jcuconv_finite_check_plan, jcuconv_finite_check{count, type, 0}, JCUCONV_FPROP, a);
                    CHECK(flag[0] == 1);
                }
        }
}

JCUCONV_TEST(steps_with_loss_scaling_halve_grow_and_skip) {
    check_steps({5, 2, 1, 3}, {0, 0, 0, 1, 4096, {}}, 40, 1);
    check_steps({1, 4, 1, 1}, {7, 3, 0, 8, 0x1p23f, {}}, 20, 2);   // reaches the most
    check_steps({3, 1, 1, 100}, {7, 3, 0, 1, 4, {}}, 20, 3);       // reaches the least
    check_steps({3, 1, 1, 100}, {7, 3, 0, 1, 1.5f, {}}, 20, 3);    // half of it would be below the least
}

JCUCONV_TEST(steps_without_loss_scaling_ignore_the_flag_and_keep_the_scale) { check_steps({4, 3, 0, 2}, {0, 0, 1, 2, 1, {}}, 8, 4); }

JCUCONV_TEST(steps_count_beyond_32_bits) { check_steps({9, 1, 1, 2}, {0xFFFFFFFEu, 0xFFFFFFFDu, 0, 1, 64, {}}, 5, 5); }

JCUCONV_TEST(wrong_step_controls_are_named) {
    const auto refused = [](const jcuconv_step_control& s) {
        jcuconv_handle plan;
        return jcuconv_step_control_plan(&s, JCUCONV_FPROP, 0, &plan);
    };
    CHECK(refused({0, 1, 0, 1}) == JCUCONV_INVALID_COUNT);
    CHECK(refused({1, 0, 0, 1}) == JCUCONV_INVALID_COUNT);
    CHECK(refused({1, 5, 0, 1}) == JCUCONV_UNSUPPORTED_SIZE);
    CHECK(refused({1, 1, 2, 1}) == JCUCONV_INVALID_PARAMETER);
    CHECK(refused({1, 1, 0, 0}) == JCUCONV_INVALID_PARAMETER);
}

JCUCONV_TEST(optimizers_told_not_to_apply_keep_every_bit) {
    for (const int kind : {JCUCONV_SGD, JCUCONV_SGD_MOMENTUM, JCUCONV_ADAM})
        for (const int storage : {0, 1, 2}) {
            constexpr int kCount = 301;
            const auto type = static_cast<jcuconv_type>(storage);
            Random random{std::uint64_t(kind)};
            const auto ws = random.reals(kCount), ms = random.reals(kCount), vs = random.reals(kCount);
            Tensor w(JCUCONV_F32, 1, kCount), m(JCUCONV_F32, 1, kCount), v(JCUCONV_F32, 1, kCount), hyper(JCUCONV_F32, 1, kHyper);
            const Tensor dw(JCUCONV_F32, 1, kCount), copy(type, 1, kCount);  // dw is NaN, as after an overflow
            w.write(ws), m.write(ms), v.write(vs), hyper.write({0.1f, 1, 0, 0.9f, 0.9f, 0, 0, 0, 0});
            Arguments a{};
            a[JCUCONV_ARG_W] = w.span(), a[JCUCONV_ARG_DW] = dw.span(), a[JCUCONV_ARG_M] = m.span(), a[JCUCONV_ARG_V] = v.span();
            a[JCUCONV_ARG_HYPER] = hyper.span(), a[JCUCONV_ARG_W_STORAGE] = copy.span();
            run_plan(jcuconv_optimizer_plan, jcuconv_optimizer{kCount, kind, storage}, JCUCONV_FPROP, a);
            CHECK(w.read() == ws && m.read() == ms && v.read() == vs);
            if (storage == JCUCONV_F32) continue;
            const auto copied = copy.read();
            for (std::size_t i = 0; i < kCount; ++i) CHECK(copied[i] == rounded(type, ws[i]));
        }
}
