// The C API as a caller meets it: plans, statuses that name the argument, transposed convolution, hostile calls.
#include "jcuconv/jcuconv.h"

#include <algorithm>
#include <thread>

#include "simt/memory.h"
#include "simt/runtime.h"
#include "test/testing/conv2d_oracle.h"
#include "test/testing/random.h"
#include "test/testing/run.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr std::uint64_t kNoLimit = UINT64_MAX;

jcuconv_conv2d small_conv() {
    jcuconv_conv2d p{};
    p.n = 2, p.h = p.w = 6, p.c = 4, p.k = 8, p.r = p.s = 3;
    p.stride_h = p.stride_w = p.dilation_h = p.dilation_w = p.groups = 1;
    return p;
}

jcuconv_handle plan_of(const jcuconv_conv2d& p, jcuconv_pass pass = JCUCONV_FPROP, std::uint64_t limit = kNoLimit) {
    jcuconv_handle plan = 0;
    if (jcuconv_conv2d_plan(&p, pass, limit, &plan) != JCUCONV_OK) report(__FILE__, __LINE__, jcuconv_last_message());
    return plan;
}

jcuconv_status refused(const jcuconv_conv2d& p, jcuconv_pass pass = JCUCONV_FPROP) {
    jcuconv_handle plan = 1;
    const auto status = jcuconv_conv2d_plan(&p, pass, kNoLimit, &plan);
    CHECK(plan == 0);
    return status;
}

// Changes one number of a right problem.
template <class F>
jcuconv_conv2d with(F change) {
    auto p = small_conv();
    change(p);
    return p;
}

}  // namespace

JCUCONV_TEST(a_max_pool_that_no_kernel_does_is_refused) {
    using P = jcuconv_conv2d;  // four by four outputs
    CHECK(refused(with([](P& p) { p.pool_h = -1; })) == JCUCONV_INVALID_WINDOW);
    CHECK(refused(with([](P& p) { p.pool_w = 5; })) == JCUCONV_INVALID_WINDOW);
    CHECK_CONTAINS(jcuconv_last_message(), "pool_w = 5: larger than the output of 4");
    CHECK(refused(with([](P& p) { p.pool_h = 3; })) == JCUCONV_UNSUPPORTED_SIZE);
    CHECK_CONTAINS(jcuconv_last_message(), "pool_h = 3: windows that are pooled are powers of two");
    CHECK(refused(with([](P& p) { p.pool_h = 2, p.pool_w = 4; })) == JCUCONV_UNSUPPORTED_SIZE);
    CHECK_CONTAINS(jcuconv_last_message(), "pool_h * pool_w = 8: at most 16 outputs are pooled, without tensor cores 4");
    CHECK(refused(with([](P& p) { p.h = p.w = 10, p.pool_h = 8, p.pool_w = 4, p.type = JCUCONV_F16; })) == JCUCONV_UNSUPPORTED_SIZE);
    for (const int step : {JCUCONV_EPILOGUE_RESIDUAL, JCUCONV_EPILOGUE_TANH, JCUCONV_EPILOGUE_SIGMOID, JCUCONV_EPILOGUE_SCALE})
        CHECK(refused(with([&](P& p) { p.pool_w = 2, p.epilogue[0] = step; })) == JCUCONV_INVALID_EPILOGUE);
    CHECK(refused(with([](P& p) { p.pool_w = 2, p.epilogue[0] = JCUCONV_EPILOGUE_RELU, p.epilogue[1] = JCUCONV_EPILOGUE_BIAS; })) ==
          JCUCONV_INVALID_EPILOGUE);
    CHECK_CONTAINS(jcuconv_last_message(), "with pool_h and pool_w the epilogue is a bias, then a ReLU, or less");
    for (const jcuconv_pass pass : {JCUCONV_DGRAD, JCUCONV_WGRAD, JCUCONV_BGRAD})
        CHECK(refused(with([](P& p) { p.pool_h = 2; }), pass) == JCUCONV_INVALID_EPILOGUE);
    CHECK_CONTAINS(jcuconv_last_message(), "pool_h and pool_w belong to the forward pass");
    CHECK(jcuconv_plan_destroy(plan_of(with([](P& p) { p.pool_h = p.pool_w = 1; }), JCUCONV_WGRAD)) == JCUCONV_OK);
    CHECK(jcuconv_plan_destroy(plan_of(with([](P& p) { p.pool_h = p.pool_w = 4, p.type = JCUCONV_F16; }))) == JCUCONV_OK);
}

