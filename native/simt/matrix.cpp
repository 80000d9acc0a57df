#include "simt/matrix.h"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "simt/text.h"

// The inner loop runs as fast as the machine at hand allows, from one binary. Products are exact in fp64, so the bits do not
// depend on the clone, not even where one of them fuses.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define JCUCONV_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define JCUCONV_CLONES
#endif

namespace jcuconv::simt {

namespace {

constexpr int kTileRows = 16, kTileColumns = 8, kMatrixRows = 8;
constexpr std::size_t kRowBytes = 16;

void demand_whole_warp(int lanes, const char* name) {
    if (lanes != kWarpSize) fail(std::string(name) + " needs a warp of 32 lanes, this one has " + std::to_string(lanes));
}

struct Load {
    std::uint32_t* registers;
    int count;
    bool transposed;
    const void* row;
    std::size_t offset;
    const char* name;
    Where where;
};

void run_load(void** lanes, int lane_count) {
    const auto& first = *static_cast<Load*>(lanes[0]);
    demand_whole_warp(lane_count, first.name);
    std::uint16_t elements[4 * kMatrixRows][8];
    std::size_t offsets[4 * kMatrixRows];
    const int rows = first.count * kMatrixRows;
    for (int row = 0; row < rows; ++row) {
        const auto& lane = *static_cast<Load*>(lanes[row]);
        std::memcpy(elements[row], lane.row, kRowBytes);
        offsets[row] = lane.offset;
    }
    count_matrix_rows(offsets, rows, first.name, first.where);
    for (int l = 0; l < kWarpSize; ++l) {
        auto& lane = *static_cast<Load*>(lanes[l]);
        for (int matrix = 0; matrix < first.count; ++matrix) {
            const auto* rows_of = elements + matrix * kMatrixRows;
            const int across = l / 4, along = 2 * (l % 4);
            const std::uint32_t low = first.transposed ? rows_of[along][across] : rows_of[across][along];
            const std::uint32_t high = first.transposed ? rows_of[along + 1][across] : rows_of[across][along + 1];
            lane.registers[matrix] = low | high << 16;
        }
    }
}

// Operands of a warp as matrices of values, kept from call to call.
struct Scratch {
    std::vector<double> a, b, sums;          // [row][depth], [depth][column], [column]
    std::vector<std::uint32_t> a_bits, b_bits;  // [row][depth], [column][depth]
};

Scratch& scratch() {
    static thread_local std::unique_ptr<Scratch> instance;
    if (!instance) instance = std::make_unique<Scratch>();
    return *instance;
}

struct Shape {
    int depth, per_register, a_registers, b_registers;
};

Shape shape_of(const WarpTiles& tiles) {
    if (tiles.type == MmaType::kTf32) return {8, 1, 4, 2};
    return tiles.half_depth ? Shape{8, 2, 2, 1} : Shape{16, 2, 4, 2};
}

// Element `e` of a register.
std::uint32_t element(const Shape& shape, std::uint32_t value, int e) {
    return shape.per_register == 1 ? value : value >> (16 * e) & 0xFFFFu;
}

// Registers of a go down eight rows first, then half the depth on; those of b go along the depth.
void unpack(const Shape& shape, void** lanes, const WarpTiles& tiles, Scratch& s) {
    const int depth = shape.depth, columns = tiles.columns * kTileColumns, step = 4 * shape.per_register;
    s.a_bits.resize(static_cast<std::size_t>(tiles.rows * kTileRows * depth));
    s.b_bits.resize(static_cast<std::size_t>(columns * depth));
    for (int l = 0; l < kWarpSize; ++l) {
        const auto& lane = *static_cast<WarpTiles*>(lanes[l]);
        const int group = l / 4, in_group = l % 4 * shape.per_register;
        for (int r = 0; r < tiles.rows * shape.a_registers; ++r) {
            const int row = r / shape.a_registers * kTileRows + group + r % 2 * 8;
            const int k = r % shape.a_registers / 2 * step + in_group;
            for (int e = 0; e < shape.per_register; ++e)
                s.a_bits[static_cast<std::size_t>(row * depth + k + e)] = element(shape, lane.a[r], e);
        }
        for (int r = 0; r < tiles.columns * shape.b_registers; ++r) {
            const int column = r / shape.b_registers * kTileColumns + group;
            const int k = r % shape.b_registers * step + in_group;
            for (int e = 0; e < shape.per_register; ++e)
                s.b_bits[static_cast<std::size_t>(column * depth + k + e)] = element(shape, lane.b[r], e);
        }
    }
}

// The register of d that holds an element, and its lane.
float& result(void** lanes, const WarpTiles& tiles, int row, int column) {
    const int lane = row % 8 * 4 + column % kTileColumns / 2;
    const int tile = row / kTileRows * tiles.columns + column / kTileColumns;
    return static_cast<WarpTiles*>(lanes[lane])->d[tile * 4 + row % kTileRows / 8 * 2 + column % 2];
}

JCUCONV_CLONES
void add_products(double* __restrict sums, const double* __restrict a, const double* __restrict b, int depth, int columns) {
    for (int k = 0; k < depth; ++k) {
        const double factor = a[k];
        for (int n = 0; n < columns; ++n) sums[n] += factor * b[k * columns + n];
    }
}

void multiply_exactly(const Shape& shape, void** lanes, const WarpTiles& tiles, Scratch& s) {
    const int depth = shape.depth, rows = tiles.rows * kTileRows, columns = tiles.columns * kTileColumns;
    s.a.resize(s.a_bits.size());
    s.b.resize(s.b_bits.size());
    s.sums.resize(static_cast<std::size_t>(columns));
    for (std::size_t i = 0; i < s.a.size(); ++i) s.a[i] = mma_value(tiles.type, s.a_bits[i]);
    for (int n = 0; n < columns; ++n)
        for (int k = 0; k < depth; ++k)
            s.b[static_cast<std::size_t>(k * columns + n)] =
                mma_value(tiles.type, s.b_bits[static_cast<std::size_t>(n * depth + k)]);
    for (int m = 0; m < rows; ++m) {
        for (int n = 0; n < columns; ++n) s.sums[static_cast<std::size_t>(n)] = result(lanes, tiles, m, n);
        add_products(s.sums.data(), s.a.data() + m * depth, s.b.data(), depth, columns);
        for (int n = 0; n < columns; ++n) result(lanes, tiles, m, n) = static_cast<float>(s.sums[static_cast<std::size_t>(n)]);
    }
}

void run_multiply(void** lanes, int lane_count) {
    const auto& tiles = *static_cast<WarpTiles*>(lanes[0]);
    demand_whole_warp(lane_count, "mma");
    const Shape shape = shape_of(tiles);
    Scratch& s = scratch();
    unpack(shape, lanes, tiles, s);
    const MmaRounding& rounding = launch_options().mma;
    if (rounding.block == 0) {
        multiply_exactly(shape, lanes, tiles, s);
        return;
    }
    for (int m = 0; m < tiles.rows * kTileRows; ++m) {
        for (int n = 0; n < tiles.columns * kTileColumns; ++n) {
            float& d = result(lanes, tiles, m, n);
            d = mma_element(rounding, tiles.type, s.a_bits.data() + m * shape.depth, s.b_bits.data() + n * shape.depth,
                            shape.depth, d);
        }
    }
}

}  // namespace

void load_matrices(std::uint32_t* registers, int count, bool transposed, const void* row, const char* name, Where where) {
    Load load{registers, count, transposed, row, 0, name, where};
    // Each lane answers for its own row; lanes beyond the last matrix give an address that nobody reads.
    if (control.thread % kWarpSize < count * kMatrixRows)
        load.offset = access_shared(row, kRowBytes, kRowBytes, Access::kRead, false, name, where);
    warp_collective(&run_load, name, &load, where);
}

void multiply_tiles(WarpTiles& tiles, const char* name, Where where) { warp_collective(&run_multiply, name, &tiles, where); }

}  // namespace jcuconv::simt
