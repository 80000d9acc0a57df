// The matrix product on tensor cores inside the convolution passes: one block multiplies a tile of rows by a tile of columns, slab by
// slab of the depth, through several stages of shared memory.
//
// A pass says what rows, columns and depth mean by two *sources* (mma_stage.h). How an operand lies in shared memory follows the direction
// in which its elements are neighbours in global memory (mma_operand.h). All sums run in increasing depth, so the result does not
// depend on the order of tiles or blocks.
#pragma once

#include "heuristics/mma_extent.h"
#include "kernels/common/mma_operand.h"
#include "kernels/common/mma_stage.h"

namespace jcuconv {

// What is multiplied: elements as they are stored, the type that the tensor core takes them for, and how many terms a product has. Three
// terms rebuild fp32: a = high + low, a * b = high * high + high * low + low * high, what is left out is below 2^-22 of the product.
// Each part is rounded to tf32. An infinity or NaN among the operands makes every sum that it enters a NaN.
template <class Storage_, class Unit_, int kTerms_>
struct MmaMath {
    using Storage = Storage_;
    using Unit = Unit_;
    static constexpr int kTerms = kTerms_;
};
using MathF16 = MmaMath<f16, f16, 1>;
using MathBf16 = MmaMath<bf16, bf16, 1>;
using MathTf32 = MmaMath<float, tf32, 1>;
using MathTf32x3 = MmaMath<float, tf32, 3>;

template <class Math_, int kRows_, int kColumns_, int kWarpRows_, int kWarpColumns_>
struct MmaTile {
    using Math = Math_;
    using T = typename Math::Storage;
    static constexpr int kRows = kRows_, kColumns = kColumns_, kWarpRows = kWarpRows_, kWarpColumns = kWarpColumns_;
    static constexpr int kStages = kMmaStages;
    static constexpr int kDepth = kMmaSlabBytes / static_cast<int>(sizeof(T));
    static constexpr int kSteps = 2;  // an mma takes 32 bytes of depth
    static constexpr int kWarpsAcross = kColumns / kWarpColumns;
    static constexpr int kThreads = kRows / kWarpRows * kWarpsAcross * 32;
    static constexpr int kFragmentRows = kWarpRows / 16, kFragmentColumns = kWarpColumns / 8;
    using Sums = float[kFragmentRows][kFragmentColumns][4];

    static_assert(kThreads == kMmaThreads, "the stages are filled by so many threads");
    static_assert(kWarpRows % 16 == 0 && kWarpColumns % 16 == 0, "ldmatrix fetches 16 rows, or two tiles of 8 columns");

    static JCUCONV_DEVICE int slabs(int depth) { return (depth + kDepth - 1) / kDepth; }

    // Where this thread's warp stands in the tile.
    static JCUCONV_DEVICE int warp_row() { return thread_index() / 32 / kWarpsAcross * kWarpRows; }
    static JCUCONV_DEVICE int warp_column() { return thread_index() / 32 % kWarpsAcross * kWarpColumns; }
};

template <class Tile, class OperandA, class OperandB>
struct MmaShared {
    alignas(128) typename OperandA::Slab a[Tile::kStages];
    alignas(128) typename OperandB::Slab b[Tile::kStages];
};

namespace detail {

// Unit is tf32; templates, because sm_75 cannot compile them.
template <class Unit, int kFragments, int kRegisters>
JCUCONV_DEVICE void split(const std::uint32_t (&bits)[kFragments][kRegisters], std::uint32_t (&high)[kFragments][kRegisters],
                          std::uint32_t (&low)[kFragments][kRegisters]) {
#pragma unroll
    for (int i = 0; i < kFragments; ++i)
#pragma unroll
        for (int r = 0; r < kRegisters; ++r) {
            const float value = f32_of_bits(bits[i][r]);
            const Unit top = from_f32<Unit>(value);
            high[i][r] = top.bits;
            low[i][r] = from_f32<Unit>(value - to_f32(top)).bits;
        }
}

template <class Unit, int kFragments, int kRegisters>
JCUCONV_DEVICE void round(std::uint32_t (&bits)[kFragments][kRegisters]) {
#pragma unroll
    for (int i = 0; i < kFragments; ++i)
#pragma unroll
        for (int r = 0; r < kRegisters; ++r) bits[i][r] = from_f32<Unit>(f32_of_bits(bits[i][r])).bits;
}

}  // namespace detail

template <class Tile, class OperandA, class OperandB>
JCUCONV_DEVICE void multiply_mma_slab(const typename OperandA::Slab& slab_a, const typename OperandB::Slab& slab_b,
                                      typename Tile::Sums& sums) {
    using Math = typename Tile::Math;
    using Unit = typename Math::Unit;
#pragma unroll
    for (int step = 0; step < Tile::kSteps; ++step) {
        std::uint32_t a[Tile::kFragmentRows][4], b[Tile::kFragmentColumns][2];
#pragma unroll
        for (int i = 0; i < Tile::kFragmentRows; ++i) OperandA::load_rows(slab_a, Tile::warp_row() + 16 * i, step, a[i]);
#pragma unroll
        for (int j = 0; j < Tile::kFragmentColumns; j += 2)
            OperandB::load_columns(slab_b, Tile::warp_column() + 8 * j, step, b[j], b[j + 1]);
        if constexpr (Math::kTerms == 3) {
            std::uint32_t a_high[Tile::kFragmentRows][4], b_high[Tile::kFragmentColumns][2];
            std::uint32_t a_low[Tile::kFragmentRows][4], b_low[Tile::kFragmentColumns][2];
            detail::split<Unit>(a, a_high, a_low);
            detail::split<Unit>(b, b_high, b_low);
            warp_mma<Unit>(sums, a_low, b_high);
            warp_mma<Unit>(sums, a_high, b_low);
            warp_mma<Unit>(sums, a_high, b_high);
        } else {
            if constexpr (std::is_same_v<Unit, tf32>) {
                detail::round<Unit>(a);
                detail::round<Unit>(b);
            }
            warp_mma<Unit>(sums, a, b);
        }
    }
}

// sums = products over `slabs` slabs of the depth. While one slab is multiplied the next ones are on their way. One barrier per slab is
// enough: the stage that is filled after it was multiplied before it by everybody.
template <class Tile, bool kVector, class OperandA, class OperandB, class SourceA, class SourceB>
JCUCONV_DEVICE void multiply_mma_tile(MmaShared<Tile, OperandA, OperandB>& shared, SourceA& source_a, SourceB& source_b, int slabs,
                                      typename Tile::Sums& sums) {
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i)
#pragma unroll
        for (int j = 0; j < Tile::kFragmentColumns; ++j)
#pragma unroll
            for (int e = 0; e < 4; ++e) sums[i][j][e] = 0.0f;
    MmaStager<OperandA, kVector> stager_a;
    MmaStager<OperandB, kVector> stager_b;
#pragma unroll
    for (int stage = 0; stage < Tile::kStages - 1; ++stage) {
        if (stage < slabs) {
            stager_a.fetch(source_a, shared.a[stage]);
            stager_b.fetch(source_b, shared.b[stage]);
            stager_a.put(shared.a[stage]);
            stager_b.put(shared.b[stage]);
        }
        cp_async_commit();  // also an empty group: the wait below counts them
    }
#pragma unroll 1
    for (int slab = 0, stage = 0; slab < slabs; ++slab) {
        cp_async_wait<Tile::kStages - 2>();
        sync_threads();
        const bool more = slab + Tile::kStages - 1 < slabs;
        const int filled = stage == 0 ? Tile::kStages - 1 : stage - 1;
        if (more) {
            stager_a.fetch(source_a, shared.a[filled]);
            stager_b.fetch(source_b, shared.b[filled]);
        }
        cp_async_commit();
        multiply_mma_slab<Tile, OperandA, OperandB>(shared.a[stage], shared.b[stage], sums);
        if (more) {
            stager_a.put(shared.a[filled]);
            stager_b.put(shared.b[filled]);
        }
        stage = stage + 1 == Tile::kStages ? 0 : stage + 1;
    }
}