JCUCONV_TEST(every_wrong_number_is_named) {
    using P = jcuconv_conv2d;
    CHECK(refused(with([](P& p) { p.n = 0; })) == JCUCONV_INVALID_BATCH);
    CHECK(refused(with([](P& p) { p.c = -1; })) == JCUCONV_INVALID_CHANNELS);
    CHECK(refused(with([](P& p) { p.k = 0; })) == JCUCONV_INVALID_FILTERS);
    CHECK(refused(with([](P& p) { p.h = 0; })) == JCUCONV_INVALID_IMAGE);
    CHECK(refused(with([](P& p) { p.s = 7; })) == JCUCONV_INVALID_WINDOW);
    CHECK(refused(with([](P& p) { p.dilation_h = 3; })) == JCUCONV_INVALID_WINDOW);
    CHECK_CONTAINS(jcuconv_last_message(), "height: the dilated window of 7 is larger than the padded image of 6");
    CHECK(refused(with([](P& p) { p.pad_left = -1; })) == JCUCONV_INVALID_PADDING);
    CHECK(refused(with([](P& p) { p.stride_w = 0; })) == JCUCONV_INVALID_STRIDE);
    CHECK(refused(with([](P& p) { p.dilation_w = 0; })) == JCUCONV_INVALID_DILATION);
    CHECK(refused(with([](P& p) { p.groups = 3; })) == JCUCONV_INVALID_GROUPS);
    CHECK(refused(with([](P& p) { p.x_pitch = 3; })) == JCUCONV_INVALID_PITCH);
    CHECK(refused(with([](P& p) { p.alignment = 12; })) == JCUCONV_INVALID_PITCH);
    CHECK(refused(with([](P& p) { p.type = 9; })) == JCUCONV_INVALID_TYPE);
    CHECK(refused(with([](P& p) { p.epilogue[0] = 9; })) == JCUCONV_INVALID_EPILOGUE);
    CHECK(refused(with([](P& p) { p.epilogue[1] = JCUCONV_EPILOGUE_RELU; })) == JCUCONV_INVALID_EPILOGUE);
    CHECK_CONTAINS(jcuconv_last_message(), "epilogue[1] = 3: a step behind the end");
    CHECK(refused(with([](P& p) { p.epilogue[0] = p.epilogue[1] = JCUCONV_EPILOGUE_BIAS; })) == JCUCONV_INVALID_EPILOGUE);
    CHECK(refused(with([](P& p) { p.epilogue[0] = JCUCONV_EPILOGUE_RELU; }), JCUCONV_DGRAD) == JCUCONV_INVALID_EPILOGUE);
    CHECK(refused(with([](P& p) { p.dbias = 1; }), JCUCONV_DGRAD) == JCUCONV_INVALID_EPILOGUE);
    CHECK(refused(with([](P& p) { p.accumulate = 1; })) == JCUCONV_INVALID_EPILOGUE);
    CHECK(refused(with([](P& p) { p.y_f32 = 2; })) == JCUCONV_INVALID_EPILOGUE);
    CHECK(refused(with([](P& p) { p.y_f32 = 1; }), JCUCONV_WGRAD) == JCUCONV_INVALID_EPILOGUE);
    CHECK(refused(with([](P& p) { p.type = JCUCONV_F16, p.alignment = 2, p.y_f32 = 1; })) == JCUCONV_INVALID_PITCH);
    CHECK(refused(small_conv(), static_cast<jcuconv_pass>(9)) == JCUCONV_INVALID_PASS);
    CHECK(refused(with([](P& p) { p.h = p.w = 1 << 20; })) == JCUCONV_UNSUPPORTED_SIZE);
    CHECK(refused(with([](P& p) { p.pad_top = INT32_MAX; })) == JCUCONV_UNSUPPORTED_SIZE);
    jcuconv_handle plan;
    CHECK(jcuconv_conv2d_plan(nullptr, JCUCONV_FPROP, 0, &plan) == JCUCONV_INVALID_PROBLEM);
    CHECK(std::string(jcuconv_status_name(JCUCONV_INVALID_STRIDE)) == "INVALID_STRIDE");
}

