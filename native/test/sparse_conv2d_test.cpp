// Every algorithm of every convolution pass where its offsets exceed 32 bits, against the fp64 oracle of the few pixels that hold data;
// and the list of kernels that have no such case.
#include "core/conv2d.h"
#include "heuristics/mma_extent.h"
#include "kernels/conv2d/conv2d.h"
#include "test/testing/conv2d_oracle.h"
#include "test/testing/sparse.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr jcuconv_pass kPasses[] = {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD};

// Shapes so different that every algorithm is legal for one. One image has 4 x 4 outputs.
std::vector<jcuconv_conv2d> shapes() {
    std::vector<jcuconv_conv2d> list;
    const auto add = [&](int hw, int c, int k, int rs, int pad, int stride, int groups) {
        jcuconv_conv2d p{};
        p.n = 1, p.h = p.w = hw, p.c = c, p.k = k, p.r = p.s = rs, p.groups = groups;
        p.pad_top = p.pad_left = pad, p.pad_bottom = p.pad_right = rs - 1 - pad;
        p.stride_h = p.stride_w = stride, p.dilation_h = p.dilation_w = 1;
        list.push_back(p);
    };
    add(4, 1, 1, 3, 1, 1, 1);
    add(4, 4, 4, 1, 0, 1, 1);
    add(8, 3, 4, 2, 0, 2, 1);
    add(4, 8, 8, 3, 1, 1, 2);
    add(4, 8, 8, 3, 1, 1, 1);
    add(4, 2, 2, 3, 1, 1, 2);
    add(4, 4, 4, 3, 1, 1, 4);
    add(4, 8, 8, 3, 1, 1, 4);
    add(8, 16, 16, 2, 0, 2, 4);
    return list;
}

// fp16 where the algorithm has it: half the memory.
jcuconv_type type_of(Conv2dAlgorithm algorithm) {
    return algorithm == Conv2dAlgorithm::kImplicitGemm || algorithm == Conv2dAlgorithm::kPointwise ? JCUCONV_F32 : JCUCONV_F16;
}

// A tensor of few pixels that hold data, `pitch` elements apart, at the end of a region.
struct Pixels {
    jcuconv_type type;
    Region region;
    std::byte* first;
    int count, channels;
    std::int64_t pitch;

    Pixels(jcuconv_type type_, std::int64_t all, int used, int channels_, std::int64_t pitch_)
        : type(type_),
          region(std::uint64_t((all - 1) * pitch_ + channels_) * size_of(type_)),
          first(region.begin() + std::uint64_t((all - used) * pitch_) * size_of(type_)),
          count(used),
          channels(channels_),
          pitch(pitch_) {}
    std::size_t at(int i) const { return std::size_t(i / channels * pitch + i % channels); }
    void write(const std::vector<float>& values) {
        for (int i = 0; i < count * channels; ++i) put_element(type, first, at(i), values[std::size_t(i)]);
    }
    void poison() {
        for (int i = 0; i < count * channels; ++i) put_element(type, first, at(i), std::nanf(""));
    }
    bool holds(const std::vector<double>& expected) const {
        for (int i = 0; i < count * channels; ++i)
            if (!(get_element(type, first, at(i)) == expected[std::size_t(i)])) return false;
        return true;
    }
};

