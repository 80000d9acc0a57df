// The choices of a convolution: which there are for every layer on every architecture, and that each of them computes the same.
#include <algorithm>
#include <limits>
#include <set>

#include "core/types.h"
#include "heuristics/architecture.h"
#include "heuristics/conv2d_launch.h"
#include "simt/runtime.h"
#include "test/testing/conv2d_case.h"
#include "test/testing/layers.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr jcuconv_pass kAllPasses[] = {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD};
constexpr std::size_t kMost = 36;  // three tiles of each of three rows, four splits: a plan is to be made in far less than a millisecond
constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

const Architecture& architecture_of(int number) {
    return *std::find_if(std::begin(kArchitectures), std::end(kArchitectures), [&](const Architecture& a) { return a.number == number; });
}

void check_choices(const std::string& name, const Conv2dTask& task) {
    const std::vector<Conv2dConfig> choices = conv2d_choices(task);
    const auto fail = [&](const std::string& what) {
        report(__FILE__, __LINE__, name + " pass " + std::to_string(task.pass) + " sm_" + std::to_string(task.architecture) + ": " + what);
    };
    if (std::find(choices.begin(), choices.end(), choose_conv2d(task)) == choices.end()) fail("the table's choice is not among them");
    if (conv2d_choices(task) != choices) fail("asked again, they are others");
    if (choices.size() > kMost) fail(std::to_string(choices.size()) + " choices, which every plan counts");
    std::set<std::string> names;
    for (const Conv2dConfig& config : choices) {
        const std::string text = describe(config);
        if (!names.insert(text).second) fail(text + " twice");
        if (!conv2d_legal(config.algorithm, task)) fail(text + " is not legal");
        if (config.split.workspace_bytes > task.workspace_limit) fail(text + " exceeds the limit");
        LaunchShape launch;
        try {
            launch = conv2d_launch(task.g, task.pass, config);
        } catch (const char* reason) {
            fail(text + ": " + reason);
        }
        if (resident_blocks(architecture_of(task.architecture), launch) < 1) fail(text + ": no block fits");
        if (launch.grid_x > kMaxGridX || launch.grid_y > kMaxGridYz || launch.grid_z > kMaxGridYz) fail(text + ": the grid is too large");
        if (task.pass != JCUCONV_WGRAD) continue;
        const std::int64_t all = reduction_size(task.g, config), part = config.split.split_pixels, parts = config.split.splits;
        if (parts < 1 || parts * part < all || (parts - 1) * part >= all) fail(text + ": parts of " + std::to_string(part));
    }
}

// Every choice through the C API, against the definition.
void check_exact(const jcuconv_conv2d& problem, jcuconv_pass pass, std::set<std::string>* ran) {
    jcuconv_conv2d p = problem;
    const auto type = static_cast<jcuconv_type>(p.type);
    const Conv2dShape shape{p};
    Random random(7);
    const auto xs = random.integers(shape.x_elements(), 2), ws = random.integers(shape.w_elements(), 2), ys = random.integers(shape.y_elements(), 2);
    Tensor x(type, 1, int(xs.size())), w(type, 1, int(ws.size())), y(type, 1, int(ys.size())), dw(JCUCONV_F32, 1, int(ws.size()));
    Tensor& out = pass == JCUCONV_FPROP ? y : pass == JCUCONV_DGRAD ? x : dw;
    if (&out != &x) x.write(xs);
    w.write(ws);
    if (&out != &y) y.write(ys);
    Arguments a{};
    a[JCUCONV_ARG_X] = a[JCUCONV_ARG_DX] = x.span(), a[JCUCONV_ARG_W] = w.span();
    a[JCUCONV_ARG_Y] = a[JCUCONV_ARG_DY] = y.span(), a[JCUCONV_ARG_DW] = dw.span();
    Expected expected;
    expected.value = conv2d_sums(shape, pass, xs, ws, ys).value;
    jcuconv_handle plan = 0;
    std::uint32_t count = 0;
    CHECK(jcuconv_conv2d_plan(&p, pass, kNoLimit, &plan) == JCUCONV_OK && jcuconv_plan_choices(plan, &count) == JCUCONV_OK && count > 0);
    const std::string chosen = open_plan(plan)->description;
    CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
    Conv2dGeometry g;
    CHECK(conv2d_geometry(p, &g).ok());
    const auto listed = conv2d_choices({g, type, pass, 16, kNoLimit, static_cast<jcuconv_math>(p.math), simt::runtime_options().architecture});
    CHECK(listed.size() == count);
    std::set<std::string> names;
    for (std::uint32_t choice = 1; choice <= count; ++choice) {
        p.choice = static_cast<std::int32_t>(choice);
        CHECK(jcuconv_conv2d_plan(&p, pass, kNoLimit, &plan) == JCUCONV_OK);
        const std::string name = open_plan(plan)->description;
        CHECK_CONTAINS(name, " " + describe(listed.at(choice - 1)));
        CHECK_CONTAINS(open_plan(plan)->reason, "choice " + std::to_string(choice) + " is asked for");
        CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
        names.insert(name), ran->insert(name.substr(0, name.find(" vec")));
        if (run_plan(jcuconv_conv2d_plan, p, pass, a)) matches(name, out, expected, pass == JCUCONV_WGRAD ? JCUCONV_F32 : type);
    }
    CHECK(names.size() == count && names.count(chosen) == 1);
}

}  // namespace