JCUCONV_TEST(execution_names_the_wrong_tensor) {
    const auto plan = plan_of(small_conv());
    const Tensor x(JCUCONV_F32, 72, 4), w(JCUCONV_F32, 1, 8 * 9 * 4), y(JCUCONV_F32, 32, 8);
    Arguments good{};
    good[JCUCONV_ARG_X] = x.span(), good[JCUCONV_ARG_W] = w.span(), good[JCUCONV_ARG_Y] = y.span();
    const auto run = [&](auto change) {
        auto t = good;
        change(t);
        return jcuconv_execute(plan, t.data(), JCUCONV_ARG_COUNT, {}, nullptr);
    };
    using T = Arguments;
    CHECK(run([](T&) {}) == JCUCONV_OK);
    CHECK(run([](T& t) { t[JCUCONV_ARG_X].address = nullptr; }) == JCUCONV_INVALID_X);
    CHECK(run([](T& t) { --t[JCUCONV_ARG_W].bytes; }) == JCUCONV_INVALID_W);
    CHECK_CONTAINS(jcuconv_last_message(), "w has 1151 bytes: this plan needs 1152");
    CHECK(run([](T& t) { t[JCUCONV_ARG_X].address = static_cast<char*>(t[JCUCONV_ARG_X].address) + 4; }) == JCUCONV_INVALID_X);
    CHECK_CONTAINS(jcuconv_last_message(), "x is not aligned to 16 bytes");
    std::vector<float> host(1024);
    CHECK(run([&](T& t) { t[JCUCONV_ARG_Y] = {host.data() + (16 - (reinterpret_cast<std::uintptr_t>(host.data()) & 15)) % 16 / 4, 1024}; }) ==
          JCUCONV_INVALID_Y);
    CHECK_CONTAINS(jcuconv_last_message(), "not inside live memory");
    CHECK(run([](T& t) { t[JCUCONV_ARG_Y] = {t[JCUCONV_ARG_X].address, t[JCUCONV_ARG_Y].bytes}; }) == JCUCONV_INVALID_Y);
    CHECK_CONTAINS(jcuconv_last_message(), "y overlaps x");
    CHECK(jcuconv_execute(plan, nullptr, 0, {}, nullptr) == JCUCONV_INVALID_ARGUMENTS);
    CHECK(jcuconv_execute(plan, good.data(), JCUCONV_ARG_Y, {}, nullptr) == JCUCONV_INVALID_ARGUMENTS);
    CHECK(jcuconv_execute(plan, good.data(), JCUCONV_ARG_COUNT, {}, reinterpret_cast<void*>(12345)) == JCUCONV_INVALID_STREAM);
    CHECK(jcuconv_stream_synchronize(nullptr) == JCUCONV_OK);
    CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
    CHECK(jcuconv_execute(plan, good.data(), JCUCONV_ARG_COUNT, {}, nullptr) == JCUCONV_INVALID_HANDLE);
}

JCUCONV_TEST(a_closed_handle_never_comes_back) {
    const auto first = plan_of(small_conv());
    CHECK(jcuconv_plan_destroy(first) == JCUCONV_OK);
    CHECK(jcuconv_plan_destroy(first) == JCUCONV_INVALID_HANDLE);
    const auto second = plan_of(small_conv());  // takes the same slot
    CHECK(second != first && (second & 0xffffffffu) == (first & 0xffffffffu));
    std::uint64_t bytes;
    CHECK(jcuconv_plan_workspace(first, &bytes) == JCUCONV_INVALID_HANDLE);
    CHECK(jcuconv_plan_workspace(second, &bytes) == JCUCONV_OK);
    CHECK(jcuconv_plan_destroy(second) == JCUCONV_OK);
    CHECK(jcuconv_plan_destroy(0) == JCUCONV_INVALID_HANDLE);
}

