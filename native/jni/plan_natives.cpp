// The natives of io.github.jcuconv.cuda.PlanNatives: each fills the problem struct of its operation.
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "jni/guard.h"
#include "io_github_jcuconv_cuda_PlanNatives.h"

using jcuconv::jni::Library;
using jcuconv::jni::made_by;
using jcuconv::jni::pointer;
using jcuconv::jni::status_of;

#define NATIVE(type, name) JNIEXPORT type JNICALL Java_io_github_jcuconv_cuda_PlanNatives_##name

namespace {

// Makes a plan with one of the C API's functions.
template <class Problem, class Function>
jlong plan(jint library, Function Library::*function, const Problem& problem, jint pass, jlong limit) {
    return made_by<jcuconv_handle>(library, [&](const Library& api, jcuconv_handle* handle) {
        return (api.*function)(&problem, static_cast<jcuconv_pass>(pass), static_cast<std::uint64_t>(limit), handle);
    });
}

// Four bits a step, as PlanNatives packs them.
void unpack(jint packed, std::int32_t (&epilogue)[JCUCONV_EPILOGUE_STEPS]) {
    for (int i = 0; i < JCUCONV_EPILOGUE_STEPS; ++i) epilogue[i] = packed >> (4 * i) & 15;
}

}  // namespace

extern "C" {

NATIVE(jlong, conv2d)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jint n, jint h, jint w, jint c, jint k, jint r, jint s,
                      jint pad_top, jint pad_bottom, jint pad_left, jint pad_right, jint stride_h, jint stride_w, jint dilation_h,
                      jint dilation_w, jint groups, jint type, jint epilogue, jboolean dbias, jboolean accumulate, jint math, jint pool_h,
                      jint pool_w, jboolean y_f32, jint choice) {
    jcuconv_conv2d problem{n, h, w, c, k, r, s, pad_top, pad_bottom, pad_left, pad_right, stride_h, stride_w, dilation_h, dilation_w,
                           groups, 0, 0, type, 0, {}, accumulate, dbias, math, pool_h, pool_w, y_f32, choice};
    unpack(epilogue, problem.epilogue);
    return plan(library, &Library::jcuconv_conv2d_plan, problem, pass, limit);
}

NATIVE(jlong, convTranspose2d)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jint n, jint h, jint w, jint c, jint k, jint r,
                               jint s, jint pad_top, jint pad_bottom, jint pad_left, jint pad_right, jint stride_h, jint stride_w,
                               jint dilation_h, jint dilation_w, jint extra_h, jint extra_w, jint groups, jint type, jint epilogue,
                               jboolean dbias, jboolean accumulate, jint math, jint choice) {
    jcuconv_conv_transpose2d problem{n, h, w, c, k, r, s, pad_top, pad_bottom, pad_left, pad_right, stride_h, stride_w, dilation_h,
                                     dilation_w, extra_h, extra_w, groups, 0, 0, type, 0, {}, accumulate, dbias, math, choice};
    unpack(epilogue, problem.epilogue);
    return plan(library, &Library::jcuconv_conv_transpose2d_plan, problem, pass, limit);
}

NATIVE(jlong, dense)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jint n, jint c, jint k, jint type, jint epilogue,
                     jboolean dbias, jboolean accumulate, jint math, jboolean y_f32,
                      jint choice) {
    jcuconv_dense problem{n, c, k, type, 0, {}, accumulate, dbias, math, y_f32, choice};
    unpack(epilogue, problem.epilogue);
    return plan(library, &Library::jcuconv_dense_plan, problem, pass, limit);
}

NATIVE(jlong, pool2d)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jboolean max, jint n, jint h, jint w, jint c, jint r,
                      jint s, jint pad_top, jint pad_bottom, jint pad_left, jint pad_right, jint stride_h, jint stride_w,
                      jint dilation_h, jint dilation_w, jboolean ceil, jboolean argmax, jboolean count_padding, jint type) {
    const jcuconv_pool2d problem{n, h, w, c, r, s, pad_top, pad_bottom, pad_left, pad_right, stride_h, stride_w, dilation_h,
                                 dilation_w, ceil, argmax, count_padding, 0, 0, type, 0};
    return plan(library, max ? &Library::jcuconv_max_pool2d_plan : &Library::jcuconv_avg_pool2d_plan, problem, pass, limit);
}

NATIVE(jlong, lrn)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jlong pixels, jint c, jint size, jfloat alpha, jfloat beta,
                   jfloat k, jboolean alpha_over_size, jboolean save, jint type) {
    const jcuconv_lrn problem{pixels, c, size, alpha, beta, k, alpha_over_size, save, 0, 0, type, 0};
    return plan(library, &Library::jcuconv_lrn_plan, problem, pass, limit);
}

NATIVE(jlong, batchNorm)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jlong pixels, jint c, jfloat eps, jfloat momentum,
                         jboolean training, jint type) {
    const jcuconv_batch_norm problem{pixels, c, training, eps, momentum, 0, 0, type, 0};
    return plan(library, &Library::jcuconv_batch_norm_plan, problem, pass, limit);
}

NATIVE(jlong, dropout)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jint n, jint c, jint pixels, jfloat rate, jint layer,
                       jint type) {
    const jcuconv_dropout problem{n, pixels, c, layer, rate, type, 0};
    return plan(library, &Library::jcuconv_dropout_plan, problem, pass, limit);
}

