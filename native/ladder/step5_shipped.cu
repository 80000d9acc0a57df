// Step 5: the kernel that ships, kernels/conv2d/conv2d_fprop_mma_gemm.cu.
//
// What it adds to step 4, one idea per line:
//   * cp.async copies 16 bytes straight to shared memory, three stages deep: while one slab is multiplied, two are on their way, and one
//     barrier per slab is left of two.
//   * Chunks of 16 bytes are permuted within a row ("swizzled"): ldmatrix meets no bank twice, without padding.
//   * Where a tap lies is worked out once per slab and thread by additions; no division is left in the loop.
//   * A warp owns 64 x 64 sums where the layer is large enough: half the shared-memory reads per FLOP of 32 x 32.
//   * Sums leave through shared memory in stores of 16 bytes, with bias, residual and activation on the way.
#include "heuristics/conv2d_config.h"
#include "kernels/conv2d/conv2d.h"
#include "ladder/ladder.h"

using namespace jcuconv;
using jcuconv::ladder::Problem;

int main() {
    return ladder::climb("5 shipped", "stages, swizzle, no divisions, wide stores", [](const Problem& p, const f16* x, const f16* w, f16* y, device::Stream stream) {
        const Conv2dGeometry g{p.n, p.h, p.w, p.c, p.k, 3, 3, p.h, p.w, 1, 1, 1, 1, 1, 1, 1, p.c, p.k, p.c, p.k};
        const Conv2dConfig config = choose_conv2d({g, JCUCONV_F16, JCUCONV_FPROP, 16, 0});
        return conv2d_fprop(g, JCUCONV_F16, config, x, w, y, Conv2dEpilogue{}, stream);
    });
}
