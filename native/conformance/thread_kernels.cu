// Threads, barriers, warp operations and atomics.
#include "conformance/bits.h"

namespace jcuconv::conformance {

namespace {

struct Numbers {
    int v[256];
};

// Every thread of a grid of 2 x 3 x 2 blocks says where it believes to be.
JCUCONV_KERNEL(64)
index_kernel(std::uint64_t* out) {
    const auto b = block_index();
    const auto g = grid_size();
    const unsigned block = (b.z * g.y + b.y) * g.x + b.x;
    const auto t = static_cast<unsigned>(thread_index());
    store_global(out + block * 64 + t, std::uint64_t{b.x | b.y << 4 | b.z << 8 | t << 12 | static_cast<unsigned>(block_size()) << 20});
}

Outcome index(const std::uint32_t*, std::uint64_t* out, int) {
    return launch("index", &index_kernel, Dim3{2, 3, 2}, 64, 0, nullptr, out);
}

// Two warps; a column per operation.
constexpr int kShuffles = 9;
JCUCONV_KERNEL(64)
shuffle_kernel(std::uint64_t* out) {
    const int t = thread_index(), v = 1000 + 3 * t;
    const int results[kShuffles] = {shuffle_xor(v, 1),  shuffle_xor(v, 16), shuffle_xor(v, 31),
                                    shuffle_down(v, 1), shuffle_down(v, 8), shuffle_down(v, 31),
                                    shuffle(v, 0),      shuffle(v, 31 - t % 32), shuffle(v, t + 5)};
    for (int i = 0; i < kShuffles; ++i) store_global(out + kShuffles * t + i, bits_of(results[i]));
}

Outcome shuffles(const std::uint32_t*, std::uint64_t* out, int) {
    return launch("shuffles", &shuffle_kernel, Dim3{1, 1, 1}, 64, 0, nullptr, out);
}

// A whole warp and one of 16 lanes.
JCUCONV_KERNEL(48)
ballot_kernel(std::uint64_t* out) {
    const int t = thread_index();
    const unsigned votes[4] = {ballot(true), ballot(t % 3 == 0), ballot(t % 32 == 7), ballot(false)};
    for (int i = 0; i < 4; ++i) store_global(out + 4 * t + i, bits_of(votes[i]));
}

Outcome ballots(const std::uint32_t*, std::uint64_t* out, int) {
    return launch("ballots", &ballot_kernel, Dim3{1, 1, 1}, 48, 0, nullptr, out);
}

// A warp produces for the other one through one buffer, a hundred times: barrier 1 says full, barrier 2 says empty.
JCUCONV_KERNEL(64)
named_barrier_kernel(std::uint64_t* out) {
    auto& s = shared<Numbers>();
    const int t = thread_index(), lane = t % 32;
    int sum = 0;
    for (int i = 0; i < 100; ++i) {
        if (t < 32) {
            s.v[lane] = i * (lane + 1);
            bar_arrive(1, 64);
            bar_sync(2, 64);
        } else {
            bar_sync(1, 64);
            sum += s.v[31 - lane];
            bar_arrive(2, 64);
        }
    }
    store_global(out + t, bits_of(sum));
}

Outcome named_barriers(const std::uint32_t*, std::uint64_t* out, int) {
    return launch("named_barriers", &named_barrier_kernel, Dim3{1, 1, 1}, 64, sizeof(Numbers), nullptr, out);
}

// All threads and warps alone, reversing an array again and again.
JCUCONV_KERNEL(256)
sync_kernel(std::uint64_t* out) {
    auto& s = shared<Numbers>();
    const int t = thread_index();
    s.v[t] = t;
    for (int i = 0; i < 5; ++i) {
        sync_threads();
        const int other = s.v[(t * 7 + i) % 256];
        sync_threads();
        s.v[t] = other + i;
    }
    for (int i = 0; i < 5; ++i) {
        sync_warp();
        const int other = s.v[t ^ 1];
        sync_warp();
        s.v[t] = other + 1;
    }
    store_global(out + t, bits_of(s.v[t]));
}

Outcome syncs(const std::uint32_t*, std::uint64_t* out, int) {
    return launch("syncs", &sync_kernel, Dim3{1, 1, 1}, 256, sizeof(Numbers), nullptr, out);
}

// Every thread adds to one counter, in global and in shared memory. The input is the counter and, behind it, a place per old value:
// each is seen once.
JCUCONV_KERNEL(256)
atomic_kernel(unsigned* counters, std::uint64_t* out) {
    auto& s = shared<Numbers>();
    const int t = thread_index();
    if (t == 0) s.v[0] = 0;
    sync_threads();
    atomic_add(counters + 1 + atomic_add(counters, 1u), 1u);
    atomic_add(&s.v[0], t - 100);
    sync_threads();
    store_global(out + 2 * t, bits_of(load_global(counters + 1 + t)));
    store_global(out + 2 * t + 1, bits_of(s.v[0]));
}

Outcome atomics(const std::uint32_t* in, std::uint64_t* out, int) {
    return launch("atomics", &atomic_kernel, Dim3{1, 1, 1}, 256, sizeof(Numbers), nullptr, const_cast<unsigned*>(in), out);
}

std::vector<std::uint32_t> counters() { return std::vector<std::uint32_t>(1 + 256, 0); }

const Kernel kKernels[] = {
    {"thread_index", Type::kU32, 12, 64, nullptr, &index},
    {"shuffle", Type::kU32, 64, kShuffles, nullptr, &shuffles},
    {"ballot", Type::kU32, 48, 4, nullptr, &ballots},
    {"named_barriers", Type::kU32, 2, 32, nullptr, &named_barriers},
    {"sync", Type::kU32, 8, 32, nullptr, &syncs},
    {"atomic_add", Type::kU32, 256, 2, &counters, &atomics},
};

}  // namespace

std::span<const Kernel> thread_kernels() { return kKernels; }

}  // namespace jcuconv::conformance
