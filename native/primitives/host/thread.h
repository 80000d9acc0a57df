// Host model of threads, barriers, warp operations and shared memory.
#pragma once

#include <string>
#include <type_traits>

#include "simt/executor.h"
#include "simt/memory.h"

#define JCUCONV_DEVICE inline

namespace jcuconv {

using simt::Dim3;

inline int thread_index() { return simt::control.thread; }
inline int block_size() { return simt::control.block_size; }
inline Dim3 block_index() { return simt::control.block; }
inline Dim3 grid_size() { return simt::control.grid; }

inline void sync_threads(simt::Where where = simt::Where::current()) {
    simt::barrier_wait(0, simt::control.block_size, true, where);
}

inline void bar_sync(int id, int threads, simt::Where where = simt::Where::current()) {
    simt::barrier_wait(id, threads, false, where);
}

inline void bar_arrive(int id, int threads, simt::Where where = simt::Where::current()) {
    simt::barrier_arrive(id, threads, where);
}

inline void sync_warp(simt::Where where = simt::Where::current()) {
    simt::warp_collective([](void**, int) {}, "sync_warp", nullptr, where);
}

namespace detail {

template <class T>
struct Exchange {
    T value, result;
    int source;
};

// A source beyond lane 31 leaves the lane's own value. A lane that a partial warp does not have is undefined on a GPU.
template <class T>
T exchange(T value, int source, const char* name, simt::Where where) {
    static_assert(std::is_trivially_copyable_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "a register or a pair of them");
    Exchange<T> mine{value, value, source};
    simt::warp_collective(
        [](void** lanes, int count) {
            for (int lane = 0; lane < count; ++lane) {
                auto* to = static_cast<Exchange<T>*>(lanes[lane]);
                if (to->source >= count && to->source < simt::kWarpSize)
                    simt::fail("a shuffle reads lane " + std::to_string(to->source) + " of a warp that has " +
                               std::to_string(count));
                if (to->source < count) to->result = static_cast<const Exchange<T>*>(lanes[to->source])->value;
            }
        },
        name, &mine, where);
    return mine.result;
}

struct Vote {
    bool predicate;
    unsigned result;
};

}  // namespace detail

template <class T>
T shuffle_xor(T value, int mask, simt::Where where = simt::Where::current()) {
    return detail::exchange(value, (thread_index() % simt::kWarpSize) ^ mask, "shuffle_xor", where);
}

template <class T>
T shuffle_down(T value, int delta, simt::Where where = simt::Where::current()) {
    return detail::exchange(value, thread_index() % simt::kWarpSize + delta, "shuffle_down", where);
}

template <class T>
T shuffle(T value, int lane, simt::Where where = simt::Where::current()) {
    return detail::exchange(value, lane % simt::kWarpSize, "shuffle", where);
}

inline unsigned ballot(bool predicate, simt::Where where = simt::Where::current()) {
    detail::Vote mine{predicate, 0};
    simt::warp_collective(
        [](void** lanes, int count) {
            unsigned votes = 0;
            for (int lane = 0; lane < count; ++lane)
                votes |= static_cast<unsigned>(static_cast<detail::Vote*>(lanes[lane])->predicate) << lane;
            for (int lane = 0; lane < count; ++lane) static_cast<detail::Vote*>(lanes[lane])->result = votes;
        },
        "ballot", &mine, where);
    return mine.result;
}

template <class T>
T atomic_add(T* address, T value, simt::Where where = simt::Where::current()) {
    static_assert(std::is_integral_v<T>, "floating-point atomics would make results depend on order");
    static_assert(sizeof(T) == 4 || sizeof(T) == 8);
    using Unsigned = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
    return static_cast<T>(simt::atomic_add(reinterpret_cast<Unsigned*>(address), static_cast<Unsigned>(value), where));
}

// Ends the grid with an error: for a kernel that this architecture cannot run, which the host should not have launched.
[[noreturn]] inline void refuse(const char* why) { simt::fail(why); }

template <class S>
S& shared() {
    static_assert(std::is_trivially_copyable_v<S> && alignof(S) <= 1024);
    if (sizeof(S) > simt::control.shared_bytes)
        simt::fail("the kernel uses " + std::to_string(sizeof(S)) + " bytes of shared memory, the launch gives " +
                   std::to_string(simt::control.shared_bytes));
    return *reinterpret_cast<S*>(simt::control.shared);
}

}  // namespace jcuconv
