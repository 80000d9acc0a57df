// The warp-wide matrix operations, run once per warp by its last lane. They live here and not in the primitives' headers because
// race builds instrument those: every access would be booked on the lane that happened to come last.
#pragma once

#include <cstdint>

#include "simt/executor.h"

namespace jcuconv::simt {

// Loads N matrices of 8 rows of 16 bytes. Lane l gives the address of row l % 8 of matrix l / 8 and gets, per matrix, the pair of
// 2-byte elements at row l / 4, columns 2 (l % 4) and one more; transposed: of the transposed matrix.
void load_matrices(std::uint32_t* registers, int count, bool transposed, const void* row, const char* name, Where where);

// d[m][n] += a[m] * b[n] for all tiles of a warp: the operands of m16n8k16 (fp16, bf16) or m16n8k8 (tf32) for each m and n, or, if
// `half_depth`, of m16n8k8 fp16. a and b are packed one register after another, as PTX numbers them.
struct WarpTiles {
    MmaType type;
    bool half_depth;
    int rows, columns;  // how many tiles
    float* d;           // [rows][columns][4]
    const std::uint32_t* a;
    const std::uint32_t* b;
};
void multiply_tiles(WarpTiles& tiles, const char* name, Where where);

}  // namespace jcuconv::simt
