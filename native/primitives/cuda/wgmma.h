// The warpgroup's matrix product on a GPU (sm_90a). The three widths whose registers are spelled out below are those that kernels use.
#pragma once

#include <cstdint>
#include <type_traits>

#include "primitives/cuda/tma.h"

namespace jcuconv {

// In which direction the elements of an operand are neighbours in shared memory.
enum class Major { kDepth, kRows };

JCUCONV_DEVICE std::uint64_t wgmma_descriptor(const void* shared, int leading, int stride, Swizzle swizzle) {
    const auto units = [](unsigned bytes) { return static_cast<std::uint64_t>(bytes >> 4 & 0x3FFF); };
    const std::uint64_t mode = (4 - static_cast<unsigned>(swizzle)) % 4;  // 1: 128 bytes, 2: 64, 3: 32, 0: none
    return units(shared_address(shared)) | units(static_cast<unsigned>(leading)) << 16 | units(static_cast<unsigned>(stride)) << 32 | mode << 62;
}

#define JCUCONV_D4(j) "+f"(d[j][0]), "+f"(d[j][1]), "+f"(d[j][2]), "+f"(d[j][3])
#define JCUCONV_NAMES_64 \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
    "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define JCUCONV_SUMS_64 \
    JCUCONV_D4(0), JCUCONV_D4(1), JCUCONV_D4(2), JCUCONV_D4(3), JCUCONV_D4(4), JCUCONV_D4(5), JCUCONV_D4(6), JCUCONV_D4(7)
#define JCUCONV_NAMES_128 \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
    "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
    "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
    "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define JCUCONV_SUMS_128 \
    JCUCONV_D4(0), JCUCONV_D4(1), JCUCONV_D4(2), JCUCONV_D4(3), JCUCONV_D4(4), JCUCONV_D4(5), JCUCONV_D4(6), JCUCONV_D4(7), \
    JCUCONV_D4(8), JCUCONV_D4(9), JCUCONV_D4(10), JCUCONV_D4(11), JCUCONV_D4(12), JCUCONV_D4(13), JCUCONV_D4(14), JCUCONV_D4(15)
#define JCUCONV_NAMES_256 \
    "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
    "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
    "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
    "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, " \
    "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
    "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, " \
    "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
    "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define JCUCONV_SUMS_256 \
    JCUCONV_D4(0), JCUCONV_D4(1), JCUCONV_D4(2), JCUCONV_D4(3), JCUCONV_D4(4), JCUCONV_D4(5), JCUCONV_D4(6), JCUCONV_D4(7), \
    JCUCONV_D4(8), JCUCONV_D4(9), JCUCONV_D4(10), JCUCONV_D4(11), JCUCONV_D4(12), JCUCONV_D4(13), JCUCONV_D4(14), JCUCONV_D4(15), \
    JCUCONV_D4(16), JCUCONV_D4(17), JCUCONV_D4(18), JCUCONV_D4(19), JCUCONV_D4(20), JCUCONV_D4(21), JCUCONV_D4(22), JCUCONV_D4(23), \
    JCUCONV_D4(24), JCUCONV_D4(25), JCUCONV_D4(26), JCUCONV_D4(27), JCUCONV_D4(28), JCUCONV_D4(29), JCUCONV_D4(30), JCUCONV_D4(31)

// Operands behind the sums: descriptors of a and b, whether to accumulate, their majors.
#define JCUCONV_WGMMA(columns, instruction, a_place, b_place, add_place, majors)                                                      \
    asm volatile("{\n.reg .pred add;\nsetp.ne.b32 add, " add_place ", 0;\nwgmma.mma_async.sync.aligned.m64n" #columns instruction     \
                 " {" JCUCONV_NAMES_##columns "}, " a_place ", " b_place ", add, 1, 1" majors ";\n}"                                   \
                 : JCUCONV_SUMS_##columns                                                                                             \
                 : "l"(a), "l"(b), "r"(static_cast<int>(accumulate)), "n"(kRowsA), "n"(kRowsB))

#define JCUCONV_WGMMA_TYPES(columns, a_place, b_place, add_place, majors)                                                             \
    if constexpr (kColumns == columns && std::is_same_v<T, f16>)                                                                      \
        JCUCONV_WGMMA(columns, "k16.f32.f16.f16", a_place, b_place, add_place, majors);                                               \
    if constexpr (kColumns == columns && std::is_same_v<T, bf16>)                                                                     \
        JCUCONV_WGMMA(columns, "k16.f32.bf16.bf16", a_place, b_place, add_place, majors);                                             \
    if constexpr (kColumns == columns && std::is_same_v<T, tf32>)                                                                     \
        JCUCONV_WGMMA(columns, "k8.f32.tf32.tf32", a_place, b_place, add_place, "")

template <class T, int kColumns, Major kMajorA = Major::kDepth, Major kMajorB = Major::kDepth>
JCUCONV_DEVICE void wgmma(float (&d)[kColumns / 8][4], std::uint64_t a, std::uint64_t b, bool accumulate) {
    static_assert(kColumns == 64 || kColumns == 128 || kColumns == 256, "spelled out above for these widths");
    constexpr int kRowsA = kMajorA == Major::kRows, kRowsB = kMajorB == Major::kRows;
    static_assert(!std::is_same_v<T, tf32> || (kRowsA == 0 && kRowsB == 0), "tf32 lies along the depth");
#if JCUCONV_HOPPER
    JCUCONV_WGMMA_TYPES(64, "%32", "%33", "%34", ", %35, %36");
    JCUCONV_WGMMA_TYPES(128, "%64", "%65", "%66", ", %67, %68");
    JCUCONV_WGMMA_TYPES(256, "%128", "%129", "%130", ", %131, %132");
#endif
}

JCUCONV_DEVICE void wgmma_fence() {
#if JCUCONV_HOPPER
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

JCUCONV_DEVICE void wgmma_commit() {
#if JCUCONV_HOPPER
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}

template <int kGroups>
JCUCONV_DEVICE void wgmma_wait() {
    static_assert(kGroups >= 0 && kGroups < 8);
#if JCUCONV_HOPPER
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kGroups) : "memory");
#endif
}

template <int kRegisters>
JCUCONV_DEVICE void give_registers() {
    static_assert(kRegisters % 8 == 0 && kRegisters >= 24 && kRegisters <= 256);
#if JCUCONV_HOPPER
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
#endif
}

template <int kRegisters>
JCUCONV_DEVICE void take_registers() {
    static_assert(kRegisters % 8 == 0 && kRegisters >= 24 && kRegisters <= 256);
#if JCUCONV_HOPPER
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
#endif
}

#undef JCUCONV_WGMMA_TYPES
#undef JCUCONV_WGMMA

}  // namespace jcuconv
