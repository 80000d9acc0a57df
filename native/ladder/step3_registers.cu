// Step 3: a thread keeps a small tile of sums in registers.
//
// Of what it reads from shared memory a thread uses every value of a for every value of b: 4 + 4 reads make 16 multiply-adds, half a read
// each instead of two. The tile of a block grows to 64 x 64 without more threads, so global memory gives 32 FLOP per byte. This is the
// shape of the exact fp32 kernels of this library (kernels/common/gemm_tile.h), which add a second buffer, vector loads and larger tiles.
#include "ladder/ladder.h"

using namespace jcuconv;
using jcuconv::ladder::Problem;

namespace {

constexpr int kTile = 64, kDepth = 16, kThreads = 256, kPer = 4;

struct Shared {
    float a[kDepth][kTile];
    float b[kDepth][kTile];
};

JCUCONV_KERNEL(kThreads)
registers_kernel(const Problem p, const f16* x, const f16* w, f16* y) {
    auto& s = shared<Shared>();
    const std::int64_t first_pixel = std::int64_t{block_index().x} * kTile;
    const int first_filter = static_cast<int>(block_index().y) * kTile;
    const int i0 = thread_index() / 16 * kPer, j0 = thread_index() % 16 * kPer;
    float sums[kPer][kPer] = {};
    for (int depth = 0; depth < 9 * p.c; depth += kDepth) {
        for (int e = thread_index(); e < kTile * kDepth; e += kThreads) {
            const int d = e % kDepth, row = e / kDepth, filter = first_filter + row;
            s.a[d][row] = to_f32(ladder::patch(p, x, first_pixel + row, depth + d));
            s.b[d][row] = filter < p.k && depth + d < 9 * p.c ? to_f32(load_global(w + filter * 9 * p.c + depth + d)) : 0.0f;
        }
        sync_threads();
        for (int d = 0; d < kDepth; ++d)
            for (int i = 0; i < kPer; ++i)
                for (int j = 0; j < kPer; ++j) sums[i][j] += s.a[d][i0 + i] * s.b[d][j0 + j];
        sync_threads();
    }
    for (int i = 0; i < kPer; ++i)
        for (int j = 0; j < kPer; ++j) {
            const std::int64_t pixel = first_pixel + i0 + i;
            const int filter = first_filter + j0 + j;
            if (pixel < std::int64_t{p.n} * p.h * p.w && filter < p.k) store_global(y + pixel * p.k + filter, from_f32<f16>(sums[i][j]));
        }
}

}  // namespace

int main() {
    return ladder::climb("3 registers", "4 x 4 sums per thread", [](const Problem& p, const f16* x, const f16* w, f16* y, device::Stream stream) {
        const Dim3 grid{static_cast<unsigned>((p.pixels() + kTile - 1) / kTile), static_cast<unsigned>((p.k + kTile - 1) / kTile), 1};
        return launch("registers", registers_kernel, grid, kThreads, sizeof(Shared), stream, p, x, w, y);
    });
}
