// Every kernel but those of the convolutions (sparse_conv2d_test.cpp) where its offsets exceed 32 bits.
#include <cmath>

#include "kernels/batch_norm/batch_norm.h"
#include "kernels/common/column_sums.h"
#include "kernels/common/split_sums.h"
#include "kernels/dropout/philox.h"
#include "kernels/elementwise/elementwise.h"
#include "kernels/loss/softmax_cross_entropy.h"
#include "test/testing/sparse.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr std::int64_t kSome = 1024, kMany = kFar + kSome;  // elements or pixels

void run(const std::string& name, Outcome queued) {
    if (queued.ok()) queued = device::stream_synchronize(nullptr);
    if (!queued.ok()) report(__FILE__, __LINE__, name + ": " + queued.text);
}

// The last elements of a region.
template <class T>
T* last(const Region& region, std::int64_t count) {
    return reinterpret_cast<T*>(region.last(static_cast<std::uint64_t>(count) * sizeof(T)));
}

template <class T>
void set_last(const Region& region, const std::vector<float>& values) {
    T* to = last<T>(region, static_cast<std::int64_t>(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) to[i] = from_f32<T>(values[i]);
}

}  // namespace

JCUCONV_TEST(far_elements) {
    for (const int alignment : {16, 2}) {  // vectors of four, and single elements
        far_image("add", jcuconv_add_plan, {0, JCUCONV_F16, alignment}, &jcuconv_add::count, kSome, kMany, JCUCONV_FPROP);
        const jcuconv_activation tanh{0, JCUCONV_TANH, JCUCONV_BF16, alignment};
        far_image("activation fwd", jcuconv_activation_plan, tanh, &jcuconv_activation::count, kSome, kMany, JCUCONV_FPROP);
        far_image("activation bwd", jcuconv_activation_plan, tanh, &jcuconv_activation::count, kSome, kMany, JCUCONV_DGRAD);
    }
    for (const int kind : {JCUCONV_SGD_MOMENTUM, JCUCONV_ADAM})
        far_image("optimizer", jcuconv_optimizer_plan, {0, kind, JCUCONV_F16}, &jcuconv_optimizer::count, kSome, kMany, JCUCONV_FPROP);
}

JCUCONV_TEST(far_images_of_pools) {
    jcuconv_pool2d p{};
    p.h = p.w = 4, p.r = p.s = 2, p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1, p.pad_bottom = p.pad_right = 1;
    p.type = JCUCONV_F16;
    const std::int64_t images = kFar / 16 + 3;
    for (const int channels : {1, 4})
        for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD}) {
            p.c = channels, p.argmax = 0;
            far_image("average pool", jcuconv_avg_pool2d_plan, p, &jcuconv_pool2d::n, 1, images, pass);
            p.argmax = 1;
            far_image("max-pool", jcuconv_max_pool2d_plan, p, &jcuconv_pool2d::n, 1, images, pass);
        }
}

JCUCONV_TEST(far_pixels_of_lrn_and_concat) {
    jcuconv_lrn l{};
    l.size = 3, l.alpha = 0.5f, l.beta = 0.75f, l.k = 1, l.type = JCUCONV_F16;
    for (const int channels : {1, 4})
        for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD}) {
            l.c = channels, l.save = pass == JCUCONV_FPROP;
            far_image("lrn", jcuconv_lrn_plan, l, &jcuconv_lrn::pixels, 64, kFar + 64, pass);
            const jcuconv_concat whole{0, channels, channels, 0, 0, 0, JCUCONV_F16, 0};
            far_image("concat", jcuconv_concat_plan, whole, &jcuconv_concat::pixels, 64, kFar + 64, pass);
        }
}

JCUCONV_TEST(far_images_of_channel_scales) {
    for (const int channels : {3, 4})
        for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD})
            far_image("channel scale", jcuconv_channel_scale_plan, {0, 64, channels, JCUCONV_F16, 0}, &jcuconv_channel_scale::n, 1,
                      kFar / 64 + 3, pass);
}

