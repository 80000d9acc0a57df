// What a tensor map of TMA says, and which bytes a load through it brings: boxes of a tensor of up to five dimensions, and patches of an
// image as rows of a matrix (im2col). Positions outside the tensor give zeros.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace jcuconv::simt {

constexpr int kMapRank = 5;

// Of shared memory: 16-byte chunks of rows of so many bytes are permuted, by address bits 7 and up.
enum class Swizzle : std::uint8_t { kNone, k32, k64, k128 };

constexpr std::size_t swizzle_bytes(Swizzle s) {
    return s == Swizzle::k128 ? 128 : s == Swizzle::k64 ? 64 : s == Swizzle::k32 ? 32 : 16;
}

// Where the byte at an offset really lies: bits 4-6 (4-5, 4) are xored with bits 7-9 (7-8, 7). Offsets count from an address that is a
// multiple of 1024.
constexpr std::size_t swizzled(Swizzle s, std::size_t offset) {
    const std::size_t mask = s == Swizzle::k128 ? 0x70 : s == Swizzle::k64 ? 0x30 : s == Swizzle::k32 ? 0x10 : 0;
    return offset ^ (offset >> 3 & mask);
}

// Dimension 0 is the innermost, dense one. Strides in bytes, of dimension 0: the element.
struct TensorMapModel {
    const std::byte* base;
    std::int64_t stride[kMapRank];
    std::uint32_t extent[kMapRank];
    std::uint16_t box[kMapRank];       // tiled: elements; im2col: [0] channels, [1] pixels
    std::uint8_t traversal[kMapRank];  // im2col: how far the windows of neighbours lie apart
    std::int16_t lower[3], upper[3];   // im2col: corners of the box of base pixels, W first, then H and D
    std::uint8_t rank, element, im2col;
    Swizzle swizzle;
    std::uint32_t valid;  // kValid where an encoder wrote it
};
constexpr std::uint32_t kValidMap = 0x7E5507A9u;
static_assert(sizeof(TensorMapModel) <= 128, "a map has 128 bytes");

// Both return the empty string or why the driver would refuse. `extent`, `box`: `rank` of them; `stride`: rank - 1, of dimension 1 and up.
std::string encode_tiled(TensorMapModel& map, int element, int rank, const void* base, const std::uint64_t* extent, const std::uint64_t* stride,
                         const std::uint32_t* box, Swizzle swizzle);
std::string encode_im2col(TensorMapModel& map, int element, int rank, const void* base, const std::uint64_t* extent, const std::uint64_t* stride,
                          const int* lower, const int* upper, int channels, int pixels, const std::uint32_t* traversal, Swizzle swizzle);

// The bytes of a load with `rank` coordinates as they land from `to` on, an offset in shared memory; `error` says what is wrong.
std::vector<std::byte> load_box(const TensorMapModel& map, int rank, const int* at, std::size_t to, std::string& error);
std::vector<std::byte> load_patches(const TensorMapModel& map, int rank, const int* at, const int* offset, std::size_t to, std::string& error);

}  // namespace jcuconv::simt