JCUCONV_TEST(weak_alignment_of_one_element_works) {
    auto p = small_conv();
    p.type = JCUCONV_F16, p.alignment = 2;
    Random random(3);
    Tensor x(JCUCONV_F16, 72, 4, 0, 1), w(JCUCONV_F16, 1, 288, 0, 3), y(JCUCONV_F16, 32, 8, 0, 5);
    const auto xs = random.integers(288, 3), ws = random.integers(288, 3);
    x.write(xs);
    w.write(ws);
    Arguments t{};
    t[JCUCONV_ARG_X] = x.span(), t[JCUCONV_ARG_W] = w.span(), t[JCUCONV_ARG_Y] = y.span();
    run_plan(jcuconv_conv2d_plan, p, JCUCONV_FPROP, t);
    matches("fp16 at odd addresses", y, {conv2d_sums({p}, JCUCONV_FPROP, xs, ws, {}).value, {}}, JCUCONV_F16);
}

JCUCONV_TEST(split_wgrad_is_bit_equal_on_any_device_and_takes_exact_workspace) {
    auto p = small_conv();
    p.n = 8, p.h = p.w = 18;
    const auto plan = plan_of(p, JCUCONV_WGRAD);
    std::uint64_t bytes = 0;
    CHECK(jcuconv_plan_workspace(plan, &bytes) == JCUCONV_OK);
    CHECK(bytes > 0 && bytes % (8 * 9 * 4 * 4) == 0);
    Random random(4);
    Tensor x(JCUCONV_F32, 8 * 18 * 18, 4), dy(JCUCONV_F32, 8 * 16 * 16, 8);
    Tensor dw1(JCUCONV_F32, 1, 288), dw2(JCUCONV_F32, 1, 288), dw3(JCUCONV_F32, 1, 288);
    x.write(random.reals(8 * 18 * 18 * 4));
    dy.write(random.reals(8 * 16 * 16 * 8));
    const Workspace workspace(bytes);
    const int multiprocessors[] = {1, 3, 132};
    int i = 0;
    for (Tensor* dw : {&dw1, &dw2, &dw3}) {
        simt::set_runtime_options({0, multiprocessors[i]});
        simt::set_options({static_cast<std::uint64_t>(i++)});
        Arguments t{};
        t[JCUCONV_ARG_X] = x.span(), t[JCUCONV_ARG_DY] = dy.span(), t[JCUCONV_ARG_DW] = dw->span();
        CHECK(jcuconv_execute(plan, t.data(), JCUCONV_ARG_COUNT, {workspace.memory, bytes - 1}, nullptr) == JCUCONV_INVALID_WORKSPACE);
        CHECK(jcuconv_execute(plan, t.data(), JCUCONV_ARG_COUNT, workspace.span(), nullptr) == JCUCONV_OK);
        CHECK(jcuconv_stream_synchronize(nullptr) == JCUCONV_OK);
    }
    simt::set_runtime_options({});
    simt::set_options({});
    CHECK(dw1.same_bits(dw2) && dw1.same_bits(dw3));
    CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
}

