// What a block may use on the GPU architectures that the library is compiled for. Only checks read this table: a choice never
// does, because bits depend on choices.
//
// Source: technical specifications per compute capability in the CUDA C++ Programming Guide 13.0; blocks per multiprocessor and
// shared memory sizes also as in cuda_occupancy.h of the CUDA 13.0 toolkit.
#pragma once

#include <cstdint>

#include "heuristics/launch_shape.h"

namespace jcuconv {

struct Architecture {
    int number;                // 90 is compute capability 9.0
    int block_shared;          // bytes of shared memory that one block may ask for
    int shared;                // bytes of shared memory of a multiprocessor
    int reserved;              // bytes of it that the driver keeps per block
    int threads;               // resident on a multiprocessor
    int blocks;                // resident on a multiprocessor
};

constexpr int kKiB = 1024;
constexpr Architecture kArchitectures[] = {
    {75, 64 * kKiB, 64 * kKiB, 0, 1024, 16},
    {80, 163 * kKiB, 164 * kKiB, kKiB, 2048, 32},
    {86, 99 * kKiB, 100 * kKiB, kKiB, 1536, 16},
    {89, 99 * kKiB, 100 * kKiB, kKiB, 1536, 24},
    {90, 227 * kKiB, 228 * kKiB, kKiB, 2048, 32},
    {100, 227 * kKiB, 228 * kKiB, kKiB, 2048, 32},
    {120, 99 * kKiB, 100 * kKiB, kKiB, 1536, 24},
};

// The same on all of them.
constexpr std::int64_t kMaxGridX = INT32_MAX, kMaxGridYz = 65535;
constexpr int kMaxBlockThreads = 1024;
constexpr int kRegisters = 64 * kKiB;        // of a multiprocessor, and of a block
constexpr int kMaxThreadRegisters = 255;
constexpr int kRegisterUnit = 256;           // registers are handed out to a warp in units of this many

// Blocks of this launch that a multiprocessor holds at a time; 0 if not even one fits.
constexpr int resident_blocks(const Architecture& a, const LaunchShape& launch) {
    if (launch.threads > kMaxBlockThreads || launch.shared_bytes > a.block_shared) return 0;
    const int warps = (launch.threads + 31) / 32;
    const int warp_registers = (launch.registers * 32 + kRegisterUnit - 1) / kRegisterUnit * kRegisterUnit;
    int blocks = a.blocks;
    const auto bounded_by = [&blocks](int most) { blocks = most < blocks ? most : blocks; };
    bounded_by(a.threads / (warps * 32));
    bounded_by(kRegisters / (warp_registers * warps));
    const int shared = launch.shared_bytes + a.reserved;
    if (shared > 0) bounded_by(a.shared / shared);
    return blocks;
}

}  // namespace jcuconv
