// Adds the partial results of a split reduction in fixed order, so that equal inputs give equal bits.
//
// Layouts    workspace [splits][count], out [count], fp32.
// Mapping    One thread per element; neighbours in a warp read neighbours in memory.
// Limits     count < 2^31 * 256.
// Resources  No shared memory. Floor: (splits + 1) * 4 * count bytes.
// Lost       Floating-point atomics into out: no workspace, but the order of arrival would decide the bits. The last block to
//            arrive adding the parts: saves a launch, but needs a counter that somebody has to reset.
#include "kernels/common/split_sums.h"

#include "heuristics/conv2d_launch.h"
#include "heuristics/kernel_budget.h"
#include "kernels/common/grid.h"
#include "primitives/primitives.h"

namespace jcuconv {

namespace {

constexpr int kThreads = kernel_budget("add_split_sums").threads;

JCUCONV_KERNEL(kThreads)
add_split_sums_kernel(const float* workspace, int splits, std::int64_t count, float* out, bool accumulate) {
    const std::int64_t i = std::int64_t{block_index().x} * kThreads + thread_index();
    if (i >= count) return;
    float sum = 0.0f;
    for (int split = 0; split < splits; ++split) sum += load_global(workspace + split * count + i);
    if (accumulate) sum += load_global(out + i);
    store_global(out + i, sum);
}

}  // namespace

Outcome add_split_sums(const float* workspace, int splits, std::int64_t count, float* out, bool accumulate,
                       device::Stream stream) {
    const LaunchShape shape = split_sums_launch(count);
    return launch("add_split_sums", add_split_sums_kernel, grid_of(shape), shape.threads, shape.shared_bytes, stream, workspace,
                  splits, count, out, accumulate);
}

}  // namespace jcuconv
