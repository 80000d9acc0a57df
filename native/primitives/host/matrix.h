// Host model of the tensor cores' warp operations; simt/matrix.h holds the layouts, simt/mma.h the arithmetic.
#pragma once

#include <type_traits>

#include "primitives/host/types.h"
#include "simt/matrix.h"

namespace jcuconv {

template <class T>
constexpr bool has_mma() {
    return std::is_same_v<T, f16> || std::is_same_v<T, bf16> || std::is_same_v<T, tf32>;
}

template <int kMatrices>
void ldmatrix(std::uint32_t (&registers)[kMatrices], const void* row, simt::Where where = simt::Where::current()) {
    static_assert(kMatrices == 1 || kMatrices == 2 || kMatrices == 4);
    simt::load_matrices(registers, kMatrices, false, row, "ldmatrix", where);
}

template <int kMatrices>
void ldmatrix_trans(std::uint32_t (&registers)[kMatrices], const void* row, simt::Where where = simt::Where::current()) {
    static_assert(kMatrices == 1 || kMatrices == 2 || kMatrices == 4);
    simt::load_matrices(registers, kMatrices, true, row, "ldmatrix_trans", where);
}

namespace detail {

template <class T>
void multiply(float* d, const std::uint32_t* a, const std::uint32_t* b, int rows, int columns, bool half_depth,
              const char* name, simt::Where where) {
    static_assert(has_mma<T>(), "tensor cores multiply f16, bf16 and tf32");
    constexpr auto kType = std::is_same_v<T, f16>    ? simt::MmaType::kF16
                           : std::is_same_v<T, bf16> ? simt::MmaType::kBf16
                                                     : simt::MmaType::kTf32;
    simt::WarpTiles tiles{kType, half_depth, rows, columns, d, a, b};
    simt::multiply_tiles(tiles, name, where);
}

}  // namespace detail

template <class T>
void mma(float (&d)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2], simt::Where where = simt::Where::current()) {
    detail::multiply<T>(d, a, b, 1, 1, false, "mma", where);
}

inline void mma_m16n8k8(float (&d)[4], const std::uint32_t (&a)[2], const std::uint32_t (&b)[1],
                        simt::Where where = simt::Where::current()) {
    detail::multiply<f16>(d, a, b, 1, 1, true, "mma_m16n8k8", where);
}

template <class T, int kRows, int kColumns>
void warp_mma(float (&d)[kRows][kColumns][4], const std::uint32_t (&a)[kRows][4], const std::uint32_t (&b)[kColumns][2],
              simt::Where where = simt::Where::current()) {
    detail::multiply<T>(&d[0][0][0], &a[0][0], &b[0][0], kRows, kColumns, false, "warp_mma", where);
}

}  // namespace jcuconv