// `images`: how many there are; `used`: how many of them, the last ones, hold data.
void run_case(jcuconv_conv2d problem, Conv2dAlgorithm algorithm, jcuconv_pass pass, int images, int used, std::int64_t pitch) {
    problem.x_pitch = problem.y_pitch = pitch;
    problem.n = used;
    const Conv2dShape shape{problem};
    Random random(8);
    const auto xs = random.integers(shape.x_elements(), 2), ws = random.integers(shape.w_elements(), 2);
    const auto ys = random.integers(shape.y_elements(), 2);
    auto expected = conv2d_sums(shape, pass, xs, ws, ys).value;
    if (problem.pool_w == 2) {  // a window is two outputs of a line, of which there are four
        std::vector<double> largest;
        for (std::size_t i = 0; i < expected.size(); ++i)
            if (i / std::size_t(problem.k) % 2 == 0) largest.push_back(std::max(expected[i], expected[i + std::size_t(problem.k)]));
        expected = largest;
    }

    const jcuconv_type type = type_of(algorithm);
    problem.n = images;
    problem.type = type;
    Conv2dGeometry g;
    const Outcome valid = conv2d_geometry(problem, &g);
    const Conv2dTask task{g, type, pass, 16, 0};
    const std::string name = std::string(name_of(algorithm)) + " pass " + std::to_string(pass) + ", c " + std::to_string(g.c) + ", " +
                             std::to_string(images) + " images, pitch " + std::to_string(g.x_pitch);
    if (!valid.ok()) return report(__FILE__, __LINE__, name + ": " + valid.text);
    if (!conv2d_legal(algorithm, task)) return;
    Conv2dConfig config = configure_conv2d(algorithm, task);
    const bool split = pass == JCUCONV_WGRAD && images > used;
    if (split) {  // so that the last part is exactly the images that hold data
        const int unit = algorithm == Conv2dAlgorithm::kWgmmaGemm ? kWgmmaDepth : 1;
        config.split.split_pixels = (std::int64_t{1} << 29) / unit;
        config.split.splits = static_cast<int>((reduction_size(g, config) - 1) / config.split.split_pixels + 1);
    }
    Pixels x(type, g.pixels_in(), used * g.h * g.w, g.c, g.x_pitch), y(type, g.pixels_stored(), (used * g.p * g.q) >> g.pool_log2, g.k, g.y_pitch);
    const std::uint64_t filter_bytes = std::uint64_t(g.filter_elements()) * sizeof(float);
    const Region w(filter_bytes), dw(filter_bytes), parts(split ? filter_bytes * std::uint64_t(config.split.splits) : 0);
    for (std::size_t i = 0; i < ws.size(); ++i) put_element(type, w.begin(), i, ws[i]);
    if (split) std::memset(parts.begin(), 0, parts.span().bytes);  // of the parts that do not run
    pass == JCUCONV_DGRAD ? x.poison() : x.write(xs);
    pass == JCUCONV_FPROP ? y.poison() : y.write(ys);
    const FarBlocks blocks = split ? FarBlocks{.axis = 'z', .z_step = unsigned(config.split.splits), .whole = {"add_split_sums"}}
                             : pass == JCUCONV_WGRAD ? FarBlocks{.count = ~0u / 2}
                                                     : FarBlocks{.count = images > used ? 8 : ~0u / 2};
    const Filtered filtered(blocks);
    Outcome queued;
    const Conv2dEpilogue none{};
    if (pass == JCUCONV_FPROP) queued = conv2d_fprop(g, type, config, x.region.begin(), w.begin(), y.region.begin(), none, nullptr);
    if (pass == JCUCONV_DGRAD) queued = conv2d_dgrad(g, type, config, y.region.begin(), w.begin(), x.region.begin(), none, nullptr);
    if (pass == JCUCONV_WGRAD)
        queued = conv2d_wgrad(g, type, config, x.region.begin(), y.region.begin(), reinterpret_cast<float*>(dw.begin()), false,
                              reinterpret_cast<float*>(parts.begin()), nullptr);
    if (queued.ok()) queued = device::stream_synchronize(nullptr);
    if (!queued.ok()) return report(__FILE__, __LINE__, name + ": " + queued.text);
    const auto* gradients = reinterpret_cast<const float*>(dw.begin());
    const bool right = pass == JCUCONV_FPROP   ? y.holds(expected)
                       : pass == JCUCONV_DGRAD ? x.holds(expected)
                                               : std::equal(expected.begin(), expected.end(), gradients);
    if (!right) report(__FILE__, __LINE__, name + ": wrong at the far end");
}