JCUCONV_TEST(every_layer_has_legal_choices_on_every_architecture) {
    constexpr std::size_t kLimits[] = {0, std::size_t{64} << 20, SIZE_MAX};
    int tasks = 0;
    for (const Layer& layer : layers()) {
        if (!layer.convolution()) continue;
        const Conv2dGeometry g = geometry_of(layer);
        for (const Architecture& architecture : kArchitectures)
            for (const jcuconv_pass pass : kAllPasses)
                for (const jcuconv_type type : kTypes)
                    for (const int alignment : {16, static_cast<int>(size_of(type))})
                        for (const std::size_t limit : kLimits)
                            for (const jcuconv_math math : {JCUCONV_MATH_EXACT, JCUCONV_MATH_TF32, JCUCONV_MATH_TF32X3}) {
                                if (math != JCUCONV_MATH_EXACT && type != JCUCONV_F32) continue;
                                check_choices(layer.name, {g, type, pass, alignment, limit, math, architecture.number});
                                ++tasks;
                            }
    }
    CHECK(tasks == 106 * 7 * 3 * 5 * 2 * 3);
}

JCUCONV_TEST(every_choice_gives_the_same_integers_on_every_generation) {
    auto plain = conv(2, 9, 10, 16, 24, 3, 3), odd = conv(1, 8, 7, 5, 7, 3, 2), point = conv(3, 9, 10, 32, 40, 1, 1);
    auto grouped = conv(2, 7, 6, 16, 32, 3, 3), deep = conv(2, 12, 14, 8, 8, 3, 3), single = conv(2, 20, 16, 1, 1, 3, 3);
    const auto parts = conv(1, 26, 26, 8, 16, 3, 3);  // pixels enough for a split
    grouped.groups = 2, deep.groups = 8, plain.stride_h = plain.stride_w = 2;
    plain.pad_top = plain.pad_bottom = plain.pad_left = plain.pad_right = deep.pad_top = deep.pad_left = 1;
    std::set<std::string> ran;
    for (const int architecture : {75, 80, 90}) {
        simt::RuntimeOptions options;
        options.architecture = architecture;
        simt::set_runtime_options(options);
        for (jcuconv_conv2d p : {plain, odd, point, grouped, deep, single, parts})
            for (const jcuconv_type type : kTypes)
                for (const int math : {JCUCONV_MATH_EXACT, JCUCONV_MATH_TF32, JCUCONV_MATH_TF32X3}) {
                    if (math != JCUCONV_MATH_EXACT && (type != JCUCONV_F32 || architecture == 75)) continue;
                    p.type = type, p.math = math;
                    for (const jcuconv_pass pass : kAllPasses) check_exact(p, pass, &ran);
                }
    }
    simt::set_runtime_options({});
    // A row and tile that no problem here reaches would go untested.
    for (const char* name : {"fprop wgmma_gemm tile 128x128", "fprop mma_gemm tile 128x128", "dgrad mma_gemm tf32 tile 128x32",
                             "wgrad mma_gemm tf32x3 tile 64x64", "wgrad pointwise tile 128x128", "wgrad implicit_gemm tile 32x32",
                             "dgrad depthwise", "dgrad wgmma_gemm tile 128x128", "wgrad wgmma_gemm tile 128x128"})
        if (ran.count("conv2d " + std::string(name)) == 0) report(__FILE__, __LINE__, std::string(name) + " did not run");
}

