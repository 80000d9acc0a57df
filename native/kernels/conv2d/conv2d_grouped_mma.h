// The tensor-core convolution of small groups, inside fprop and dgrad: one block convolves tiles of a few neighbouring groups.
//
// Channels of several groups are neighbours in memory, so they come to shared memory together, by vectors, and every position of the
// images once for all taps (heuristics/grouped_layout.h). But no product may meet two groups, not even as zero times what is not finite.
// Hence eight columns of the product belong to one group, and of the channels that ldmatrix fetches those of other groups are cleared.
//
// Depth: chunk of eight channels, then tap; a step of mma is one chunk at two taps. Rows: the outputs of a tile.
#pragma once

#include "core/arithmetic.h"
#include "heuristics/grouped_layout.h"
#include "kernels/common/mma_tile.h"
#include "kernels/conv2d/conv2d_epilogue.h"

namespace jcuconv {

// One direction: `outputs` of a phase, which lie at out_first, out_first + out_move, ... of `out_extent`. Tap t of output i meets
// position first + i * move + t * step of `extent`; it may lie outside.
struct GroupedAxis {
    int outputs, out_first, out_move, out_extent;
    int move, taps, first, step, extent;

    JCUCONV_DEVICE int lowest() const { return step < 0 ? (taps - 1) * step : 0; }  // of the taps' offsets
    // The place in a slab of what tap t of output 0 meets.
    JCUCONV_DEVICE int place(int tap, int plane) const {
        const int from_start = tap * step - lowest();
        return from_start % move * plane + from_start / move;
    }
};

// What is convolved with what: images of `in` channels per group, results of `out`.
template <class T>
struct GroupedProblem {
    GroupedAxis vertical, horizontal;
    int n, groups, in, out;
    const T* from;
    std::int64_t from_pitch;
    T* to;
    std::int64_t to_pitch;
};

template <class T>
struct GroupedBlock {
    static constexpr int kWarps = kGroupedThreads / 32, kChunk = kMmaChunk<T>, kRowTiles = kGroupedRows / 16;
    static_assert(sizeof(T) == 2 && kChunk == 8);
    struct Shared {
        alignas(128) unsigned char bytes[kGroupedSharedBytes];
    };
    using Filters = Pack<T, 4>;  // of a lane, for one step and eight columns: two channels at two taps

    const GroupedLayout& l;
    const GroupedProblem<T>& problem;
    unsigned char* memory;
    int first_group, members;  // groups of this block
    int shift;                 // channels of the slab before the first group's
    int taps, steps, column_tiles;

    JCUCONV_DEVICE GroupedBlock(const GroupedLayout& layout, const GroupedProblem<T>& p, Shared& shared)
        : l(layout), problem(p), memory(shared.bytes), first_group(static_cast<int>(block_index().y) * layout.pack) {
        members = l.pack < p.groups - first_group ? l.pack : p.groups - first_group;
        shift = static_cast<int>(std::int64_t{first_group} * p.in % kChunk);
        taps = p.vertical.taps * p.horizontal.taps, steps = (taps + 1) / 2;
        column_tiles = (p.out + 7) / 8;
    }

    JCUCONV_DEVICE T* slab(int position, int chunk) const {
        // Two positions fill the 32 banks once, so a pair of them shares its shift.
        return reinterpret_cast<T*>(memory) + position * kGroupedChannels + (chunk ^ (position / 2 % 4)) * kChunk;
    }
    JCUCONV_DEVICE int* offsets() const { return reinterpret_cast<int*>(memory + l.offsets_at); }
    JCUCONV_DEVICE Filters* filters() const { return reinterpret_cast<Filters*>(memory + l.filters_at); }
    JCUCONV_DEVICE float* results() const { return reinterpret_cast<float*>(memory + l.out_at); }

    // The slab's first channel of a unit of eight columns, which are of one group.
    JCUCONV_DEVICE int first_channel(int unit) const { return shift + unit / column_tiles * problem.in; }

    // Once per block: where the taps lie in the slab, and the filters as mma wants them. weight(group, output, tap, input) is an element's address.
    template <class Weight>
    JCUCONV_DEVICE void prepare(Weight weight) const {
        for (int tap = thread_index(); tap < 2 * steps; tap += kGroupedThreads) {
            const int row = tap / problem.horizontal.taps, column = tap % problem.horizontal.taps;
            offsets()[tap] = tap < taps ? problem.vertical.place(row, l.plane_h) * l.pitch + problem.horizontal.place(column, l.plane_w) : 0;
        }
        const int all = members * column_tiles * l.chunks * steps * 32;
#pragma unroll 1
        for (int i = thread_index(); i < all; i += kGroupedThreads) {
            const int lane = i % 32, step = i / 32 % steps, chunk = i / 32 / steps % l.chunks, unit = i / 32 / steps / l.chunks;
            const int group = first_group + unit / column_tiles, output = unit % column_tiles * 8 + lane / 4;
            const int input = chunk * kChunk + lane % 4 * 2 - first_channel(unit) % kChunk;
            Filters values;
#pragma unroll
            for (int e = 0; e < 4; ++e) {
                const int tap = 2 * step + e / 2, c = input + e % 2;
                const bool inside = tap < taps && output < problem.out && c >= 0 && c < problem.in;
                values.v[e] = inside ? load_global(weight(group, output, tap, c)) : from_f32<T>(0.0f);
            }
            filters()[i] = values;
        }
    }

