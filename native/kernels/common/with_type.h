// From run-time storage type and vector width to an instantiation.
#pragma once

#include "core/outcome.h"
#include "core/types.h"
#include "primitives/primitives.h"

namespace jcuconv {

// Calls f.template operator()<T, kVec>() for vec = 4 or 1.
template <class F>
Outcome with_type_and_vec(jcuconv_type type, int vec, F f) {
    const auto with_vec = [&]<class T>() -> Outcome {
        return vec == 4 ? f.template operator()<T, 4>() : f.template operator()<T, 1>();
    };
    switch (type) {
        case JCUCONV_F16: return with_vec.template operator()<f16>();
        case JCUCONV_BF16: return with_vec.template operator()<bf16>();
        default: return with_vec.template operator()<float>();
    }
}

}  // namespace jcuconv