// Pixels 2^28 elements apart: the offset inside one image exceeds 32 bits.
JCUCONV_TEST(far_pixels_of_one_image) {
    constexpr std::int64_t kPitch = (std::int64_t{1} << 28) + 4;
    for (const int channels : {3, 4})
        for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD}) {
            jcuconv_pool2d p{};
            p.n = 2, p.h = p.w = 4, p.c = channels, p.r = p.s = 2, p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
            p.pad_bottom = p.pad_right = 1, p.type = JCUCONV_F16;
            far_pitch("average pool", jcuconv_avg_pool2d_plan, p, kPitch, pass);
            p.argmax = 1;
            far_pitch("max-pool", jcuconv_max_pool2d_plan, p, kPitch, pass);
            jcuconv_lrn l{};
            l.pixels = 20, l.c = channels, l.size = 3, l.alpha = 0.5f, l.beta = 0.75f, l.k = 1, l.type = JCUCONV_F16;
            far_pitch("lrn", jcuconv_lrn_plan, l, kPitch, pass);
            far_pitch("concat", jcuconv_concat_plan, jcuconv_concat{20, channels, channels, 0, 0, 0, JCUCONV_F16, 0}, kPitch, pass);
        }
}

JCUCONV_TEST(far_images_of_reorders) {
    for (const int layout : {JCUCONV_NHWC, JCUCONV_NCHW})
        far_image("reorder", jcuconv_reorder_plan, {0, 4, 4, JCUCONV_NHWC, layout, JCUCONV_F16, JCUCONV_BF16}, &jcuconv_reorder::n, 1,
                  kFar / 8 + 3, JCUCONV_FPROP);
}

JCUCONV_TEST(far_corner_of_one_matrix) {
    constexpr int kRows = 1 << 16, kColumns = (1 << 15) + 20, kTile = 20;
    const Region x(std::uint64_t(kRows) * kColumns * 2), y(std::uint64_t(kRows) * kColumns * 2);
    auto* from = reinterpret_cast<f16*>(x.begin());
    auto* to = reinterpret_cast<f16*>(y.begin());
    const auto at = [](std::int64_t row, std::int64_t column) { return row * kColumns + column; };
    for (int i = 1; i <= kTile; ++i)
        for (int j = 1; j <= kTile; ++j) from[at(kRows - i, kColumns - j)] = from_f32<f16>(static_cast<float>(i * 100 + j));
    jcuconv_handle plan = 0;
    const jcuconv_reorder transpose{1, kRows, kColumns, JCUCONV_NHWC, JCUCONV_NCHW, JCUCONV_F16, JCUCONV_F16};
    CHECK(jcuconv_reorder_plan(&transpose, JCUCONV_FPROP, 0, &plan) == JCUCONV_OK);
    Arguments a{};
    a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_Y] = y.span();
    {
        const Filtered filtered({.count = 1});
        CHECK(jcuconv_execute(plan, a.data(), JCUCONV_ARG_COUNT, {}, nullptr) == JCUCONV_OK);
        CHECK(jcuconv_stream_synchronize(nullptr) == JCUCONV_OK);
    }
    bool right = true;
    for (int i = 1; i <= kTile; ++i)
        for (int j = 1; j <= kTile; ++j) right = right && to_f32(to[std::int64_t{kColumns - j} * kRows + kRows - i]) == float(i * 100 + j);
    CHECK(right);
    CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
}

