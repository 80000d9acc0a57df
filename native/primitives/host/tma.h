// Host model of tensor maps and their loads; simt/tensor_map.h says which bytes they bring, simt/bulk_loads.h when.
#pragma once

#include <string>

#include "core/outcome.h"
#include "simt/executor.h"
#include "simt/tensor_map.h"

#define JCUCONV_GRID_CONSTANT

namespace jcuconv {

using simt::Swizzle;

struct alignas(64) TensorMap {
    unsigned char bytes[128];

    const simt::TensorMapModel& model() const { return *reinterpret_cast<const simt::TensorMapModel*>(bytes); }
    simt::TensorMapModel& model() { return *reinterpret_cast<simt::TensorMapModel*>(bytes); }
};

namespace detail {

inline Outcome encoded(const std::string& error) { return error.empty() ? Outcome() : Outcome(JCUCONV_INVALID_PARAMETER, error); }

inline void load(void* to, std::vector<std::byte> data, const std::string& error, Mbarrier& barrier, const char* name, simt::Where where) {
    if (!error.empty()) simt::fail(std::string(name) + ": " + error);
    simt::bulk_load(to, std::move(data), &barrier, where);
}

}  // namespace detail

// Boxes of a tensor: `extent` and `box` count elements, innermost first; `stride` counts bytes, from dimension 1 on.
template <class T>
Outcome map_tiled(TensorMap& map, const void* base, int rank, const std::uint64_t* extent, const std::uint64_t* stride, const std::uint32_t* box,
                  Swizzle swizzle) {
    return detail::encoded(simt::encode_tiled(map.model(), sizeof(T), rank, base, extent, stride, box, swizzle));
}

// Patches of images: corners and traversal strides W first; a load brings `pixels` rows of `channels`.
template <class T>
Outcome map_im2col(TensorMap& map, const void* base, int rank, const std::uint64_t* extent, const std::uint64_t* stride, const int* lower,
                   const int* upper, int channels, int pixels, const std::uint32_t* traversal, Swizzle swizzle) {
    return detail::encoded(
        simt::encode_im2col(map.model(), sizeof(T), rank, base, extent, stride, lower, upper, channels, pixels, traversal, swizzle));
}

template <int kRank>
void tma_load(void* to, const TensorMap& map, Mbarrier& barrier, const int (&at)[kRank], simt::Where where = simt::Where::current()) {
    std::string error;
    auto data = simt::load_box(map.model(), kRank, at, simt::place_in_shared(to, 128, "tma_load", where), error);
    detail::load(to, std::move(data), error, barrier, "tma_load", where);
}

// at: channel, w, h, image of the first base pixel; offset: of the tap in w and h.
inline void tma_load_im2col(void* to, const TensorMap& map, Mbarrier& barrier, const int (&at)[4], const int (&offset)[2],
                            simt::Where where = simt::Where::current()) {
    std::string error;
    auto data = simt::load_patches(map.model(), 4, at, offset, simt::place_in_shared(to, 128, "tma_load_im2col", where), error);
    detail::load(to, std::move(data), error, barrier, "tma_load_im2col", where);
}

inline void fence_async_proxy() { simt::async_proxy_fence(); }

}  // namespace jcuconv