JCUCONV_TEST(transposed_convolution_is_the_adjoint_in_all_passes) {
    Random random(6);
    for (int i = 0; i < 40; ++i) {
        jcuconv_conv_transpose2d t{};
        t.groups = random.chance(70) ? 1 : 2;
        t.n = random.between(1, 2), t.h = random.between(1, 6), t.w = random.between(1, 6);
        t.c = t.groups * random.between(1, 9), t.k = t.groups * random.between(1, 9);
        t.r = random.between(1, 4), t.s = random.between(1, 4);
        t.stride_h = random.between(1, 3), t.stride_w = random.between(1, 3);
        t.dilation_h = random.between(1, 2), t.dilation_w = random.between(1, 2);
        t.pad_top = random.between(0, 1), t.pad_right = random.between(0, 1);
        t.extra_h = random.between(0, std::max(t.stride_h, t.dilation_h) - 1);
        t.extra_w = random.between(0, std::max(t.stride_w, t.dilation_w) - 1);
        // The convolution that maps our y back to our x.
        jcuconv_conv2d c{};
        c.n = t.n, c.c = t.k, c.k = t.c, c.r = t.r, c.s = t.s, c.groups = t.groups;
        c.h = (t.h - 1) * t.stride_h - t.pad_top + t.dilation_h * (t.r - 1) + 1 + t.extra_h;
        c.w = (t.w - 1) * t.stride_w - t.pad_right + t.dilation_w * (t.s - 1) + 1 + t.extra_w;
        c.pad_top = t.pad_top, c.pad_right = t.pad_right;
        c.pad_bottom = -t.extra_h, c.pad_right -= t.extra_w;  // the oracle then has no output for them
        c.stride_h = t.stride_h, c.stride_w = t.stride_w, c.dilation_h = t.dilation_h, c.dilation_w = t.dilation_w;
        if (c.h < 1 || c.w < 1) continue;
        const Conv2dShape shape{c};
        CHECK(shape.p() == t.h && shape.q() == t.w);
        const auto xs = random.integers(shape.y_elements(), 3), ws = random.integers(shape.w_elements(), 3);
        const auto gs = random.integers(shape.x_elements(), 3);
        for (int pass = JCUCONV_FPROP; pass <= JCUCONV_BGRAD; ++pass) {
            t.epilogue[0] = pass == JCUCONV_FPROP ? JCUCONV_EPILOGUE_BIAS : JCUCONV_EPILOGUE_END;
            Tensor x(JCUCONV_F32, t.n * t.h * t.w, t.c), y(JCUCONV_F32, t.n * c.h * c.w, t.k), bias(JCUCONV_F32, 1, t.k);
            Tensor w(JCUCONV_F32, 1, int(shape.w_elements())), dw(JCUCONV_F32, 1, int(shape.w_elements()));
            const auto bs = random.integers(std::size_t(t.k), 3);
            if (pass != JCUCONV_DGRAD) x.write(xs);
            if (pass != JCUCONV_FPROP) y.write(gs);
            w.write(ws);
            if (pass == JCUCONV_FPROP) bias.write(bs);
            Arguments a{};
            a[JCUCONV_ARG_X] = a[JCUCONV_ARG_DX] = x.span(), a[JCUCONV_ARG_Y] = a[JCUCONV_ARG_DY] = y.span(), a[JCUCONV_ARG_W] = w.span(), a[JCUCONV_ARG_DW] = dw.span(), a[JCUCONV_ARG_BIAS] = a[JCUCONV_ARG_DBIAS] = bias.span();
            if (!run_plan(jcuconv_conv_transpose2d_plan, t, static_cast<jcuconv_pass>(pass), a, 0)) return;
            Expected expected;
            if (pass == JCUCONV_FPROP) {
                expected.value = conv2d_sums(shape, JCUCONV_DGRAD, {}, ws, xs).value;
                for (std::size_t e = 0; e < expected.value.size(); ++e) expected.value[e] += bs[e % bs.size()];
                matches("transposed fprop", y, expected, JCUCONV_F32);
            } else if (pass == JCUCONV_DGRAD) {
                expected.value = conv2d_sums(shape, JCUCONV_FPROP, gs, ws, {}).value;
                matches("transposed dgrad", x, expected, JCUCONV_F32);
            } else if (pass == JCUCONV_WGRAD) {
                expected.value = conv2d_sums(shape, JCUCONV_WGRAD, gs, {}, xs).value;
                matches("transposed wgrad", dw, expected, JCUCONV_F32);
            } else {
                expected.value.assign(std::size_t(t.k), 0);
                for (std::size_t e = 0; e < gs.size(); ++e) expected.value[e % std::size_t(t.k)] += gs[e];
                matches("transposed bgrad", bias, expected, JCUCONV_F32);
            }
        }
    }
}

