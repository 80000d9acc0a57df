#include "simt/tensor_map.h"

#include <cstring>

#include "simt/memory.h"

namespace jcuconv::simt {

namespace {

std::string number(const char* what, std::int64_t value, const char* rule) {
    return std::string("tensor map: ") + what + " = " + std::to_string(value) + ": " + rule;
}

// What tiled and im2col maps share.
std::string fill(TensorMapModel& map, int element, int rank, const void* base, const std::uint64_t* extent, const std::uint64_t* stride,
                 Swizzle swizzle) {
    map = {};
    if (element != 2 && element != 4) return number("bytes of an element", element, "2 or 4");
    if (rank < 1 || rank > kMapRank) return number("rank", rank, "1 to 5");
    if (reinterpret_cast<std::uintptr_t>(base) % 16 != 0) return "tensor map: the tensor is not aligned to 16 bytes";
    map.base = static_cast<const std::byte*>(base);
    map.rank = static_cast<std::uint8_t>(rank);
    map.element = static_cast<std::uint8_t>(element);
    map.swizzle = swizzle;
    for (int d = 0; d < rank; ++d) {
        if (extent[d] < 1 || extent[d] > std::uint64_t{1} << 32) return number("extent", static_cast<std::int64_t>(extent[d]), "1 to 2^32");
        map.extent[d] = static_cast<std::uint32_t>(extent[d]);
        map.stride[d] = d == 0 ? element : static_cast<std::int64_t>(stride[d - 1]);
        map.box[d] = map.traversal[d] = 1;
        if (d > 0 && (map.stride[d] % 16 != 0 || map.stride[d] >= std::int64_t{1} << 40))
            return number("stride", map.stride[d], "a multiple of 16 bytes below 2^40");
    }
    map.valid = kValidMap;
    return {};
}

std::string check_row(const TensorMapModel& map, int elements) {
    const std::size_t bytes = static_cast<std::size_t>(elements) * map.element;
    if (bytes % 16 != 0) return number("bytes of a row of the box", static_cast<std::int64_t>(bytes), "a multiple of 16");
    // A row shorter than the swizzle's would leave holes in shared memory; nothing here needs them.
    if (map.swizzle != Swizzle::kNone && bytes != swizzle_bytes(map.swizzle))
        return number("bytes of a row of the box", static_cast<std::int64_t>(bytes), "as many as the swizzle permutes");
    return {};
}

// Copies row after row, each swizzled into its place.
class Rows {
  public:
    Rows(const TensorMapModel& map, std::size_t to, std::size_t rows) : map_(map), to_(to), row_bytes_(std::size_t{map.box[0]} * map.element), data_(rows * row_bytes_) {}

    // The next row: from `first` on along dimension 0 of the line at `line`, null for zeros.
    void add(const std::byte* line, std::int64_t first, std::string& error) {
        for (std::size_t e = 0; e < map_.box[0]; ++e) {
            const std::int64_t at = first + static_cast<std::int64_t>(e);
            std::byte* to = data_.data() + place(next_ * row_bytes_ + e * map_.element);
            if (line == nullptr || at < 0 || at >= std::int64_t{map_.extent[0]}) {
                std::memset(to, 0, map_.element);
                continue;
            }
            const std::byte* from = line + at * map_.element;
            if (!covers(from, map_.element)) error = "the tensor map reaches beyond the tensor's memory";
            if (!error.empty()) return;
            std::memcpy(to, from, map_.element);
        }
        ++next_;
    }

    std::vector<std::byte> take() { return std::move(data_); }

  private:
    // A permutation within the load, since it begins at a whole period of the swizzle.
    std::size_t place(std::size_t offset) const { return swizzled(map_.swizzle, to_ + offset) - to_; }