JCUCONV_TEST(far_parts_of_sums) {
    // Parts of 2^30 elements, so that part times count exceeds 32 bits; then elements beyond 2^31.
    for (const auto& [splits, count] : {std::pair{3, kFar / 2}, {2, kMany}}) {
        const Region parts(std::uint64_t(splits) * std::uint64_t(count) * 4), out(std::uint64_t(count) * 4);
        auto* part = reinterpret_cast<float*>(parts.begin());
        std::vector<float> sums(kSome, 0.0f);
        for (int split = 0; split < splits; ++split)
            for (std::int64_t i = 0; i < kSome; ++i) {
                const auto value = static_cast<float>(split * 7 + i % 5);
                part[split * count + count - kSome + i] = value;
                sums[std::size_t(i)] += value;
            }
        {
            const Filtered filtered({});
            run("add_split_sums", add_split_sums(part, splits, count, reinterpret_cast<float*>(out.begin()), false, nullptr));
        }
        CHECK(std::equal(sums.begin(), sums.end(), last<float>(out, kSome)));
    }
}

JCUCONV_TEST(far_pixels_of_column_sums) {
    constexpr int kChannels = 3, kPixels = 16;
    const std::int64_t pixels = kFar + kPixels;
    const Region dy(std::uint64_t(pixels) * kChannels * 2), parts(2 * kChannels * 4), dbias(kChannels * 4);
    Random random(2);
    const auto values = random.integers(kPixels * kChannels, 3);
    set_last<f16>(dy, values);
    std::vector<float> sums(kChannels, 0.0f);
    for (std::size_t i = 0; i < values.size(); ++i) sums[i % kChannels] += values[i];
    const Filtered filtered({.axis = 'y', .count = 1, .whole = {"add_split_sums"}});
    std::memset(parts.begin(), 0, 2 * kChannels * 4);  // of the split that does not run
    run("column_sums", column_sums(JCUCONV_F16, pixels, kChannels, kChannels, {2, kFar, 0}, dy.begin(),
                                   reinterpret_cast<float*>(dbias.begin()), false, reinterpret_cast<float*>(parts.begin()), nullptr));
    CHECK(std::equal(sums.begin(), sums.end(), reinterpret_cast<float*>(dbias.begin())));
}