// Without a workspace; `w` is the filters, or of wgrad their gradient.
void run_pass(const Conv2dGeometry& g, jcuconv_type type, const Conv2dConfig& config, jcuconv_pass pass, const Region& x, const Region& w,
              const Region& y) {
    Outcome queued = pass == JCUCONV_WGRAD
                         ? conv2d_wgrad(g, type, config, x.begin(), y.begin(), reinterpret_cast<float*>(w.begin()), false, nullptr, nullptr)
                     : pass == JCUCONV_FPROP ? conv2d_fprop(g, type, config, x.begin(), w.begin(), y.begin(), {}, nullptr)
                                             : conv2d_dgrad(g, type, config, y.begin(), w.begin(), x.begin(), {}, nullptr);
    if (queued.ok()) queued = device::stream_synchronize(nullptr);
    if (!queued.ok()) report(__FILE__, __LINE__, queued.text);
}

template <class F>
void each_case(F run) {
    for (const Conv2dAlgorithm algorithm : kConv2dAlgorithms)
        for (const jcuconv_pass pass : kPasses)
            for (const jcuconv_conv2d& shape : shapes()) run(shape, algorithm, pass);
}

}  // namespace

// More than 2^32 pixels in x and y.
JCUCONV_TEST(far_images_of_convolutions) {
    each_case([](const jcuconv_conv2d& shape, Conv2dAlgorithm algorithm, jcuconv_pass pass) {
        run_case(shape, algorithm, pass, static_cast<int>(2 * kFar / 16) + 1, 1, 0);
    });
}

// More than 2^32 pixels in x and 2^31 in y, which are maxima of two sums each.
JCUCONV_TEST(far_images_of_pooled_convolutions) {
    for (const Conv2dAlgorithm algorithm : kConv2dAlgorithms)
        for (jcuconv_conv2d shape : shapes()) {
            shape.pool_w = 2;
            run_case(shape, algorithm, JCUCONV_FPROP, static_cast<int>(2 * kFar / 16) + 1, 1, 0);
            run_case(shape, algorithm, JCUCONV_FPROP, 2, 2, (std::int64_t{1} << 28) + 4);
        }
}

// More than 2^31 lines of outputs, each of one pixel.
JCUCONV_TEST(far_lines_of_convolutions) {
    jcuconv_conv2d p{};
    p.n = p.w = p.s = p.groups = p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
    p.h = 4, p.r = 3, p.pad_top = p.pad_bottom = 1;
    for (const Conv2dAlgorithm algorithm : kConv2dAlgorithms)
        for (const jcuconv_pass pass : kPasses) {
            p.c = p.k = algorithm == Conv2dAlgorithm::kWgmmaGemm ? 8 : 4;
            run_case(p, algorithm, pass, static_cast<int>(2 * kFar / 4) + 1, 1, 0);
        }
}

// More than 2^31 elements from the first to the last pixel of an image.
JCUCONV_TEST(far_pixels_of_convolutions) {
    each_case([](const jcuconv_conv2d& shape, Conv2dAlgorithm algorithm, jcuconv_pass pass) {
        const bool wgmma = algorithm == Conv2dAlgorithm::kWgmmaGemm;  // loads pixels at a multiple of eight
        run_case(shape, algorithm, pass, 2, 2, (std::int64_t{1} << 28) + (wgmma ? 8 : 4));
    });
}

