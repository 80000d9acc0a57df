// Step 1: one thread per output, as the formula stands.
//
// A thread reads 9 c elements of x and 9 c of w for 18 c FLOP: half a FLOP per byte. Caches catch most of it, and still the kernel waits for
// loads: two per multiply-add. Expect a few hundred GFLOP/s from a GPU that can do hundreds of TFLOP/s.
#include "ladder/ladder.h"

using namespace jcuconv;
using jcuconv::ladder::Problem;

namespace {

JCUCONV_KERNEL(256)
naive_kernel(const Problem p, const f16* x, const f16* w, f16* y) {
    const std::int64_t i = std::int64_t{block_index().x} * 256 + thread_index();
    if (i >= std::int64_t{p.n} * p.h * p.w * p.k) return;
    const int k = static_cast<int>(i % p.k);
    const std::int64_t pixel = i / p.k, line = pixel / p.w, image = line / p.h;
    float sum = 0;
    for (int r = 0; r < 3; ++r)
        for (int s = 0; s < 3; ++s) {
            const int row = static_cast<int>(line % p.h) + r - 1, column = static_cast<int>(pixel % p.w) + s - 1;
            if (row < 0 || row >= p.h || column < 0 || column >= p.w) continue;
            for (int c = 0; c < p.c; ++c)
                sum += to_f32(load_global(x + ((image * p.h + row) * p.w + column) * p.c + c)) *
                       to_f32(load_global(w + ((k * 3 + r) * 3 + s) * p.c + c));
        }
    store_global(y + i, from_f32<f16>(sum));
}

}  // namespace

int main() {
    return ladder::climb("1 naive", "one thread per output", [](const Problem& p, const f16* x, const f16* w, f16* y, device::Stream stream) {
        const auto blocks = static_cast<unsigned>((p.pixels() * p.k + 255) / 256);
        return launch("naive", naive_kernel, Dim3{blocks, 1, 1}, 256, 0, stream, p, x, w, y);
    });
}