// Two parts: 2^31 pixels that are zero and not looked at, and a few behind them.
JCUCONV_TEST(far_pixels_of_batch_norm) {
    constexpr int kPixels = 16;
    const std::int64_t pixels = kFar + kPixels;
    const PixelSplit split{2, kFar, 0};
    Random random(4);
    for (const int channels : {3, 4}) {
        const int vec = channels == 4 ? 4 : 1, count = kPixels * channels;
        const BatchNormGeometry g{pixels, channels, 0.0f, 0.5f, channels, channels};
        const Region x(std::uint64_t(pixels) * std::uint64_t(channels) * 2), dy(x.span().bytes), y(x.span().bytes);
        const auto xs = random.integers(count, 3), dys = random.integers(count, 3);
        set_last<f16>(x, xs), set_last<f16>(dy, dys);
        const auto vector = [&](const Region& region) { return reinterpret_cast<float*>(region.begin()); };
        const Region ones(16), twos(16), zeros(16), out[4] = {Region(16), Region(16), Region(16), Region(16)}, parts(2 * 2 * 4 * 4);
        for (int c = 0; c < 4; ++c) vector(ones)[c] = 1, vector(twos)[c] = 2, vector(zeros)[c] = 0;
        const auto poison = [&] { std::memset(last<f16>(y, count), 0xFF, std::size_t(count) * 2); };
        const auto holds = [&](auto expected) {
            for (int i = 0; i < count; ++i)
                if (!(to_f32(last<f16>(y, count)[i]) == expected(std::size_t(i)))) return false;
            return true;
        };
        poison();
        {
            const Filtered filtered({});
            run("batch_norm_fwd", batch_norm_fwd(g, JCUCONV_F16, vec, x.begin(), vector(twos), vector(ones), vector(zeros), vector(ones), y.begin(), nullptr));
        }
        CHECK(holds([&](std::size_t i) { return 2 * xs[i] + 1; }));

        // The moments of the first part are those of zeros.
        for (auto* region : {&out[2], &out[3]}) std::memset(region->begin(), 0, 16);
        std::memset(parts.begin(), 0, parts.span().bytes);
        {
            const Filtered filtered({.axis = 'y', .count = 1, .whole = {"batch_statistics"}});
            run("batch_norm_statistics", batch_norm_statistics(g, JCUCONV_F16, vec, split, x.begin(), {vector(out[0]), vector(out[1]), vector(out[2]), vector(out[3])}, vector(parts), nullptr));
        }
        std::vector<double> sums(4), squares(4), weighted(4);
        for (std::size_t i = 0; i < std::size_t(count); ++i) {
            const std::size_t c = i % std::size_t(channels);
            sums[c] += xs[i], squares[c] += double(xs[i]) * xs[i], weighted[c] += double(xs[i]) * dys[i];
        }
        const auto all = static_cast<double>(pixels);
        for (std::size_t c = 0; c < std::size_t(channels); ++c) {
            CHECK(std::abs(vector(out[0])[c] - sums[c] / all) <= 1e-5 * (std::abs(sums[c]) + 1) / all);
            CHECK(std::abs(vector(out[1])[c] - squares[c] / all) <= 1e-5 * squares[c] / all);
            CHECK(std::abs(vector(out[3])[c] - squares[c] / all / 2) <= 1e-5 * squares[c] / all);
        }

        // dgamma and dbeta first, then dx from others that are easy to divide.
        const BatchNormBackward t{x.begin(), dy.begin(), vector(ones), vector(zeros), vector(ones), y.begin(), vector(out[0]), vector(out[1])};
        std::memset(parts.begin(), 0, parts.span().bytes);
        {
            const Filtered filtered({.axis = 'y', .count = 1, .whole = {"add_split_sums"}, .skipped = {"batch_norm_dx"}});
            run("batch_norm_sums", batch_norm_bwd(g, JCUCONV_F16, vec, split, t, vector(parts), nullptr));
        }
        for (std::size_t c = 0; c < std::size_t(channels); ++c) CHECK(vector(out[0])[c] == float(weighted[c]));
        std::memset(out[0].begin(), 0, 16), std::memset(out[1].begin(), 0, 16), poison();
        {
            const Filtered filtered({.skipped = {"batch_norm_sums", "add_split_sums"}});
            run("batch_norm_dx", batch_norm_bwd(g, JCUCONV_F16, vec, split, t, vector(parts), nullptr));
        }
        CHECK(holds([&](std::size_t i) { return dys[i]; }));
    }
}

// The kernels that add or count all rows are left out: their only offset is the row, and they would run for a minute.
JCUCONV_TEST(far_rows_of_the_loss) {
    constexpr int kClasses = 2, kRows = 8;
    const std::int64_t rows = kFar + kRows;
    const Region x(std::uint64_t(rows) * kClasses * 2), dx(std::uint64_t(rows) * kClasses * 2), labels(std::uint64_t(rows) * 4);
    const Region losses(std::uint64_t(rows) * 4), loss(4), counted(4), scale(4);
    Random random(3);
    const auto values = random.integers(kRows * kClasses, 3);
    set_last<f16>(x, values);
    for (int i = 0; i < kRows; ++i) last<std::int32_t>(labels, kRows)[i] = i % kClasses;
    *reinterpret_cast<float*>(counted.begin()) = 2.0f, *reinterpret_cast<float*>(scale.begin()) = 64.0f;
    std::memset(last<std::byte>(losses, kRows * 4), 0xFF, kRows * 4);
    std::memset(last<std::byte>(dx, kRows * kClasses * 2), 0xFF, kRows * kClasses * 2);
    const SoftmaxGeometry g{rows, kClasses, -1};
    const auto* label = reinterpret_cast<const std::int32_t*>(labels.begin());
    {
        const Filtered filtered({.skipped = {"softmax_mean_loss", "softmax_count_rows"}});
        run("loss", softmax_cross_entropy_fwd(g, JCUCONV_F16, x.begin(), label, reinterpret_cast<float*>(loss.begin()),
                                              reinterpret_cast<float*>(losses.begin()), nullptr));
        run("loss gradient", softmax_cross_entropy_bwd(g, JCUCONV_F16, x.begin(), label, reinterpret_cast<float*>(scale.begin()), dx.begin(),
                                                       reinterpret_cast<float*>(counted.begin()), nullptr));
    }
    for (std::size_t i = 0; i < kRows; ++i) {
        const double a = values[2 * i], b = values[2 * i + 1], log_sum = std::log(std::exp(a) + std::exp(b));
        CHECK(std::abs(last<float>(losses, kRows)[i] - (log_sum - (i % 2 == 0 ? a : b))) < 1e-5);
        const float gradient = to_f32(last<f16>(dx, kRows * kClasses)[2 * i]);
        CHECK(std::abs(gradient - 32 * (std::exp(a - log_sum) - (i % 2 == 0))) < 0.02);
    }
}

