// NCHW <-> NHWC: for each image, the transposition of its matrix of channels x pixels, with a change of type if asked for.
//
// Layouts    x [n][rows][columns], y [n][columns][rows], dense.
// Mapping    A block turns a tile of 32 x 32 through shared memory, so that reads and writes both run along whole lines: warp w
//            reads rows w, w + 8, ... of the tile, and writes them as columns.
// Limits     n * tiles per matrix < 2^31.
// Resources  4.2 KB shared memory; a row of 33 floats puts the elements of a column into different banks.
//            Floor: bytes of x + y.
// Lost       Reading x along and writing y across: a store instruction then touches 32 lines for 4 bytes of each.
#include <cstdint>
#include <type_traits>

#include "core/arithmetic.h"
#include "kernels/reorder/reorder.h"
#include "kernels/reorder/with_two_types.h"

namespace jcuconv {

namespace {

constexpr int kTile = 32, kWarps = 8;

struct Shared {
    float tile[kTile][kTile + 1];
};

// Within a type of 16 bits the bits move as words, which fp32 holds exactly: one kernel for both of them, and a NaN stays what it was.
template <class T>
JCUCONV_DEVICE float to_tile(T value) {
    if constexpr (std::is_same_v<T, std::uint16_t>) return static_cast<float>(value);
    else return to_f32(value);
}

template <class T>
JCUCONV_DEVICE T from_tile(float value) {
    if constexpr (std::is_same_v<T, std::uint16_t>) return static_cast<std::uint16_t>(value);
    else return from_f32<T>(value);
}

template <class From, class To>
JCUCONV_KERNEL(kTile* kWarps)
transpose_kernel(int rows, int columns, int tiles_down, int tiles_across, const From* x, To* y) {
    auto& s = shared<Shared>();
    const int lane = thread_index() % kTile, warp = thread_index() / kTile;
    const unsigned tile = block_index().x % (static_cast<unsigned>(tiles_down) * static_cast<unsigned>(tiles_across));
    const std::int64_t matrix = block_index().x / (static_cast<unsigned>(tiles_down) * static_cast<unsigned>(tiles_across));
    const int row0 = static_cast<int>(tile / static_cast<unsigned>(tiles_across)) * kTile;
    const int column0 = static_cast<int>(tile % static_cast<unsigned>(tiles_across)) * kTile;
    const std::int64_t offset = matrix * rows * columns;
    for (int i = warp; i < kTile; i += kWarps)
        if (row0 + i < rows && column0 + lane < columns)
            s.tile[i][lane] = to_tile(load_global(x + offset + std::int64_t{row0 + i} * columns + column0 + lane));
    sync_threads();
    for (int i = warp; i < kTile; i += kWarps)
        if (column0 + i < columns && row0 + lane < rows)
            store_global(y + offset + std::int64_t{column0 + i} * rows + row0 + lane, from_tile<To>(s.tile[lane][i]));
}

}  // namespace

Outcome transpose(std::int64_t n, int rows, int columns, jcuconv_type from, jcuconv_type to, const void* x, void* y,
                  device::Stream stream) {
    const int down = ceil_div(rows, kTile), across = ceil_div(columns, kTile);
    const Dim3 grid = {static_cast<unsigned>(n * down * across), 1, 1};
    return with_two_types(from, to, [&]<class From, class To>() {
        constexpr bool kWords = std::is_same_v<From, To> && sizeof(From) == sizeof(std::uint16_t);
        using In = std::conditional_t<kWords, std::uint16_t, From>;
        using Out = std::conditional_t<kWords, std::uint16_t, To>;
        return launch("transpose", transpose_kernel<In, Out>, grid, kTile * kWarps, sizeof(Shared), stream, rows, columns, down, across,
                      static_cast<const In*>(x), static_cast<Out*>(y));
    });
}

}  // namespace jcuconv