NATIVE(jlong, activation)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jlong count, jint kind, jint type) {
    const jcuconv_activation problem{count, kind, type, 0};
    return plan(library, &Library::jcuconv_activation_plan, problem, pass, limit);
}

NATIVE(jlong, softmaxCrossEntropy)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jlong rows, jint classes,
                                   jint ignore_label, jint type) {
    const jcuconv_softmax_cross_entropy problem{rows, classes, ignore_label, type, 0};
    return plan(library, &Library::jcuconv_softmax_cross_entropy_plan, problem, pass, limit);
}

NATIVE(jlong, add)(JNIEnv*, jclass, jint library, jlong limit, jlong count, jint type) {
    const jcuconv_add problem{count, type, 0};
    return plan(library, &Library::jcuconv_add_plan, problem, JCUCONV_FPROP, limit);
}

NATIVE(jlong, concat)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jlong pixels, jint c, jint channels, jint offset,
                      jint type) {
    const jcuconv_concat problem{pixels, c, channels, offset, 0, 0, type, 0};
    return plan(library, &Library::jcuconv_concat_plan, problem, pass, limit);
}

NATIVE(jlong, channelScale)(JNIEnv*, jclass, jint library, jint pass, jlong limit, jint n, jint c, jint pixels, jint type) {
    const jcuconv_channel_scale problem{n, pixels, c, type, 0};
    return plan(library, &Library::jcuconv_channel_scale_plan, problem, pass, limit);
}

NATIVE(jlong, reorder)(JNIEnv*, jclass, jint library, jlong limit, jint n, jint pixels, jint c, jint x_layout, jint y_layout,
                       jint x_type, jint y_type) {
    const jcuconv_reorder problem{n, pixels, c, x_layout, y_layout, x_type, y_type};
    return plan(library, &Library::jcuconv_reorder_plan, problem, JCUCONV_FPROP, limit);
}

NATIVE(jlong, finiteCheck)(JNIEnv*, jclass, jint library, jlong limit, jlong count, jint type) {
    const jcuconv_finite_check problem{count, type, 0};
    return plan(library, &Library::jcuconv_finite_check_plan, problem, JCUCONV_FPROP, limit);
}

NATIVE(jlong, optimizer)(JNIEnv*, jclass, jint library, jlong limit, jlong count, jint kind, jint storage) {
    const jcuconv_optimizer problem{count, kind, storage};
    return plan(library, &Library::jcuconv_optimizer_plan, problem, JCUCONV_FPROP, limit);
}

NATIVE(jlong, stepControl)(JNIEnv*, jclass, jint library, jlong limit, jint rates, jint rows, jboolean loss_scaling,
                           jint growth_interval) {
    const jcuconv_step_control problem{rates, rows, loss_scaling, growth_interval};
    return plan(library, &Library::jcuconv_step_control_plan, problem, JCUCONV_FPROP, limit);
}

NATIVE(jlong, workspace)(JNIEnv*, jclass, jint library, jlong handle) {
    return made_by<std::uint64_t>(library, [&](const Library& api, std::uint64_t* bytes) {
        return api.jcuconv_plan_workspace(static_cast<jcuconv_handle>(handle), bytes);
    });
}

NATIVE(jstring, describe)(JNIEnv* env, jclass, jint library, jlong handle) {
    char text[512] = "";
    status_of(library, [&](const Library& api) {
        return api.jcuconv_plan_describe(static_cast<jcuconv_handle>(handle), text, sizeof text);
    });
    return env->NewStringUTF(text);
}

NATIVE(jstring, explain)(JNIEnv* env, jclass, jint library, jlong handle) {
    char text[512] = "";
    status_of(library, [&](const Library& api) {
        return api.jcuconv_plan_explain(static_cast<jcuconv_handle>(handle), text, sizeof text);
    });
    return env->NewStringUTF(text);
}

NATIVE(jlong, choices)(JNIEnv*, jclass, jint library, jlong handle) {
    return made_by<std::uint32_t>(library, [&](const Library& api, std::uint32_t* count) {
        return api.jcuconv_plan_choices(static_cast<jcuconv_handle>(handle), count);
    });
}

NATIVE(jint, execute)(JNIEnv* env, jclass, jint library, jlong handle, jlongArray table, jlong workspace, jlong workspace_bytes,
                      jlong stream) {
    static_assert(sizeof(jcuconv_span) == 2 * sizeof(jlong), "the table of Java is the array of spans");
    jcuconv_span spans[JCUCONV_ARG_COUNT];
    const bool whole = table != nullptr && env->GetArrayLength(table) == 2 * JCUCONV_ARG_COUNT;
    if (whole) env->GetLongArrayRegion(table, 0, 2 * JCUCONV_ARG_COUNT, reinterpret_cast<jlong*>(spans));
    const jcuconv_span scratch{pointer(workspace), static_cast<std::uint64_t>(workspace_bytes)};
    return status_of(library, [&](const Library& api) {
        if (!whole) return JCUCONV_INVALID_ARGUMENTS;
        return api.jcuconv_execute(static_cast<jcuconv_handle>(handle), spans, JCUCONV_ARG_COUNT, scratch, pointer(stream));
    });
}

NATIVE(jint, destroy)(JNIEnv*, jclass, jint library, jlong handle) {
    return status_of(library, [&](const Library& api) { return api.jcuconv_plan_destroy(static_cast<jcuconv_handle>(handle)); });
}
}