// The last filters of the last group meet the last channels of one pixel; the rest of that group is zero, and so are all others.
void check_last_filters(int c, int k, int groups, const FarBlocks& blocks) {
    constexpr int kUsed = 8;
    for (const Conv2dAlgorithm algorithm : kConv2dAlgorithms)
        for (const jcuconv_pass pass : kPasses) {
            const jcuconv_type type = type_of(algorithm);
            const std::size_t size = size_of(type);
            jcuconv_conv2d p{};
            p.n = p.h = p.w = p.r = p.s = p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
            p.c = c, p.k = k, p.groups = groups, p.type = type;
            Conv2dGeometry g;
            CHECK(conv2d_geometry(p, &g).ok());
            const Conv2dTask task{g, type, pass, 16, 0};
            if (!conv2d_legal(algorithm, task)) continue;
            const Conv2dConfig config = configure_conv2d(algorithm, task);
            const bool wgrad = pass == JCUCONV_WGRAD, forward = pass == JCUCONV_FPROP;
            const Region x(std::uint64_t(g.c) * size), y(std::uint64_t(g.k) * size);
            const Region w(std::uint64_t(g.filter_elements()) * (wgrad ? sizeof(float) : size));
            Random random(9);
            const auto channels = random.integers(kUsed, 3), rows = random.integers(kUsed, 3), filters = random.integers(kUsed * kUsed, 3);
            // The last numbers of a vector; everything before them is zero.
            const auto fill = [&](const Region& vector, int count, const std::vector<float>& values) {
                std::memset(vector.last(std::size_t(count) * size), 0, std::size_t(count) * size);
                for (int i = 0; i < kUsed; ++i) put_element(type, vector.last(kUsed * size), std::size_t(i), values[std::size_t(i)]);
            };
            if (pass != JCUCONV_DGRAD) fill(x, g.group_c, channels);
            if (!forward) fill(y, g.group_k, rows);
            const auto far = [&](int filter, int channel) {
                return std::size_t(g.filter_elements() - std::int64_t{kUsed - filter - 1} * g.group_c - kUsed + channel);
            };
            std::vector<float> expected(kUsed, 0.0f);
            for (int i = 0; i < kUsed && !wgrad; ++i)
                for (int j = 0; j < kUsed; ++j) {
                    const float filter = filters[std::size_t(i * kUsed + j)];
                    put_element(type, w.begin(), far(i, j), filter);
                    expected[std::size_t(forward ? i : j)] += filter * (forward ? channels[std::size_t(j)] : rows[std::size_t(i)]);
                }
            {
                const Filtered filtered(blocks);
                run_pass(g, type, config, pass, x, w, y);
            }
            bool right = true;
            for (int i = 0; i < kUsed && !wgrad; ++i)
                right = right && get_element(type, (forward ? y : x).last(kUsed * size), std::size_t(i)) == expected[std::size_t(i)];
            for (int i = 0; i < kUsed && wgrad; ++i)
                for (int j = 0; j < kUsed; ++j)
                    right = right && reinterpret_cast<const float*>(w.begin())[far(i, j)] == rows[std::size_t(i)] * channels[std::size_t(j)];
            if (!right) report(__FILE__, __LINE__, std::string(name_of(algorithm)) + " pass " + std::to_string(pass) + ": wrong in the last filters");
        }
}

// A filter tensor of more than 2^31 elements.
JCUCONV_TEST(far_filters_of_convolutions) { check_last_filters(1 << 18, (1 << 13) + 8, 1, {.axis = 'y', .count = 1}); }

// The same in many groups, of which the last begins beyond 32 bits.
JCUCONV_TEST(far_groups_of_convolutions) {
    constexpr int kPerGroup = 256, kGroups = (1 << 15) + 8;
    check_last_filters(kPerGroup * kGroups, kPerGroup * kGroups, kGroups, {.axis = 'z', .z_step = unsigned{kGroups}});
}

