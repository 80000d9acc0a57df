// Softmax with cross-entropy forward: loss = mean over the rows that count of log(sum of exp(x)) - x[label].
//
// Layouts    x dense [rows][classes] in the storage type, labels [rows] int32, loss [1] and losses [rows] fp32.
// Mapping    First kernel: one warp per row, 8 rows per block. Second kernel: one block adds the rows in fixed order.
// Limits     rows <= 2^31 * 8 - 1.
// Resources  1 KB shared memory in the second kernel. Floor: bytes of x; a row is read twice, the second time from the cache.
// Lost       Adding the losses by atomics: the order of arrival would decide the bits.
#include "core/arithmetic.h"
#include "kernels/common/with_type.h"
#include "kernels/loss/softmax_row.h"

namespace jcuconv {

namespace {

template <class T>
JCUCONV_KERNEL(kLossThreads)
row_losses_kernel(const SoftmaxGeometry g, const T* x, const std::int32_t* labels, float* losses) {
    const std::int64_t row = std::int64_t{block_index().x} * kLossWarps + thread_index() / kWarpLanes;
    if (row >= g.rows) return;  // a whole warp
    const T* logits = x + row * g.classes;
    const float log_sum = log_sum_exp(logits, g.classes);
    if (thread_index() % kWarpLanes != 0) return;
    const int label = load_global(labels + row);
    float loss = 0.0f;
    if (label >= 0 && label < g.classes) {
        loss = log_sum - to_f32(load_global(logits + label));
    } else if (label != g.ignore_label) {
        loss = nan_f32();
    }
    store_global(losses + row, loss);
}

JCUCONV_KERNEL(kLossThreads)
mean_loss_kernel(const SoftmaxGeometry g, const std::int32_t* labels, const float* losses, float* loss) {
    auto& s = shared<BlockSum>();
    const float rows = count_rows(s, g, labels);
    float mine = 0.0f;
    for (std::int64_t row = thread_index(); row < g.rows; row += kLossThreads) mine += load_global(losses + row);
    const float sum = block_sum(s, mine);
    if (thread_index() == 0) store_global(loss, sum / (rows > 1.0f ? rows : 1.0f));
}

}  // namespace

Outcome softmax_cross_entropy_fwd(const SoftmaxGeometry& g, jcuconv_type type, const void* x, const std::int32_t* labels,
                                  float* loss, float* losses, device::Stream stream) {
    const Dim3 grid = {static_cast<unsigned>(ceil_div<std::int64_t>(g.rows, kLossWarps)), 1, 1};
    JCUCONV_TRY(with_type_and_vec(type, 1, [&]<class T, int>() {
        return launch("softmax_row_losses", row_losses_kernel<T>, grid, kLossThreads, 0, stream, g, static_cast<const T*>(x),
                      labels, losses);
    }));
    return launch("softmax_mean_loss", mean_loss_kernel, {1, 1, 1}, kLossThreads, sizeof(BlockSum), stream, g, labels, losses,
                  loss);
}

}  // namespace jcuconv
