// Tensor maps and their loads on a GPU (sm_90a). The driver encodes maps; its function is asked for at run time, since only the runtime is
// linked.
#pragma once

#include <cuda.h>
#include <cuda_runtime.h>

#include <cstdint>
#include <string>
#include <type_traits>

#include "core/outcome.h"
#include "primitives/cuda/mbarrier.h"
#include "primitives/cuda/types.h"

#define JCUCONV_GRID_CONSTANT __grid_constant__

namespace jcuconv {

using TensorMap = CUtensorMap;

enum class Swizzle : std::uint8_t { kNone, k32, k64, k128 };

namespace detail {

// The numbers of Swizzle are the driver's.
static_assert(CU_TENSOR_MAP_SWIZZLE_NONE == 0 && CU_TENSOR_MAP_SWIZZLE_32B == 1 && CU_TENSOR_MAP_SWIZZLE_64B == 2 && CU_TENSOR_MAP_SWIZZLE_128B == 3);

template <class T>
constexpr CUtensorMapDataType map_type() {
    if constexpr (std::is_same_v<T, f16>) return CU_TENSOR_MAP_DATA_TYPE_FLOAT16;
    if constexpr (std::is_same_v<T, bf16>) return CU_TENSOR_MAP_DATA_TYPE_BFLOAT16;
    return CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
}

inline Outcome driver_function(const char* name, void** function) {
    cudaDriverEntryPointQueryResult found = cudaDriverEntryPointSymbolNotFound;
    const cudaError_t error = cudaGetDriverEntryPointByVersion(name, function, 12000, cudaEnableDefault, &found);
    if (error == cudaSuccess && found == cudaDriverEntryPointSuccess) return {};
    return {JCUCONV_DEVICE_ERROR, std::string("the driver has no ") + name + ": update it to 525 or newer"};
}

inline Outcome encoded(CUresult result, const char* what) {
    if (result == CUDA_SUCCESS) return {};
    return {JCUCONV_INVALID_PARAMETER, std::string(what) + ": the driver refuses the tensor map, error " + std::to_string(result)};
}

constexpr std::uint32_t kOnes[5] = {1, 1, 1, 1, 1};

}  // namespace detail

template <class T>
Outcome map_tiled(TensorMap& map, const void* base, int rank, const std::uint64_t* extent, const std::uint64_t* stride, const std::uint32_t* box,
                  Swizzle swizzle) {
    void* function = nullptr;
    JCUCONV_TRY(detail::driver_function("cuTensorMapEncodeTiled", &function));
    return detail::encoded(reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function)(
                               &map, detail::map_type<T>(), static_cast<cuuint32_t>(rank), const_cast<void*>(base),
                               reinterpret_cast<const cuuint64_t*>(extent), reinterpret_cast<const cuuint64_t*>(stride), box, detail::kOnes,
                               CU_TENSOR_MAP_INTERLEAVE_NONE, static_cast<CUtensorMapSwizzle>(swizzle), CU_TENSOR_MAP_L2_PROMOTION_L2_128B,
                               CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
                           "map_tiled");
}

template <class T>
Outcome map_im2col(TensorMap& map, const void* base, int rank, const std::uint64_t* extent, const std::uint64_t* stride, const int* lower,
                   const int* upper, int channels, int pixels, const std::uint32_t* traversal, Swizzle swizzle) {
    void* function = nullptr;
    JCUCONV_TRY(detail::driver_function("cuTensorMapEncodeIm2col", &function));
    return detail::encoded(reinterpret_cast<decltype(&cuTensorMapEncodeIm2col)>(function)(
                               &map, detail::map_type<T>(), static_cast<cuuint32_t>(rank), const_cast<void*>(base),
                               reinterpret_cast<const cuuint64_t*>(extent), reinterpret_cast<const cuuint64_t*>(stride), lower, upper,
                               static_cast<cuuint32_t>(channels), static_cast<cuuint32_t>(pixels), traversal, CU_TENSOR_MAP_INTERLEAVE_NONE,
                               static_cast<CUtensorMapSwizzle>(swizzle), CU_TENSOR_MAP_L2_PROMOTION_L2_128B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE),
                           "map_im2col");
}

#define JCUCONV_TILE(rank) "cp.async.bulk.tensor." rank ".shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], "

template <int kRank>
JCUCONV_DEVICE void tma_load(void* to, const TensorMap& map, Mbarrier& barrier, const int (&at)[kRank]) {
    static_assert(kRank >= 2 && kRank <= 4);
#if JCUCONV_HOPPER
    const unsigned shared_to = shared_address(to), counted_at = shared_address(&barrier);
    if constexpr (kRank == 2)
        asm volatile(JCUCONV_TILE("2d") "[%1, {%3, %4}], [%2];" ::"r"(shared_to), "l"(&map), "r"(counted_at), "r"(at[0]), "r"(at[1]) : "memory");
    if constexpr (kRank == 3)
        asm volatile(JCUCONV_TILE("3d") "[%1, {%3, %4, %5}], [%2];" ::"r"(shared_to), "l"(&map), "r"(counted_at), "r"(at[0]), "r"(at[1]), "r"(at[2])
                     : "memory");
    if constexpr (kRank == 4)
        asm volatile(JCUCONV_TILE("4d") "[%1, {%3, %4, %5, %6}], [%2];" ::"r"(shared_to), "l"(&map), "r"(counted_at), "r"(at[0]), "r"(at[1]),
                     "r"(at[2]), "r"(at[3])
                     : "memory");
#endif
}

#undef JCUCONV_TILE

JCUCONV_DEVICE void tma_load_im2col(void* to, const TensorMap& map, Mbarrier& barrier, const int (&at)[4], const int (&offset)[2]) {
#if JCUCONV_HOPPER
    asm volatile(
        "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5, %6}], [%2], {%7, %8};" ::"r"(
            shared_address(to)),
        "l"(&map), "r"(shared_address(&barrier)), "r"(at[0]), "r"(at[1]), "r"(at[2]), "r"(at[3]), "h"(static_cast<std::uint16_t>(offset[0])),
        "h"(static_cast<std::uint16_t>(offset[1]))
        : "memory");
#endif
}

JCUCONV_DEVICE void fence_async_proxy() {
#if JCUCONV_HOPPER
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

}  // namespace jcuconv