// kOut neighbours that drain_mma_tile offers.
template <int kOut>
JCUCONV_DEVICE void load_drained(const float* sums, float (&values)[kOut]) {
    using Four = Pack<float, 4>;
    static_assert(kOut == 4 || kOut == 8);
    // Eight lanes 32 bytes apart would go round the banks twice: four of them read their second half first.
    const int half = kOut == 8 ? thread_index() / 4 % 2 * 4 : 0;
    const Four one = load_shared(reinterpret_cast<const Four*>(sums + half));
#pragma unroll
    for (int f = 0; f < 4; ++f) values[f] = one.v[f];
    if constexpr (kOut == 8) {
        const Four other = load_shared(reinterpret_cast<const Four*>(sums + (half ^ 4)));
#pragma unroll
        for (int f = 0; f < 4; ++f) values[f] = half == 0 ? one.v[f] : other.v[f], values[4 + f] = half == 0 ? other.v[f] : one.v[f];
    }
}

struct SyncBlock {
    JCUCONV_DEVICE void operator()() const { sync_threads(); }
};

// From row to row of the sums that drain_mma_tile offers: eight banks apart, so four rows of two neighbours share no bank.
template <class Tile>
constexpr int kDrainPitch = Tile::kWarpColumns + 8;

// The way out of the registers, after `sync`, which waits for all who multiply. store(row, column, sums) takes kOut neighbours of a row from
// shared memory, `row` and `column` counted in the tile; with `together` > 0 only every 2^together-th row is offered, up to 16 rows apart, and
// the rows until the next one lie behind it. The sums of a warp take a detour through memory that no other warp uses: a thread holds two
// neighbours, a store wants eight.
template <class Tile, int kOut, class Shared, class Store, class Sync = SyncBlock>
JCUCONV_DEVICE void drain_mma_tile(Shared& shared, const typename Tile::Sums& sums, Store store, Sync sync = {}, int together = 0) {
    constexpr int kPitch = kDrainPitch<Tile>;
    constexpr int kPerRow = Tile::kWarpColumns / kOut, kRowsAtOnce = 32 / kPerRow;
    static_assert(sizeof(shared) >= sizeof(float) * 16 * kPitch * (Tile::kThreads / 32) && 32 % kPerRow == 0);
    using Two = Pack<float, 2>;
    sync();  // other warps still multiplied the last slab
    float* mine = reinterpret_cast<float*>(&shared) + thread_index() / 32 * 16 * kPitch;
    const int lane = thread_index() % 32;
#pragma unroll
    for (int i = 0; i < Tile::kFragmentRows; ++i) {
#pragma unroll
        for (int j = 0; j < Tile::kFragmentColumns; ++j)
#pragma unroll
            for (int half = 0; half < 2; ++half)
                store_shared(reinterpret_cast<Two*>(mine + (lane / 4 + 8 * half) * kPitch + 8 * j + lane % 4 * 2),
                             Two{{sums[i][j][2 * half], sums[i][j][2 * half + 1]}});
        sync_warp();
#pragma unroll 1
        for (int row = lane / kPerRow << together; row < 16; row += kRowsAtOnce << together) {
            const int column = lane % kPerRow * kOut;
            store(Tile::warp_row() + 16 * i + row, Tile::warp_column() + column, mine + row * kPitch + column);
        }
        sync_warp();
    }
}

}  // namespace jcuconv