// A filter tensor of more than 2^31 elements, one channel a group, under windows as large as the image: the last channels and taps.
JCUCONV_TEST(far_filters_of_depthwise_convolutions) {
    constexpr int kChannels = (1 << 16) - 8, kSide = 192, kUsed = 8, kTaps = kSide * kSide, kFirst = kTaps - 16;
    for (const jcuconv_pass pass : kPasses) {
        jcuconv_conv2d p{};
        p.n = p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = 1;
        p.h = p.w = p.r = p.s = kSide, p.c = p.k = p.groups = kChannels, p.type = JCUCONV_F16;
        Conv2dGeometry g;
        CHECK(conv2d_geometry(p, &g).ok());
        const Conv2dTask task{g, JCUCONV_F16, pass, 16, 0};
        CHECK(conv2d_legal(Conv2dAlgorithm::kDepthwise, task));
        const Conv2dConfig config = configure_conv2d(Conv2dAlgorithm::kDepthwise, task);
        const bool wgrad = pass == JCUCONV_WGRAD, forward = pass == JCUCONV_FPROP;
        const std::uint64_t elements = std::uint64_t{kTaps} * kChannels;
        const Region x(elements * 2), y(std::uint64_t{kChannels} * 2), w(elements * (wgrad ? sizeof(float) : 2));
        Random random(12);
        // Of the taps before the last sixteen all is zero.
        const auto xs = random.integers((kTaps - kFirst) * kUsed, 3), ws = random.integers((kTaps - kFirst) * kUsed, 3), ys = random.integers(kUsed, 3);
        const auto of = [](int tap, int c) { return std::size_t((tap - kFirst) * kUsed + c); };
        const auto far_x = [&](int pixel, int c) { return std::size_t(std::int64_t{pixel + 1} * kChannels - kUsed + c); };
        const auto far_w = [&](int c, int tap) { return std::size_t(std::int64_t{kChannels - kUsed + c} * kTaps + tap); };
        for (int c = 0; c < kUsed; ++c) {
            if (!forward) put_element(JCUCONV_F16, y.last(kUsed * 2), std::size_t(c), ys[std::size_t(c)]);
            for (int tap = kFirst; tap < kTaps; ++tap) {
                if (pass != JCUCONV_DGRAD) put_element(JCUCONV_F16, x.begin(), far_x(tap, c), xs[of(tap, c)]);
                if (!wgrad) put_element(JCUCONV_F16, w.begin(), far_w(c, tap), ws[of(tap, c)]);
            }
        }
        {
            const Filtered filtered({.count = 1});
            run_pass(g, JCUCONV_F16, config, pass, x, w, y);
        }
        bool right = true;
        for (int c = 0; c < kUsed; ++c) {
            float sum = 0;
            for (int tap = kFirst; tap < kTaps; ++tap) {
                const float product = xs[of(tap, c)] * ys[std::size_t(c)];
                if (wgrad) right = right && reinterpret_cast<const float*>(w.begin())[far_w(c, tap)] == product;
                sum += xs[of(tap, c)] * ws[of(tap, c)];
            }
            if (forward) right = right && get_element(JCUCONV_F16, y.last(kUsed * 2), std::size_t(c)) == sum;
            const float last = ys[std::size_t(c)] * ws[of(kTaps - 1, c)];
            if (pass == JCUCONV_DGRAD) right = right && get_element(JCUCONV_F16, x.begin(), far_x(kTaps - 1, c)) == last;
        }
        if (!right) report(__FILE__, __LINE__, "depthwise pass " + std::to_string(pass) + ": wrong at the far end");
    }
}

// A stride so large that few outputs lie beside more than 2^31 pixels of one part of the sum: the last output of each image.
JCUCONV_TEST(far_images_of_one_part_under_a_large_stride) {
    constexpr int kSide = 1 << 15, kStride = 255, kImages = 3, kOutputs = (kSide - 1) / kStride + 1;
    for (const Conv2dAlgorithm algorithm : kConv2dAlgorithms)
        for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_WGRAD}) {
            const jcuconv_type type = type_of(algorithm);
            jcuconv_conv2d p{};
            p.c = p.k = p.r = p.s = p.groups = p.dilation_h = p.dilation_w = 1;
            p.n = kImages, p.h = p.w = kSide, p.stride_h = p.stride_w = kStride, p.type = type;
            Conv2dGeometry g;
            CHECK(conv2d_geometry(p, &g).ok() && g.p == kOutputs && g.q == kOutputs);
            const Conv2dTask task{g, type, pass, 16, 0};
            if (!conv2d_legal(algorithm, task)) continue;
            const Conv2dConfig config = configure_conv2d(algorithm, task);
            const bool wgrad = pass == JCUCONV_WGRAD;
            const Region x(std::uint64_t(g.pixels_in()) * size_of(type)), y(std::uint64_t(g.pixels_out()) * size_of(type)), w(sizeof(float));
            if (wgrad) std::memset(y.begin(), 0, y.span().bytes);
            Random random(13);
            const auto xs = random.integers(kImages, 3), ys = random.integers(kImages, 3);
            const auto output = [](int image) { return std::size_t((image + 1) * kOutputs * kOutputs - 1); };
            const float filter = 2;
            float sum = 0;
            for (int i = 0; i < kImages; ++i) {
                const std::int64_t line = std::int64_t{i} * kSide + (kOutputs - 1) * kStride;
                put_element(type, x.begin(), std::size_t(line * kSide + (kOutputs - 1) * kStride), xs[std::size_t(i)]);
                if (wgrad) put_element(type, y.begin(), output(i), ys[std::size_t(i)]);
                sum += xs[std::size_t(i)] * ys[std::size_t(i)];
            }
            if (!wgrad) put_element(type, w.begin(), 0, filter);
            run_pass(g, type, config, pass, x, w, y);
            bool right = !wgrad || *reinterpret_cast<const float*>(w.begin()) == sum;
            for (int i = 0; i < kImages && !wgrad; ++i) right = right && get_element(type, y.begin(), output(i)) == filter * xs[std::size_t(i)];
            if (!right) report(__FILE__, __LINE__, std::string(name_of(algorithm)) + " pass " + std::to_string(pass) + ": wrong under a large stride");
        }
}

