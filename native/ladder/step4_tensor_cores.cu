// Step 4: a warp multiplies 16 x 8 x 16 elements in one instruction.
//
// Tensor cores take fp16 operands from registers: 4,096 FLOP per instruction and warp instead of 64. ldmatrix brings the operands from shared
// memory in the order that mma wants, 512 bytes per instruction, and no conversion to fp32 is left on the way. Everything else is as
// before, and now everything else is too slow: threads load, wait for each other, multiply, wait again, and the rows of 64 bytes in shared
// memory collide in the banks.
#include "ladder/ladder.h"

using namespace jcuconv;
using jcuconv::ladder::Problem;

namespace {

constexpr int kTile = 64, kDepth = 32, kThreads = 128;  // four warps of 32 x 32

struct Shared {
    alignas(16) f16 a[kTile][kDepth];
    alignas(16) f16 b[kTile][kDepth];
};

JCUCONV_KERNEL(kThreads)
tensor_cores_kernel(const Problem p, const f16* x, const f16* w, f16* y) {
    auto& s = shared<Shared>();
    const std::int64_t first_pixel = std::int64_t{block_index().x} * kTile;
    const int first_filter = static_cast<int>(block_index().y) * kTile;
    const int lane = thread_index() % 32, warp = thread_index() / 32, i0 = warp / 2 * 32, j0 = warp % 2 * 32;
    float sums[2][4][4] = {};
    for (int depth = 0; depth < 9 * p.c; depth += kDepth) {
        for (int e = thread_index(); e < kTile * kDepth; e += kThreads) {
            const int d = e % kDepth, row = e / kDepth, filter = first_filter + row;
            s.a[row][d] = ladder::patch(p, x, first_pixel + row, depth + d);
            s.b[row][d] = filter < p.k && depth + d < 9 * p.c ? load_global(w + filter * 9 * p.c + depth + d) : from_f32<f16>(0.0f);
        }
        sync_threads();
        for (int step = 0; step < kDepth; step += 16) {
            std::uint32_t a[2][4], b[4][2];
            for (int i = 0; i < 2; ++i) ldmatrix(a[i], &s.a[i0 + 16 * i + lane % 16][step + lane / 16 * 8]);
            for (int j = 0; j < 4; ++j) ldmatrix(b[j], &s.b[j0 + 8 * j + lane % 8][step + lane / 8 % 2 * 8]);
            warp_mma<f16>(sums, a, b);
        }
        sync_threads();
    }
    for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 4; ++j)
            for (int e = 0; e < 4; ++e) {
                const std::int64_t pixel = first_pixel + i0 + 16 * i + lane / 4 + e / 2 * 8;
                const int filter = first_filter + j0 + 8 * j + lane % 4 * 2 + e % 2;
                if (pixel < std::int64_t{p.n} * p.h * p.w && filter < p.k) store_global(y + pixel * p.k + filter, from_f32<f16>(sums[i][j][e]));
            }
}

}  // namespace

int main() {
    return ladder::climb("4 tensor cores", "16 x 8 x 16 products per instruction", [](const Problem& p, const f16* x, const f16* w, f16* y, device::Stream stream) {
        const Dim3 grid{static_cast<unsigned>((p.pixels() + kTile - 1) / kTile), static_cast<unsigned>((p.k + kTile - 1) / kTile), 1};
        return launch("tensor_cores", tensor_cores_kernel, grid, kThreads, sizeof(Shared), stream, p, x, w, y);
    });
}
