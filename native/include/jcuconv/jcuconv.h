/* The C API of JCuConv's kernels. Every function but the two that return text and jcuconv_version() returns a status;
 * jcuconv_last_message() explains the last failure of the calling thread in one line. Any thread may call anything at any time.
 *
 * Every argument is checked: null, closed, stale, invented and misplaced values get a status. Only four things are taken on trust,
 * because nobody can check them: results and texts go to writable memory of the promised size, problems and arrays of spans are
 * readable, host memory of a copy is as long as the copy and lives until the stream has reached it, and what jcuconv_stream_wrap
 * gets is a stream of the driver.
 *
 * Nothing here waits for the device except the functions named synchronize, destroying a stream or a graph, and freeing memory. */
#ifndef JCUCONV_JCUCONV_H
#define JCUCONV_JCUCONV_H

#include "jcuconv/arg.h"
#include "jcuconv/problem.h"
#include "jcuconv/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a shared library exports: this header and jcuconv_status_name(). */
#pragma GCC visibility push(default)

/* Version of this header: 10000 * major + 100 * minor + patch. jcuconv_version() tells that of the library. */
#define JCUCONV_VERSION 100
uint32_t jcuconv_version(void);

/* A plan, an event or a graph. Never a pointer: kind, generation and index, so that a closed or invented handle is recognised, and
 * one of another kind. 0 is no handle. */
typedef uint64_t jcuconv_handle;

/* A handle too, of the size of a pointer; null is the default stream of the device. It is not a cudaStream_t: see
 * jcuconv_stream_wrap. */
typedef void* jcuconv_stream;

/* A part of device memory that jcuconv_malloc gave or jcuconv_wrap took. */
typedef struct jcuconv_span {
    void* address;
    uint64_t bytes;
} jcuconv_span;

/* Plan creation validates the problem (operations without a backward pass take JCUCONV_FPROP), chooses kernels within
 * `workspace_limit` bytes and returns a handle in `plan`. Plans may be used by any number of threads and streams at once. */
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
jcuconv_status jcuconv_batch_norm_plan(const jcuconv_batch_norm* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                       jcuconv_handle* plan);
jcuconv_status jcuconv_dropout_plan(const jcuconv_dropout* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                    jcuconv_handle* plan);
jcuconv_status jcuconv_finite_check_plan(const jcuconv_finite_check* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                         jcuconv_handle* plan);
jcuconv_status jcuconv_concat_plan(const jcuconv_concat* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                   jcuconv_handle* plan);
jcuconv_status jcuconv_channel_scale_plan(const jcuconv_channel_scale* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                          jcuconv_handle* plan);
jcuconv_status jcuconv_step_control_plan(const jcuconv_step_control* problem, jcuconv_pass pass, uint64_t workspace_limit,
                                         jcuconv_handle* plan);

/* Bytes of workspace that each execution needs; 0 is common. The workspace is 256-byte aligned, its contents are undefined
 * before and after, and executions that may overlap in time need one each. */
jcuconv_status jcuconv_plan_workspace(jcuconv_handle plan, uint64_t* bytes);

/* Writes one line about what the plan runs, cut to `capacity` bytes with the final zero. */
jcuconv_status jcuconv_plan_describe(jcuconv_handle plan, char* text, uint64_t capacity);

/* Writes one line about why the plan runs this kernel and no other, and what it should cost; empty where there is one kernel only. */
jcuconv_status jcuconv_plan_explain(jcuconv_handle plan, char* text, uint64_t capacity);

/* How many choices (jcuconv_conv2d) the plan's problem has on this device, within the plan's workspace limit; 0 where there is nothing to
 * choose. A plan of choice 1 .. count tells by jcuconv_plan_describe what it is. */
jcuconv_status jcuconv_plan_choices(jcuconv_handle plan, uint32_t* count);

/* Checks the tensors against the plan and queues its kernels on the stream. `arguments` is indexed by jcuconv_arg and holds
 * `count` spans; a plan looks at those it needs and ignores the rest. */
jcuconv_status jcuconv_execute(jcuconv_handle plan, const jcuconv_span* arguments, uint32_t count, jcuconv_span workspace,
                               jcuconv_stream stream);

/* Executions already queued are not disturbed. */
jcuconv_status jcuconv_plan_destroy(jcuconv_handle plan);

/* Devices. All calls work on the device that is current in the calling thread, and leave it and the runtime's last error as they
 * were. `describe` writes one line: name, compute capability, memory, versions of driver and runtime. */