    struct Tile {
        std::int64_t image;
        int row, column;  // of its first output
    };

    JCUCONV_DEVICE Tile tile_at(std::int64_t index) const {
        const int across = (problem.horizontal.outputs + l.tile_w - 1) / l.tile_w, down = (problem.vertical.outputs + l.tile_h - 1) / l.tile_h;
        const std::int64_t line = index / across;
        return {line / down, static_cast<int>(line % down) * l.tile_h, static_cast<int>(index % across) * l.tile_w};
    }

    // A warp loads rows of positions, eight of them at a time.
    JCUCONV_DEVICE void load(const Tile& tile) const {
        const GroupedAxis &v = problem.vertical, &h = problem.horizontal;
        const int lane = thread_index() % 32, chunk = lane % 4;
        const bool used = chunk * kChunk < shift + members * problem.in && taps > 0;
        const T* channels = problem.from + std::int64_t{first_group} * problem.in - shift + chunk * kChunk;
        const int top = v.first + tile.row * v.move + v.lowest(), left = h.first + tile.column * h.move + h.lowest();
        for (int row = thread_index() / 32; row < v.move * l.plane_h && used; row += kWarps) {
            const int y = top + row % l.plane_h * v.move + row / l.plane_h;
            const bool in_rows = y >= 0 && y < v.extent;
            const T* line = channels + (tile.image * v.extent + y) * h.extent * problem.from_pitch;
            for (int plane = 0; plane < h.move; ++plane)
                for (int j = lane / 4; j < l.plane_w; j += 8) {
                    const int x = left + j * h.move + plane;
                    const bool inside = in_rows && x >= 0 && x < h.extent;
                    cp_async<16>(slab(row * l.pitch + plane * l.plane_w + j, chunk), inside ? line + x * problem.from_pitch : problem.from,
                                 inside ? 16 : 0);
                }
        }
        cp_async_commit();
    }

    // The bits of channels c and c + 1 in a register, as far as they belong to the group that begins at `first`.
    JCUCONV_DEVICE std::uint32_t mask(int c, int first) const {
        const auto inside = [&](int channel) { return channel >= first && channel < first + problem.in; };
        return (inside(c) ? 0x0000ffffu : 0u) | (inside(c + 1) ? 0xffff0000u : 0u);
    }

    // A warp takes kGroupedRows outputs and two units of columns, whose products share what ldmatrix fetched.
    JCUCONV_DEVICE void multiply() const {
        const int lane = thread_index() % 32, used = l.tile_h * l.tile_w, row_parts = (used + kGroupedRows - 1) / kGroupedRows;
        const int units = members * column_tiles, items = (units + 1) / 2 * row_parts;
#pragma unroll 1
        for (int item = thread_index() / 32; item < items; item += kWarps) {
            const int unit = item / row_parts * 2, first_row = item % row_parts * kGroupedRows;
            int position[kRowTiles];
            float sums[kRowTiles][2][4];
#pragma unroll
            for (int i = 0; i < kRowTiles; ++i) {
                // Rows past the tile repeat its last one.
                const int row = first_row + 16 * i + lane % 16, last = row < used ? row : used - 1;
                position[i] = last / l.tile_w * l.pitch + last % l.tile_w;
#pragma unroll
                for (int e = 0; e < 8; ++e) sums[i][e / 4][e % 4] = 0.0f;
            }
            const int first[2] = {first_channel(unit), first_channel(unit + 1)};
            const bool two = unit + 1 < units;
            const int end = (two ? first[1] : first[0]) + problem.in;
#pragma unroll 1
            for (int chunk = first[0] / kChunk; chunk * kChunk < end; ++chunk) {
                const int c = chunk * kChunk + lane % 4 * 2;
                const std::uint32_t own[2] = {mask(c, first[0]), mask(c, first[1])};
                bool meets[2];
#pragma unroll
                for (int j = 0; j < 2; ++j)
                    meets[j] = (j == 0 || two) && chunk >= first[j] / kChunk && chunk * kChunk < first[j] + problem.in;
                const Filters* at[2];
#pragma unroll
                for (int j = 0; j < 2; ++j) at[j] = filters() + ((unit + j) * l.chunks + chunk - first[j] / kChunk) * steps * 32 + lane;
#pragma unroll 1
                for (int step = 0; step < steps; ++step) {
                    const int offset = load_shared(offsets() + 2 * step + lane / 16);
                    const bool second = 2 * step + 1 < taps;  // else there is no second tap, and what stands for it is cleared
                    std::uint32_t a[kRowTiles][4];
#pragma unroll
                    for (int i = 0; i < kRowTiles; ++i) ldmatrix(a[i], slab(position[i] + offset, chunk));
#pragma unroll
                    for (int j = 0; j < 2; ++j) {
                        if (!meets[j]) continue;
                        const auto both = load_shared(reinterpret_cast<const Pack<std::uint32_t, 2>*>(at[j] + step * 32));
                        const std::uint32_t b[2] = {both.v[0], both.v[1]}, low = own[j], high = second ? own[j] : 0u;
#pragma unroll
                        for (int i = 0; i < kRowTiles; ++i) {
                            const std::uint32_t cleared[4] = {a[i][0] & low, a[i][1] & low, a[i][2] & high, a[i][3] & high};
                            mma<T>(sums[i][j], cleared, b);
                        }
                    }
                }
            }
            keep(sums, unit, first_row, two);
        }
    }

