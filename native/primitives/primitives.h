// The instructions that kernels are written in. Two implementations with the same names: nvcc compiles primitives/cuda, g++
// primitives/host, and the kernels above them are one source. Inline PTX and CUDA headers stand nowhere else.
//
//   thread.h   thread_index() block_index() block_size() grid_size()   one-dimensional blocks, up to three-dimensional grids
//              sync_threads() bar_sync(id, n) bar_arrive(id, n) sync_warp()
//              shuffle_xor(v, mask) shuffle_down(v, delta) shuffle(v, lane) ballot(predicate)   all lanes of a warp together
//              atomic_add(p, v)                                        integers only: floats would make results depend on order
//              shared<S>()                                             the block's dynamic shared memory as one struct
//              refuse(why)                                             ends the grid: this architecture cannot run the kernel
//   types.h    f16 bf16, to_f32(v), from_f32<T>(f) rounding to nearest even; tf32 for tensor cores, ties away from zero;
//              f32_of_bits(r) bits_of_f32(v)                           registers of tensor cores
//   memory.h   load_global(p) store_global(p, v)                       scalars and Pack<T, N>; the host checks range and alignment
//              load_shared(p) store_shared(p, v)                       plain accesses whose bank conflicts the host counts
//   async_copy.h  cp_async<4|8|16>(to, from, source_bytes) cp_async_commit() cp_async_wait<groups>()
//                                                                      the bytes beyond source_bytes become zeros
//              has_cp_async()                                          on sm_75 the same copies go through registers
//   matrix.h   ldmatrix(registers, row) ldmatrix_trans(registers, row) 1, 2 or 4 matrices, as many as there are registers
//              mma<T>(d, a, b) mma_m16n8k8(d, a, b) warp_mma<T>(d, a, b)  d += a * b in fp32; the last one for a whole warp's tiles
//              has_mma<T>()                                            T is f16, bf16 or tf32; on sm_75 f16 alone
//   mbarrier.h  Mbarrier in shared memory: mbar_init(b, arrivals) fence_mbar_init() mbar_arrive(b) mbar_expect(b, bytes) mbar_wait(b, parity)
//              has_hopper()                                            sm_90a; what follows refuses to run elsewhere
//   tma.h      TensorMap, a kernel's JCUCONV_GRID_CONSTANT parameter, made on the host by map_tiled<T>() and map_im2col<T>()
//              tma_load(to, map, b, c0, c1...) tma_load_im2col(to, map, b, at, offsets)   land at mbarrier b, which expects the bytes
//              fence_async_proxy()                                     between plain stores and what TMA or wgmma read of them
//   wgmma.h    wgmma<T, columns, major, major>(d, a, b, accumulate) wgmma_descriptor(p, leading, stride, swizzle)
//              wgmma_fence() wgmma_commit() wgmma_wait<groups>() give_registers<N>() take_registers<N>()   all 128 threads of a warpgroup
//   math.h     pow_f32 pow_f64 sqrt_f32 exp_f32 log_f32 tanh_f32 nan_f32
//   launch.h   JCUCONV_KERNEL(threads[, blocks]), launch(name, kernel, grid, threads, shared bytes, stream, arguments...)
//
// Rules: every access to global memory goes through memory.h; shared memory is one struct; warp operations and barriers are
// reached by all their threads together, also by those that have nothing to do; no loop waits for another block.
#pragma once

#if defined(__CUDACC__)
#include "primitives/cuda/async_copy.h"
#include "primitives/cuda/launch.h"
#include "primitives/cuda/math.h"
#include "primitives/cuda/matrix.h"
#include "primitives/cuda/mbarrier.h"
#include "primitives/cuda/memory.h"
#include "primitives/cuda/thread.h"
#include "primitives/cuda/tma.h"
#include "primitives/cuda/types.h"
#include "primitives/cuda/wgmma.h"
#else
#include "primitives/host/async_copy.h"
#include "primitives/host/launch.h"
#include "primitives/host/math.h"
#include "primitives/host/matrix.h"
#include "primitives/host/mbarrier.h"
#include "primitives/host/memory.h"
#include "primitives/host/thread.h"
#include "primitives/host/tma.h"
#include "primitives/host/types.h"
#include "primitives/host/wgmma.h"
#endif