JCUCONV_TEST(a_number_without_a_choice_is_refused_in_one_line) {
    auto p = conv(2, 9, 10, 16, 24, 3, 3);
    jcuconv_handle plan = 0;
    std::uint32_t count = 0;
    CHECK(jcuconv_conv2d_plan(&p, JCUCONV_WGRAD, kNoLimit, &plan) == JCUCONV_OK);
    CHECK(jcuconv_plan_choices(plan, nullptr) == JCUCONV_INVALID_RESULT && jcuconv_plan_choices(plan, &count) == JCUCONV_OK);
    CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK && jcuconv_plan_choices(plan, &count) == JCUCONV_INVALID_HANDLE);
    for (const std::int64_t wrong : {std::int64_t{-1}, std::int64_t{count} + 1, std::int64_t{INT32_MAX}, std::int64_t{INT32_MIN}}) {
        p.choice = static_cast<std::int32_t>(wrong);
        CHECK(jcuconv_conv2d_plan(&p, JCUCONV_WGRAD, kNoLimit, &plan) == JCUCONV_INVALID_CHOICE && plan == 0);
        CHECK(jcuconv_last_message() == "choice = " + std::to_string(wrong) + ": there are 1 to " + std::to_string(count) + ", and 0 for the library's own");
    }
    p.choice = 1;
    CHECK(jcuconv_conv2d_plan(&p, JCUCONV_BGRAD, kNoLimit, &plan) == JCUCONV_INVALID_CHOICE);
    CHECK_CONTAINS(jcuconv_last_message(), "choice = 1: there is nothing to choose");
}

// A transposed convolution and a dense layer have the choices of the convolution that they are.
JCUCONV_TEST(relatives_take_choices_too) {
    jcuconv_conv_transpose2d t{};
    t.n = 2, t.h = t.w = 5, t.c = 8, t.k = 12, t.r = t.s = 3, t.groups = 1;
    t.stride_h = t.stride_w = 2, t.dilation_h = t.dilation_w = 1;
    const jcuconv_dense d{6, 20, 12, 0, 0, {}, 0, 0, 0, 0, 0};
    const auto check = [](auto create, auto problem) {
        for (const jcuconv_pass pass : kAllPasses) {
            jcuconv_handle plan = 0;
            std::uint32_t count = 0;
            CHECK(create(&problem, pass, kNoLimit, &plan) == JCUCONV_OK && jcuconv_plan_choices(plan, &count) == JCUCONV_OK && count > 1);
            CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
            std::set<std::string> names;
            auto p = problem;
            for (p.choice = 1; p.choice <= std::int32_t(count); ++p.choice) {
                CHECK(create(&p, pass, kNoLimit, &plan) == JCUCONV_OK);
                names.insert(open_plan(plan)->description);
                CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
            }
            CHECK(names.size() == count);
            CHECK(create(&p, pass, kNoLimit, &plan) == JCUCONV_INVALID_CHOICE);
        }
        auto p = problem;
        p.choice = 1;
        jcuconv_handle plan = 0;
        CHECK(create(&p, JCUCONV_BGRAD, kNoLimit, &plan) == JCUCONV_INVALID_CHOICE);
    };
    check(jcuconv_conv_transpose2d_plan, t);
    check(jcuconv_dense_plan, d);
}