jcuconv_status jcuconv_device_count(int* count);
jcuconv_status jcuconv_device_describe(char* text, uint64_t capacity);
jcuconv_status jcuconv_memory_info(uint64_t* free_bytes, uint64_t* total_bytes);

/* Device memory, aligned to 256 bytes; 0 bytes are null. Freeing null does nothing. Memory that a capture or a graph refers to cannot
 * be freed before the graph is destroyed, and memory with a wrapped part not before the part is unwrapped. */
jcuconv_status jcuconv_malloc(uint64_t bytes, void** address);
jcuconv_status jcuconv_free(void* address);

/* Pinned host memory: what copies are fastest with, and the only host memory that a captured copy may touch. */
jcuconv_status jcuconv_malloc_host(uint64_t bytes, void** address);
jcuconv_status jcuconv_free_host(void* address);

/* Admits device memory of the caller's. The driver is asked here, once; from then on addresses are compared as numbers, so whoever
 * frees the memory unwraps it first. Parts of larger allocations are welcome, and so are overlapping ones. The same address may be
 * wrapped several times; it counts with the largest of its sizes until it was unwrapped as often. */
jcuconv_status jcuconv_wrap(void* address, uint64_t bytes);
jcuconv_status jcuconv_unwrap(void* address);

/* Copies and fills of memory that was allocated or wrapped; 0 bytes do nothing. Copies read and write host memory when the stream
 * reaches them: leave it alone until the stream, or an event recorded behind the copy, was synchronised. */
jcuconv_status jcuconv_copy_to_device(void* to, const void* from, uint64_t bytes, jcuconv_stream stream);
jcuconv_status jcuconv_copy_to_host(void* to, const void* from, uint64_t bytes, jcuconv_stream stream);
jcuconv_status jcuconv_copy_on_device(void* to, const void* from, uint64_t bytes, jcuconv_stream stream);
jcuconv_status jcuconv_fill(void* to, uint8_t value, uint64_t bytes, jcuconv_stream stream);

/* Streams. Those made here wait for no other stream unasked, not for the default stream either. `wrap` admits a stream of the caller's (a cudaStream_t, which
 * outlives the handle), `native` tells what the driver calls a stream. `destroy` waits for the work of our own streams, closes them
 * even if that work failed, and reports the failure; of a wrapped stream it closes the handle only. */
jcuconv_status jcuconv_stream_create(jcuconv_stream* stream);
jcuconv_status jcuconv_stream_wrap(void* cuda_stream, jcuconv_stream* stream);
jcuconv_status jcuconv_stream_native(jcuconv_stream stream, void** cuda_stream);
jcuconv_status jcuconv_stream_destroy(jcuconv_stream stream);
jcuconv_status jcuconv_stream_synchronize(jcuconv_stream stream);

/* Events. An event stands for the work that its stream held when it was recorded last; waiting for one that never was is no wait. */
jcuconv_status jcuconv_event_create(jcuconv_handle* event);
jcuconv_status jcuconv_event_destroy(jcuconv_handle event);
jcuconv_status jcuconv_event_record(jcuconv_handle event, jcuconv_stream stream);
jcuconv_status jcuconv_event_synchronize(jcuconv_handle event);
/* Waits for both; the device's time from one to the other, 0 if `to` happened first. An event that was recorded last in a capture, or
 * never, is INVALID_HANDLE. */
jcuconv_status jcuconv_event_elapsed(jcuconv_handle from, jcuconv_handle to, uint64_t* nanoseconds);
jcuconv_status jcuconv_stream_wait_event(jcuconv_stream stream, jcuconv_handle event);

/* Graphs. Between `begin` and `end`, called by one thread, work queued on the stream is recorded with its arguments as they are and
 * does not run. A stream that waits for an event recorded in the capture joins it, and must be joined back the same way before `end`.
 * Meanwhile the thread must not allocate, free or synchronise, and a captured copy takes host memory from jcuconv_malloc_host only.
 * A call that breaks these rules breaks the capture: `end` then fails, and the streams are ordinary again. A graph does not need the
 * plans, streams and events that went into it; it does need the memory. Launches of one graph run one after another. Destroying it
 * waits for the last of them. */
jcuconv_status jcuconv_graph_begin(jcuconv_stream stream);
jcuconv_status jcuconv_graph_end(jcuconv_stream stream, jcuconv_handle* graph);
jcuconv_status jcuconv_graph_launch(jcuconv_handle graph, jcuconv_stream stream);
jcuconv_status jcuconv_graph_destroy(jcuconv_handle graph);

/* The text of the calling thread's last failure. Never null; valid until the thread's next failure. */
const char* jcuconv_last_message(void);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
