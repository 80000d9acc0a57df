// Host model of the warpgroup's matrix product; simt/wgmma.h has the layouts and when it runs.
#pragma once

#include <cstdint>
#include <type_traits>

#include "primitives/host/tma.h"
#include "primitives/host/types.h"
#include "simt/wgmma.h"

namespace jcuconv {

// In which direction the elements of an operand are neighbours in shared memory.
enum class Major { kDepth, kRows };

// Of the operand at an address; leading and stride in bytes.
inline std::uint64_t wgmma_descriptor(const void* shared, int leading, int stride, Swizzle swizzle, simt::Where where = simt::Where::current()) {
    return simt::wgmma_descriptor(simt::place_in_shared(shared, 16, "wgmma_descriptor", where), static_cast<std::size_t>(leading),
                                  static_cast<std::size_t>(stride), swizzle);
}

// d (+)= a * b: 64 rows, kColumns columns, 32 bytes of depth.
template <class T, int kColumns, Major kMajorA = Major::kDepth, Major kMajorB = Major::kDepth>
void wgmma(float (&d)[kColumns / 8][4], std::uint64_t a, std::uint64_t b, bool accumulate, simt::Where where = simt::Where::current()) {
    constexpr auto kType = std::is_same_v<T, f16>    ? simt::MmaType::kF16
                           : std::is_same_v<T, bf16> ? simt::MmaType::kBf16
                                                     : simt::MmaType::kTf32;
    static_assert(kType != simt::MmaType::kTf32 || (kMajorA == Major::kDepth && kMajorB == Major::kDepth), "tf32 lies along the depth");
    simt::WgmmaCall call{kType, kColumns, kMajorA == Major::kRows, kMajorB == Major::kRows, &d[0][0], a, b, accumulate};
    simt::wgmma_issue(call, where);
}

inline void wgmma_fence(simt::Where where = simt::Where::current()) { simt::wgmma_fence(where); }
inline void wgmma_commit(simt::Where where = simt::Where::current()) { simt::wgmma_commit(where); }

template <int kGroups>
void wgmma_wait(simt::Where where = simt::Where::current()) {
    static_assert(kGroups >= 0 && kGroups < 8);
    simt::wgmma_wait(kGroups, where);
}

// Registers move between warpgroups (setmaxnreg); here there are enough.
template <int kRegisters>
void give_registers() {
    static_assert(kRegisters % 8 == 0 && kRegisters >= 24 && kRegisters <= 256);
}
template <int kRegisters>
void take_registers() {
    static_assert(kRegisters % 8 == 0 && kRegisters >= 24 && kRegisters <= 256);
}

}  // namespace jcuconv
