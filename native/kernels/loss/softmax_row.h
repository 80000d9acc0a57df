// One row of a softmax, shared by a warp: lane l holds classes l, l + 32, ...
#pragma once

#include "kernels/common/vec.h"
#include "kernels/loss/softmax_cross_entropy.h"

namespace jcuconv {

constexpr int kWarpLanes = 32;
constexpr int kLossWarps = 8;  // rows of a block
constexpr int kLossThreads = kLossWarps * kWarpLanes;

// log(sum of exp(x)), without overflow: the row's maximum is taken off first. Every lane gets the same bits.
template <class T>
JCUCONV_DEVICE float log_sum_exp(const T* row, int classes) {
    const int lane = thread_index() % kWarpLanes;
    // A NaN loses every comparison here, but comes back through the sum.
    float max = to_f32(load_global(row));
    for (int c = lane; c < classes; c += kWarpLanes) {
        const float v = to_f32(load_global(row + c));
        if (v > max) max = v;
    }
#pragma unroll
    for (int mask = kWarpLanes / 2; mask > 0; mask /= 2) {
        const float other = shuffle_xor(max, mask);
        if (other > max) max = other;
    }
    float sum = 0.0f;
    for (int c = lane; c < classes; c += kWarpLanes) sum += exp_f32(to_f32(load_global(row + c)) - max);
#pragma unroll
    for (int mask = kWarpLanes / 2; mask > 0; mask /= 2) sum += shuffle_xor(sum, mask);
    return max + log_f32(sum);
}

// The sum of one value per thread of a block of kLossThreads, in fixed order, for every thread.
struct BlockSum {
    float values[kLossThreads];
};

JCUCONV_DEVICE float block_sum(BlockSum& s, float value) {
    sync_threads();  // the last use of s is over
    s.values[thread_index()] = value;
    sync_threads();
    for (int half = kLossThreads / 2; half > 0; half /= 2) {
        if (thread_index() < half) s.values[thread_index()] += s.values[thread_index() + half];
        sync_threads();
    }
    return s.values[0];
}

// How many rows count, by one block. Sums of ones are exact below 2^24 per thread, that is for 2^32 rows.
JCUCONV_DEVICE float count_rows(BlockSum& s, const SoftmaxGeometry& g, const std::int32_t* labels) {
    float mine = 0.0f;
    for (std::int64_t row = thread_index(); row < g.rows; row += kLossThreads)
        mine += load_global(labels + row) != g.ignore_label ? 1.0f : 0.0f;
    return block_sum(s, mine);
}

}  // namespace jcuconv