    // A thread holds two neighbouring outputs of two rows.
    JCUCONV_DEVICE void keep(const float (&sums)[kRowTiles][2][4], int unit, int first_row, bool two) const {
        using Two = Pack<float, 2>;
        const int lane = thread_index() % 32;
#pragma unroll
        for (int j = 0; j < 2; ++j) {
            const int output = (unit + j) % column_tiles * 8 + lane % 4 * 2;
            if ((j == 1 && !two) || output >= problem.out) continue;
            float* to = results() + (first_row + lane / 4) * l.out_pitch + (unit + j) / column_tiles * problem.out + output;
#pragma unroll
            for (int i = 0; i < 2 * kRowTiles; ++i) {
                const float* two = &sums[i / 2][j][i % 2 * 2];
                store_shared(reinterpret_cast<Two*>(to + 8 * i * l.out_pitch), Two{{two[0], two[1]}});
            }
        }
    }

    template <int kVec>
    JCUCONV_DEVICE void store(const Tile& tile, const Conv2dEpilogue& epilogue) const {
        const GroupedAxis &v = problem.vertical, &h = problem.horizontal;
        const int channels = members * problem.out, parts = channels / kVec;
#pragma unroll 1
        for (int i = thread_index(); i < l.tile_h * l.tile_w * parts; i += kGroupedThreads) {
            const int row = i / parts, channel = i % parts * kVec;
            const int down = tile.row + row / l.tile_w, across = tile.column + row % l.tile_w;
            if (down >= v.outputs || across >= h.outputs) continue;
            const float* from = results() + row * l.out_pitch + channel;
            float values[kVec];
            if constexpr (kVec == 1) {
                values[0] = load_shared(from);
            } else {
                load_drained(from, values);
            }
            const std::int64_t line = tile.image * v.out_extent + v.out_first + down * v.out_move;
            const std::int64_t pixel = line * h.out_extent + h.out_first + across * h.out_move;
            store_conv2d<kVec>(problem.to, pixel * problem.to_pitch, first_group * problem.out + channel, values, epilogue);
        }
    }

    // Each tile is loaded while the one before is stored.
    template <class Weight>
    JCUCONV_DEVICE void run(Weight weight, bool vectors_out, const Conv2dEpilogue& epilogue) const {
        const GroupedAxis &v = problem.vertical, &h = problem.horizontal;
        const std::int64_t tiles = std::int64_t{problem.n} * ((v.outputs + l.tile_h - 1) / l.tile_h) * ((h.outputs + l.tile_w - 1) / l.tile_w);
        std::int64_t index = std::int64_t{block_index().x} * l.tiles_per_block;
        const std::int64_t end = index + l.tiles_per_block < tiles ? index + l.tiles_per_block : tiles;
        if (index >= end) return;  // the whole block
        Tile tile = tile_at(index);
        load(tile);
        prepare(weight);
#pragma unroll 1
        while (true) {
            cp_async_wait<0>();
            sync_threads();  // the slab is there, and what was stored last is out of the results' memory
            multiply();
            sync_threads();
            const Tile done = tile;
            const bool more = ++index < end;
            if (more) {
                tile = tile_at(index);
                load(tile);
            }
            if (vectors_out) {
                store<kChunk>(done, epilogue);
            } else {
                store<1>(done, epilogue);
            }
            if (!more) return;
        }
    }
};

}  // namespace jcuconv