    const TensorMapModel& map_;
    std::size_t to_, row_bytes_, next_ = 0;
    std::vector<std::byte> data_;
};

std::string check_load(const TensorMapModel& map, int rank, bool im2col, std::size_t to, std::size_t rows) {
    if (map.valid != kValidMap) return "the tensor map was never encoded";
    if (map.rank != rank) return std::to_string(rank) + " coordinates for a map of rank " + std::to_string(map.rank);
    if ((map.im2col != 0) != im2col) return im2col ? "an im2col load through a tiled map" : "a tiled load through an im2col map";
    const std::size_t period = map.swizzle == Swizzle::kNone ? 128 : 8 * swizzle_bytes(map.swizzle);
    if (to % period != 0)
        return "the load goes to byte " + std::to_string(to) + " of shared memory: not aligned to the " + std::to_string(period) + " of its swizzle";
    const std::size_t bytes = rows * map.box[0] * map.element;
    if (map.swizzle != Swizzle::kNone && bytes % period != 0)
        return "the load has " + std::to_string(bytes) + " bytes: no whole periods of its swizzle";
    return {};
}

}  // namespace

std::string encode_tiled(TensorMapModel& map, int element, int rank, const void* base, const std::uint64_t* extent, const std::uint64_t* stride,
                         const std::uint32_t* box, Swizzle swizzle) {
    std::string error = fill(map, element, rank, base, extent, stride, swizzle);
    for (int d = 0; error.empty() && d < rank; ++d) {
        if (box[d] < 1 || box[d] > 256) error = number("box", box[d], "1 to 256");
        map.box[d] = static_cast<std::uint16_t>(box[d]);
    }
    if (error.empty()) error = check_row(map, static_cast<int>(box[0]));
    if (!error.empty()) map.valid = 0;
    return error;
}

std::string encode_im2col(TensorMapModel& map, int element, int rank, const void* base, const std::uint64_t* extent, const std::uint64_t* stride,
                          const int* lower, const int* upper, int channels, int pixels, const std::uint32_t* traversal, Swizzle swizzle) {
    std::string error = fill(map, element, rank, base, extent, stride, swizzle);
    if (error.empty() && rank < 3) error = number("rank", rank, "3 to 5 for im2col");
    const int most = rank == 3 ? 32767 : rank == 4 ? 127 : 15;
    for (int i = 0; error.empty() && i < rank - 2; ++i) {
        for (const int corner : {lower[i], upper[i]})
            if (corner < -most - 1 || corner > most) error = number("corner", corner, "-128 to 127 for images");
        map.lower[i] = static_cast<std::int16_t>(lower[i]);
        map.upper[i] = static_cast<std::int16_t>(upper[i]);
        if (traversal[i + 1] < 1 || traversal[i + 1] > 8) error = number("traversal stride", traversal[i + 1], "1 to 8");
        map.traversal[i + 1] = static_cast<std::uint8_t>(traversal[i + 1]);
    }
    if (error.empty() && (channels < 1 || channels > 256)) error = number("channels per pixel", channels, "1 to 256");
    if (error.empty() && (pixels < 1 || pixels > 1024)) error = number("pixels per column", pixels, "1 to 1024");
    map.im2col = 1;
    map.box[0] = static_cast<std::uint16_t>(channels);
    map.box[1] = static_cast<std::uint16_t>(pixels);
    if (error.empty()) error = check_row(map, channels);
    if (!error.empty()) map.valid = 0;
    return error;
}

std::vector<std::byte> load_box(const TensorMapModel& map, int rank, const int* at, std::size_t to, std::string& error) {
    std::size_t rows = 1;
    for (int d = 1; d < map.rank; ++d) rows *= map.box[d];
    error = check_load(map, rank, false, to, rows);
    if (!error.empty()) return {};
    Rows box(map, to, rows);
    for (std::size_t row = 0; row < rows && error.empty(); ++row) {
        const std::byte* line = map.base;
        std::size_t rest = row;
        for (int d = 1; d < map.rank; ++d) {
            const std::int64_t position = at[d] + static_cast<std::int64_t>(rest % map.box[d]);
            rest /= map.box[d];
            if (position < 0 || position >= std::int64_t{map.extent[d]}) line = nullptr;
            if (line != nullptr) line += position * map.stride[d];
        }
        box.add(line, at[0], error);
    }
    return box.take();
}

std::vector<std::byte> load_patches(const TensorMapModel& map, int rank, const int* at, const int* offset, std::size_t to, std::string& error) {
    error = check_load(map, rank, true, to, map.box[1]);
    const int spatial = map.rank - 2;
    for (int i = 0; error.empty() && i < spatial; ++i)
        if (offset[i] < 0 || offset[i] > (map.rank == 4 ? 255 : map.rank == 3 ? 65535 : 31))
            error = "im2col offset " + std::to_string(offset[i]) + ": 0 to 255 for images";
    if (!error.empty()) return {};
    Rows patches(map, to, map.box[1]);
    // Base pixels: W from lower to extent + upper - 1 in steps, then the next row H, then the next image.
    int base[3] = {at[1], spatial > 1 ? at[2] : 0, spatial > 2 ? at[3] : 0};
    std::int64_t image = at[map.rank - 1];
    for (int pixel = 0; pixel < map.box[1] && error.empty(); ++pixel) {
        const bool inside_batch = image >= 0 && image < std::int64_t{map.extent[map.rank - 1]};
        const std::byte* line = inside_batch ? map.base + image * map.stride[map.rank - 1] : nullptr;
        for (int i = 0; i < spatial; ++i) {
            const std::int64_t position = std::int64_t{base[i]} + offset[i];
            if (position < 0 || position >= std::int64_t{map.extent[i + 1]}) line = nullptr;
            if (line != nullptr) line += position * map.stride[i + 1];
        }
        patches.add(line, at[0], error);
        int i = 0;
        for (; i < spatial; ++i) {
            base[i] += map.traversal[i + 1];
            if (base[i] < static_cast<std::int64_t>(map.extent[i + 1]) + map.upper[i]) break;
            base[i] = map.lower[i];
        }
        if (i == spatial) ++image;
    }
    return patches.take();
}

}  // namespace jcuconv::simt
