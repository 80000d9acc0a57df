// The builds of the C API that this process has opened. Each is loaded for itself, so that its symbols never mix with another's.
#pragma once

#include "jcuconv/jcuconv.h"

namespace jcuconv::jni {

// Every function that the glue calls.
#define JCUCONV_JNI_FUNCTIONS(X)                                                                                              \
    X(jcuconv_version) X(jcuconv_last_message)                                                                                \
    X(jcuconv_device_count) X(jcuconv_device_describe) X(jcuconv_memory_info)                                                 \
    X(jcuconv_malloc) X(jcuconv_free) X(jcuconv_malloc_host) X(jcuconv_free_host) X(jcuconv_wrap) X(jcuconv_unwrap)           \
    X(jcuconv_copy_to_device) X(jcuconv_copy_to_host) X(jcuconv_copy_on_device) X(jcuconv_fill)                               \
    X(jcuconv_stream_create) X(jcuconv_stream_wrap) X(jcuconv_stream_destroy) X(jcuconv_stream_synchronize)                   \
    X(jcuconv_stream_wait_event) X(jcuconv_stream_native)                                                                     \
    X(jcuconv_event_create) X(jcuconv_event_record) X(jcuconv_event_synchronize) X(jcuconv_event_elapsed)                     \
    X(jcuconv_event_destroy)                                                                                                  \
    X(jcuconv_graph_begin) X(jcuconv_graph_end) X(jcuconv_graph_launch) X(jcuconv_graph_destroy)                              \
    X(jcuconv_conv2d_plan) X(jcuconv_conv_transpose2d_plan) X(jcuconv_dense_plan) X(jcuconv_reorder_plan)                     \
    X(jcuconv_max_pool2d_plan) X(jcuconv_avg_pool2d_plan) X(jcuconv_lrn_plan) X(jcuconv_batch_norm_plan)                      \
    X(jcuconv_dropout_plan) X(jcuconv_activation_plan) X(jcuconv_add_plan) X(jcuconv_concat_plan)                             \
    X(jcuconv_channel_scale_plan)                                                                                             \
    X(jcuconv_softmax_cross_entropy_plan) X(jcuconv_finite_check_plan) X(jcuconv_optimizer_plan) X(jcuconv_step_control_plan) \
    X(jcuconv_plan_workspace) X(jcuconv_plan_describe) X(jcuconv_plan_explain) X(jcuconv_plan_choices) X(jcuconv_execute)       \
    X(jcuconv_plan_destroy)

struct Library {
#define JCUCONV_JNI_MEMBER(name) decltype(&::name) name;
    JCUCONV_JNI_FUNCTIONS(JCUCONV_JNI_MEMBER)
#undef JCUCONV_JNI_MEMBER
};

// Opens a build by its absolute path; its number, or -1 with the reason in `open_error`.
int open_library(const char* path) noexcept;
const char* open_error() noexcept;

// Null if there is no such number.
const Library* find_library(int number) noexcept;

}  // namespace jcuconv::jni
