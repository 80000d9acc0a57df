// Step 2: a convolution is a matrix product, and a block shares its operands.
//
// Rows are pixels, columns are filters, the depth is (r,s,c): no matrix of patches is ever stored, its elements are looked up ("implicit GEMM").
// A block of 16 x 16 threads computes 16 x 16 outputs and brings 16 depths of both operands to shared memory: each element is loaded once
// per block and used 16 times. Global memory gives 8 FLOP per byte instead of half a one. Now shared memory is the limit: two reads per
// multiply-add.
#include "ladder/ladder.h"

using namespace jcuconv;
using jcuconv::ladder::Problem;

namespace {

constexpr int kTile = 16;

struct Shared {
    float a[kTile][kTile + 1];  // [pixel][depth]; the odd pitch spreads a column over the banks
    float b[kTile][kTile + 1];  // [filter][depth]
};

JCUCONV_KERNEL(kTile * kTile)
shared_kernel(const Problem p, const f16* x, const f16* w, f16* y) {
    auto& s = shared<Shared>();
    const int i = thread_index() / kTile, j = thread_index() % kTile;
    const std::int64_t first_pixel = std::int64_t{block_index().x} * kTile;
    const int first_filter = static_cast<int>(block_index().y) * kTile;
    float sum = 0;
    for (int depth = 0; depth < 9 * p.c; depth += kTile) {
        const int filter = first_filter + i, d = depth + j;
        s.a[i][j] = to_f32(ladder::patch(p, x, first_pixel + i, d));
        s.b[i][j] = filter < p.k && d < 9 * p.c ? to_f32(load_global(w + filter * 9 * p.c + d)) : 0.0f;
        sync_threads();
        for (int e = 0; e < kTile; ++e) sum += s.a[i][e] * s.b[j][e];
        sync_threads();  // before the next depths overwrite these
    }
    const std::int64_t pixel = first_pixel + i;
    if (pixel < std::int64_t{p.n} * p.h * p.w && first_filter + j < p.k) store_global(y + pixel * p.k + first_filter + j, from_f32<f16>(sum));
}

}  // namespace

int main() {
    return ladder::climb("2 shared memory", "16 x 16 outputs share what they read", [](const Problem& p, const f16* x, const f16* w, f16* y, device::Stream stream) {
        const Dim3 grid{static_cast<unsigned>((p.pixels() + kTile - 1) / kTile), static_cast<unsigned>((p.k + kTile - 1) / kTile), 1};
        return launch("shared", shared_kernel, grid, kTile * kTile, sizeof(Shared), stream, p, x, w, y);
    });
}
