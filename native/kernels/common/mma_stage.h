// From global memory to a stage of shared memory. A source knows where the elements are:
//     element(slot)     the first element of the chunk, or the one turned to; null for zeros. A chunk lies whole in the matrix or outside
//     select(i)         scalars: turns to element i of the chunk, called for all of them in order
//     anywhere()        vectors: a valid address, for copies of nothing
//     step()            goes on to the next slab
// Vectors travel by cp.async past the registers. Scalars are loaded one by one, wait in registers while a slab is multiplied, and go
// to shared memory as whole chunks: so every channel count and alignment is served by the same main loop.
#pragma once

#include <type_traits>

#include "kernels/common/mma_operand.h"

namespace jcuconv {

template <class Operand, bool kVector>
struct MmaStager;

template <class Operand>
struct MmaStager<Operand, true> {
    template <class Source>
    JCUCONV_DEVICE void fetch(Source& source, typename Operand::Slab& slab) const {
#pragma unroll
        for (int slot = 0; slot < Operand::kSlots; ++slot) {
            const typename Operand::T* from = source.element(slot);
            cp_async<16>(Operand::place(slab, slot), from == nullptr ? source.anywhere() : from, from == nullptr ? 0 : 16);
        }
        source.step();
    }

    JCUCONV_DEVICE void put(typename Operand::Slab&) const {}
};

template <class Operand>
struct MmaStager<Operand, false> {
    using T = typename Operand::T;
    using Chunk = Pack<T, Operand::kChunk>;

    template <class Source>
    JCUCONV_DEVICE void fetch(Source& source, typename Operand::Slab&) {
#pragma unroll
        for (int i = 0; i < Operand::kChunk; ++i) {
            source.select(i);
#pragma unroll
            for (int slot = 0; slot < Operand::kSlots; ++slot) {
                const T* from = source.element(slot);
                held_[slot].v[i] = from == nullptr ? from_f32<T>(0.0f) : load_global(from);
            }
        }
        source.step();
    }

    JCUCONV_DEVICE void put(typename Operand::Slab& slab) const {
#pragma unroll
        for (int slot = 0; slot < Operand::kSlots; ++slot)
            store_shared(reinterpret_cast<Chunk*>(Operand::place(slab, slot)), held_[slot]);
    }

  private:
    Chunk held_[Operand::kSlots];
};

}  // namespace jcuconv
