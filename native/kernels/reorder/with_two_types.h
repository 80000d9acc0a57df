// From two run-time types to an instantiation.
#pragma once

#include "kernels/common/with_type.h"

namespace jcuconv {

// Calls f.template operator()<From, To>().
template <class F>
Outcome with_two_types(jcuconv_type from, jcuconv_type to, F f) {
    return with_type_and_vec(from, 1, [&]<class From, int>() {
        return with_type_and_vec(to, 1, [&]<class To, int>() { return f.template operator()<From, To>(); });
    });
}

}  // namespace jcuconv
