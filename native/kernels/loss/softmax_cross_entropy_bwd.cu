// Softmax with cross-entropy backward: dx = loss_scale * (softmax(x) - onehot(label)) / rows that count; 0 in ignored rows.
//
// Layouts    x, dx dense [rows][classes] in the storage type, labels [rows] int32, loss_scale [1] and counted [1] fp32.
// Mapping    First kernel: one block counts the rows. Second kernel: one warp per row, 8 rows per block.
// Limits     rows <= 2^31 * 8 - 1.
// Resources  1 KB shared memory in the first kernel. Floor: bytes of x + dx; a row is read three times, twice from the cache.
// Lost       Counting on the host: the labels are already on the device, and a host decision would break a CUDA graph.
#include "core/arithmetic.h"
#include "kernels/common/with_type.h"
#include "kernels/loss/softmax_row.h"

namespace jcuconv {

namespace {

JCUCONV_KERNEL(kLossThreads)
count_rows_kernel(const SoftmaxGeometry g, const std::int32_t* labels, float* counted) {
    const float rows = count_rows(shared<BlockSum>(), g, labels);
    if (thread_index() == 0) store_global(counted, rows > 1.0f ? rows : 1.0f);
}

template <class T>
JCUCONV_KERNEL(kLossThreads)
row_gradients_kernel(const SoftmaxGeometry g, const T* x, const std::int32_t* labels, const float* loss_scale,
                     const float* counted, T* dx) {
    const std::int64_t row = std::int64_t{block_index().x} * kLossWarps + thread_index() / kWarpLanes;
    if (row >= g.rows) return;  // a whole warp
    const T* logits = x + row * g.classes;
    T* gradients = dx + row * g.classes;
    const float log_sum = log_sum_exp(logits, g.classes);
    const float factor = load_global(loss_scale) / load_global(counted);
    const int label = load_global(labels + row);
    const bool valid = label >= 0 && label < g.classes;
    for (int c = thread_index() % kWarpLanes; c < g.classes; c += kWarpLanes) {
        float gradient = 0.0f;
        if (valid) {
            gradient = factor * (exp_f32(to_f32(load_global(logits + c)) - log_sum) - (c == label ? 1.0f : 0.0f));
        } else if (label != g.ignore_label) {
            gradient = nan_f32();
        }
        store_global(gradients + c, from_f32<T>(gradient));
    }
}

}  // namespace

Outcome softmax_cross_entropy_bwd(const SoftmaxGeometry& g, jcuconv_type type, const void* x, const std::int32_t* labels,
                                  const float* loss_scale, void* dx, float* counted, device::Stream stream) {
    JCUCONV_TRY(launch("softmax_count_rows", count_rows_kernel, {1, 1, 1}, kLossThreads, sizeof(BlockSum), stream, g, labels,
                       counted));
    const Dim3 grid = {static_cast<unsigned>(ceil_div<std::int64_t>(g.rows, kLossWarps)), 1, 1};
    return with_type_and_vec(type, 1, [&]<class T, int>() {
        return launch("softmax_row_gradients", row_gradients_kernel<T>, grid, kLossThreads, 0, stream, g,
                      static_cast<const T*>(x), labels, loss_scale, counted, static_cast<T*>(dx));
    });
}

}  // namespace jcuconv
