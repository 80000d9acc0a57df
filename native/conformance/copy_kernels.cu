// Asynchronous copies and vector accesses.
#include "conformance/bits.h"

namespace jcuconv::conformance {

namespace {

constexpr int kThreads = 32;

struct Bytes {
    alignas(16) unsigned char v[kThreads * 16];
};

// Words of which no byte is zero, and no two bytes near each other are equal.
std::vector<std::uint32_t> distinct_bytes() {
    std::vector<std::uint32_t> words(kThreads * 16);
    unsigned char byte = 1;
    for (auto& word : words) {
        word = 0;
        for (int i = 0; i < 4; ++i) {
            word |= std::uint32_t{byte} << (8 * i);
            byte = byte == 251 ? 1 : static_cast<unsigned char>(byte + 1);
        }
    }
    return words;
}

// Thread t copies t modulo (kBytes + 1) bytes, the rest must become zero. One row per thread.
template <int kBytes>
JCUCONV_KERNEL(kThreads)
zfill_kernel(const unsigned char* in, std::uint64_t* out) {
    auto& s = shared<Bytes>();
    const int t = thread_index();
    for (int i = 0; i < kBytes; ++i) s.v[t * kBytes + i] = 0xAB;
    sync_threads();
    cp_async<kBytes>(s.v + t * kBytes, in + t * kBytes, t % (kBytes + 1));
    cp_async_commit();
    cp_async_wait<0>();
    sync_threads();
    for (int i = 0; i < kBytes; ++i) store_global(out + t * kBytes + i, std::uint64_t{s.v[t * kBytes + i]});
}

template <int kBytes>
Outcome zfill(const std::uint32_t* in, std::uint64_t* out, int) {
    return launch("zfill", &zfill_kernel<kBytes>, Dim3{1, 1, 1}, kThreads, sizeof(Bytes), nullptr,
                  reinterpret_cast<const unsigned char*>(in), out);
}

// A ring of three stages: each turn waits for all but the latest group and reads what the neighbour copied.
JCUCONV_KERNEL(kThreads)
groups_kernel(const std::uint32_t* in, std::uint64_t* out) {
    auto& s = shared<Bytes>();
    auto* words = reinterpret_cast<std::uint32_t*>(s.v);
    const int t = thread_index(), other = (t + 1) % kThreads;
    cp_async<4>(words + t, in + t);
    cp_async_commit();
    for (int i = 0; i < 8; ++i) {
        if (i < 7) cp_async<4>(words + (i + 1) % 3 * kThreads + t, in + (i + 1) * kThreads + t);
        cp_async_commit();
        cp_async_wait<1>();
        sync_threads();
        store_global(out + i * kThreads + t, std::uint64_t{words[i % 3 * kThreads + other]});
    }
}

Outcome groups(const std::uint32_t* in, std::uint64_t* out, int) {
    return launch("groups", &groups_kernel, Dim3{1, 1, 1}, kThreads, sizeof(Bytes), nullptr, in, out);
}

// Through registers and shared memory in one piece each, in reversed order.
template <class T, int kCount>
JCUCONV_KERNEL(kThreads)
vector_kernel(const Pack<T, kCount>* in, std::uint64_t* out) {
    using Vector = Pack<T, kCount>;
    auto* shared_vectors = reinterpret_cast<Vector*>(shared<Bytes>().v);
    const int t = thread_index(), other = kThreads - 1 - t;
    store_shared(shared_vectors + t, load_global(in + t));
    sync_threads();
    const Vector vector = load_shared(shared_vectors + other);
    Pack<std::uint64_t, 2> pair;
    static_assert(kCount % 2 == 0);
    for (int i = 0; i < kCount; i += 2) {
        pair.v[0] = bits_of(vector.v[i]);
        pair.v[1] = bits_of(vector.v[i + 1]);
        store_global(reinterpret_cast<Pack<std::uint64_t, 2>*>(out + t * kCount + i), pair);
    }
}

template <class T, int kCount>
Outcome vectors(const std::uint32_t* in, std::uint64_t* out, int) {
    return launch("vectors", &vector_kernel<T, kCount>, Dim3{1, 1, 1}, kThreads, sizeof(Bytes), nullptr,
                  reinterpret_cast<const Pack<T, kCount>*>(in), out);
}

const Kernel kKernels[] = {
    {"cp_async_4", Type::kU16, kThreads, 4, &distinct_bytes, &zfill<4>},
    {"cp_async_8", Type::kU16, kThreads, 8, &distinct_bytes, &zfill<8>},
    {"cp_async_16", Type::kU16, kThreads, 16, &distinct_bytes, &zfill<16>},
    {"cp_async_groups", Type::kU32, 8, kThreads, &distinct_bytes, &groups},
    {"vectors_f32x2", Type::kU32, kThreads, 2, &distinct_bytes, &vectors<float, 2>},
    {"vectors_f32x4", Type::kU32, kThreads, 4, &distinct_bytes, &vectors<float, 4>},
    {"vectors_f16x2", Type::kU16, kThreads, 2, &distinct_bytes, &vectors<f16, 2>},
    {"vectors_f16x8", Type::kU16, kThreads, 8, &distinct_bytes, &vectors<f16, 8>},
    {"vectors_bf16x8", Type::kU16, kThreads, 8, &distinct_bytes, &vectors<bf16, 8>},
};

}  // namespace

std::span<const Kernel> copy_kernels() { return kKernels; }

}  // namespace jcuconv::conformance