// The largest image there is, under a window that reaches beyond it: the pixel at which a patch begins is beyond 32 bits.
JCUCONV_TEST(far_rows_outside_an_image) {
    constexpr int kRows = 1 << 10, kColumns = 1 << 20, kTaps = 3, kDilation = 1100, kUsed = 64;
    for (const Conv2dAlgorithm algorithm : kConv2dAlgorithms) {
        const jcuconv_type type = type_of(algorithm);
        jcuconv_conv2d p{};
        p.n = p.c = p.k = p.s = p.groups = p.stride_h = p.stride_w = p.dilation_w = 1;
        p.h = kRows, p.w = kColumns, p.r = kTaps, p.dilation_h = p.pad_top = p.pad_bottom = kDilation, p.type = type;
        Conv2dGeometry g;
        CHECK(conv2d_geometry(p, &g).ok() && g.p == kRows && g.q == kColumns);
        const Conv2dTask task{g, type, JCUCONV_DGRAD, 16, 0};
        if (!conv2d_legal(algorithm, task)) continue;
        const Conv2dConfig config = configure_conv2d(algorithm, task);
        const Region dx(std::uint64_t(g.pixels_in()) * size_of(type)), dy(dx.span().bytes), w(kTaps * size_of(type));
        Random random(10);
        const auto filters = random.integers(kTaps, 3), gradients = random.integers(kUsed, 3);
        std::byte* last = dy.last(kUsed * size_of(type));
        for (int r = 0; r < kTaps; ++r) put_element(type, w.begin(), std::size_t(r), filters[std::size_t(r)]);
        for (int i = 0; i < kUsed; ++i) put_element(type, last, std::size_t(i), gradients[std::size_t(i)]);
        {
            const Filtered filtered({.count = 2});
            Outcome queued = conv2d_dgrad(g, type, config, dy.begin(), w.begin(), dx.begin(), {}, nullptr);
            if (queued.ok()) queued = device::stream_synchronize(nullptr);
            if (!queued.ok()) report(__FILE__, __LINE__, std::string(name_of(algorithm)) + ": " + queued.text);
        }
        bool right = true;  // of a pixel's three taps only the middle one meets the image
        for (int i = 0; i < kUsed; ++i)
            right = right && get_element(type, dx.last(kUsed * size_of(type)), std::size_t(i)) == gradients[std::size_t(i)] * filters[1];
        if (!right) report(__FILE__, __LINE__, std::string(name_of(algorithm)) + ": wrong in the last row");
    }
}

// Runs last. JCUCONV_KERNELS is the list of all names that kernels/ launches.
JCUCONV_TEST(no_kernel_lacks_a_far_case) {
    const std::set<std::string> exempt = {"step_control",         // a dozen numbers
                                          "softmax_mean_loss",    // adds every row: a minute, and the row is its only offset
                                          "softmax_count_rows"};  // likewise
    std::string names = JCUCONV_KERNELS;
    for (std::size_t at = 0; at < names.size();) {
        const std::size_t end = std::min(names.find(',', at), names.size());
        const std::string name = names.substr(at, end - at);
        if (!exempt.contains(name) && !kernels_at_the_far_end().contains(name))
            report(__FILE__, __LINE__, name + " has no case with offsets above 32 bits: add one to sparse_test.cpp");
        at = end + 1;
    }
}
