/* The C API of JCuConv's kernels. Every function returns a status; jcuconv_last_message() explains the last failure of the
 * calling thread in one line. Plans may be used by any number of threads at once. Nothing here synchronises except
 * jcuconv_stream_synchronize and jcuconv_stream_destroy, and jcuconv_execute allocates no device memory. */
#ifndef JCUCONV_JCUCONV_H
#define JCUCONV_JCUCONV_H

#include "jcuconv/arg.h"
#include "jcuconv/problem.h"
#include "jcuconv/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A plan. Never a pointer: an index and a generation, so that a closed or invented handle is recognised. 0 is no handle. */
typedef uint64_t jcuconv_handle;

/* A cudaStream_t; null is the default stream. */
typedef void* jcuconv_stream;

/* Device memory that the caller owns. */
typedef struct jcuconv_span {
    void* address;
    uint64_t bytes;
} jcuconv_span;

/* Plan creation validates the problem (operations without a backward pass take JCUCONV_FPROP), chooses kernels within `workspace_limit` bytes and returns a handle in `plan`. */
jcuconv_status jcuconv_conv2d_plan(const jcuconv_conv2d* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                   jcuconv_handle* plan);
jcuconv_status jcuconv_conv_transpose2d_plan(const jcuconv_conv_transpose2d* problem, jcuconv_pass pass,
                                             uint64_t workspace_limit, jcuconv_handle* plan);

jcuconv_status jcuconv_dense_plan(const jcuconv_dense* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                  jcuconv_handle* plan);
jcuconv_status jcuconv_reorder_plan(const jcuconv_reorder* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                    jcuconv_handle* plan);
jcuconv_status jcuconv_max_pool2d_plan(const jcuconv_pool2d* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                       jcuconv_handle* plan);
jcuconv_status jcuconv_avg_pool2d_plan(const jcuconv_pool2d* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                       jcuconv_handle* plan);
jcuconv_status jcuconv_lrn_plan(const jcuconv_lrn* problem, jcuconv_pass pass, uint64_t workspace_limit, jcuconv_handle* plan);
jcuconv_status jcuconv_activation_plan(const jcuconv_activation* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                       jcuconv_handle* plan);
jcuconv_status jcuconv_add_plan(const jcuconv_add* problem, jcuconv_pass pass, uint64_t workspace_limit, jcuconv_handle* plan);
jcuconv_status jcuconv_softmax_cross_entropy_plan(const jcuconv_softmax_cross_entropy* problem, jcuconv_pass pass,
                                                  uint64_t workspace_limit, jcuconv_handle* plan);
jcuconv_status jcuconv_optimizer_plan(const jcuconv_optimizer* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                      jcuconv_handle* plan);

/* Bytes of workspace that each execution needs; 0 is common. The workspace is 256-byte aligned, its contents are undefined
 * before and after, and executions that may overlap in time need one each. */
jcuconv_status jcuconv_plan_workspace(jcuconv_handle plan, uint64_t* bytes);

/* Writes one line about what the plan runs, cut to `capacity` bytes with the final zero. */
jcuconv_status jcuconv_plan_describe(jcuconv_handle plan, char* text, uint64_t capacity);

/* Checks the tensors against the plan and queues its kernels on the stream. `arguments` is indexed by jcuconv_arg and holds
 * `count` spans; a plan looks at those it needs and ignores the rest. */
jcuconv_status jcuconv_execute(jcuconv_handle plan, const jcuconv_span* arguments, uint32_t count, jcuconv_span workspace,
                               jcuconv_stream stream);

/* Executions already queued are not disturbed. */
jcuconv_status jcuconv_plan_destroy(jcuconv_handle plan);

/* Device memory and streams, for callers that bring none of their own. Copies read and write host memory when the stream
 * reaches them: leave it alone until the stream was synchronised. */
jcuconv_status jcuconv_malloc(uint64_t bytes, void** address);
jcuconv_status jcuconv_free(void* address);
jcuconv_status jcuconv_copy_to_device(void* to, const void* from, uint64_t bytes, jcuconv_stream stream);
jcuconv_status jcuconv_copy_to_host(void* to, const void* from, uint64_t bytes, jcuconv_stream stream);
jcuconv_status jcuconv_copy_on_device(void* to, const void* from, uint64_t bytes, jcuconv_stream stream);
jcuconv_status jcuconv_fill(void* to, uint8_t value, uint64_t bytes, jcuconv_stream stream);
jcuconv_status jcuconv_stream_create(jcuconv_stream* stream);
jcuconv_status jcuconv_stream_destroy(jcuconv_stream stream);
jcuconv_status jcuconv_stream_synchronize(jcuconv_stream stream);

/* The text of the calling thread's last failure. Never null; valid until the thread's next failure. */
const char* jcuconv_last_message(void);

#ifdef __cplusplus
}
#endif

#endif