JCUCONV_TEST(hostile_problems_get_a_status) {
    Random random(8);
    const auto number = [&] {
        constexpr int kNasty[] = {INT32_MIN, -1, 0, 1, 2, 3, 255, 65536, 1 << 30, INT32_MAX};
        return random.chance(95) ? random.between(1, 6) : kNasty[random.between(0, 9)];
    };
    int accepted = 0;
    for (int i = 0; i < 30000; ++i) {
        union {
            jcuconv_conv2d conv;
            jcuconv_conv_transpose2d transpose;
            std::int32_t numbers[sizeof(jcuconv_conv_transpose2d) / 4];
        } u;
        for (auto& n : u.numbers) n = number();
        const bool transposed = random.chance(50);
        const auto mostly_right = [&](auto& p) {
            p.x_pitch = random.chance(70) ? 0 : number(), p.y_pitch = random.chance(70) ? 0 : number();
            p.type = random.between(0, 3), p.alignment = random.chance(50) ? 0 : number();
            for (auto& step : p.epilogue) step = random.chance(95) ? 0 : number();
            p.accumulate = random.chance(80) ? 0 : number(), p.dbias = random.chance(80) ? 0 : number();
            p.math = random.chance(80) ? 0 : number(), p.choice = random.chance(90) ? 0 : number();
            if constexpr (requires { p.y_f32; }) p.y_f32 = random.chance(80) ? 0 : number();
        };
        transposed ? mostly_right(u.transpose) : mostly_right(u.conv);
        if (!transposed) u.conv.pool_h = random.chance(80) ? 0 : number(), u.conv.pool_w = random.chance(80) ? 0 : number();
        jcuconv_handle plan = 0;
        const auto pass = static_cast<jcuconv_pass>(random.between(-1, 4));
        const auto status = transposed ? jcuconv_conv_transpose2d_plan(&u.transpose, pass, random.next(), &plan)
                                       : jcuconv_conv2d_plan(&u.conv, pass, random.next(), &plan);
        CHECK((status == JCUCONV_OK) == (plan != 0));
        if (status == JCUCONV_OK) {
            ++accepted;
            Arguments nothing{};
            CHECK(jcuconv_execute(plan, nothing.data(), JCUCONV_ARG_COUNT, {}, nullptr) != JCUCONV_OK);
            CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
        }
        CHECK(jcuconv_execute(random.next(), nullptr, 0, {}, nullptr) == JCUCONV_INVALID_HANDLE);
    }
    CHECK(accepted > 100);  // else nothing was tested
}

JCUCONV_TEST(threads_share_a_plan) {
    const auto p = small_conv();
    const auto plan = plan_of(p);
    Random random(9);
    const auto xs = random.integers(288, 3), ws = random.integers(288, 3);
    const Expected expected{conv2d_sums({p}, JCUCONV_FPROP, xs, ws, {}).value, {}};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            Tensor x(JCUCONV_F32, 72, 4), w(JCUCONV_F32, 1, 288), y(JCUCONV_F32, 32, 8);
            x.write(xs);
            w.write(ws);
            jcuconv_stream stream = nullptr;
            CHECK(jcuconv_stream_create(&stream) == JCUCONV_OK);
            Arguments t{};
            t[JCUCONV_ARG_X] = x.span(), t[JCUCONV_ARG_W] = w.span(), t[JCUCONV_ARG_Y] = y.span();
            for (int round = 0; round < 20; ++round) {
                CHECK(jcuconv_execute(plan, t.data(), JCUCONV_ARG_COUNT, {}, stream) == JCUCONV_OK);
                CHECK(jcuconv_stream_synchronize(stream) == JCUCONV_OK);
            }
            matches("shared plan", y, expected, JCUCONV_F32);
            CHECK(jcuconv_stream_destroy(stream) == JCUCONV_OK);
        });
    for (auto& thread : threads) thread.join();
    CHECK(jcuconv_plan_destroy(plan) == JCUCONV_OK);
    CHECK(simt::live_allocations() == 0);
}