JCUCONV_TEST(far_infinity_is_found) {
    const std::int64_t count = kFar + 4096;
    const Region x(std::uint64_t(count) * 2), flag(4);
    auto* found = reinterpret_cast<std::int32_t*>(flag.begin());
    const Filtered filtered({.count = 2, .whole = {"clear_flag"}});
    run("finite_check", finite_check(count, JCUCONV_F16, x.begin(), found, nullptr));
    CHECK(*found == 0);
    set_last<f16>(x, {INFINITY, 0.0f});
    run("finite_check", finite_check(count, JCUCONV_F16, x.begin(), found, nullptr));
    CHECK(*found == 1);
}

// The last elements of y against the words that belong to them: numbers beyond 2^34 need more than 32 bits of counter.
JCUCONV_TEST(far_words_of_dropout) {
    struct Shape {
        std::int32_t n, pixels, c;
    };
    for (const Shape& shape : {Shape{(1 << 26) + 1, 1, 1 << 8}, {(1 << 28) + 1, 4, 2}, {(1 << 28) + 1, 3, 3}, {1, 4, 3 << 28}}) {
        const jcuconv_dropout d{shape.n, shape.pixels, shape.c, 5, 0.5f, JCUCONV_F16, 0};
        const std::int64_t per_image = std::int64_t{d.pixels} * d.c, count = d.n * per_image, some = std::min(per_image, kSome);
        const Region x(std::uint64_t(count) * 2), y(std::uint64_t(count) * 2), seed(16);
        set_last<f16>(x, std::vector<float>(std::size_t(some), 1.0f));
        const std::uint32_t words[4] = {1, 2, 3, 4};
        std::memcpy(seed.begin(), words, sizeof words);
        jcuconv_handle plan = 0;
        CHECK(jcuconv_dropout_plan(&d, JCUCONV_FPROP, 0, &plan) == JCUCONV_OK);
        Arguments a{};
        a[JCUCONV_ARG_X] = x.span(), a[JCUCONV_ARG_Y] = y.span(), a[JCUCONV_ARG_SEED] = seed.span();
        {
            const Filtered filtered({});
            CHECK(jcuconv_execute(plan, a.data(), JCUCONV_ARG_COUNT, {}, nullptr) == JCUCONV_OK);
            CHECK(jcuconv_stream_synchronize(nullptr) == JCUCONV_OK);
        }
        std::size_t wrong = 0;
        for (std::int64_t i = per_image - some; i < per_image; ++i) {
            const std::int64_t number = std::int64_t{d.n - 1} * per_image + i % d.c * d.pixels + i / d.c, block = number / 4;
            std::uint32_t random[4];
            philox({std::uint32_t(block), 5u ^ std::uint32_t(block >> 32), words[2], words[3]}, {words[0], words[1]}, random);
            wrong += to_f32(last<f16>(y, per_image)[i]) != (random[number % 4] < 0x80000000u ? 0.0f : 2.0f);
        }
        CHECK(wrong == 0);
        CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
    }
}
