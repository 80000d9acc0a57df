// Storage types.
#pragma once

#include <cstddef>

#include "jcuconv/problem.h"

namespace jcuconv {

constexpr std::size_t size_of(jcuconv_type type) { return type == JCUCONV_F32 ? 4 : 2; }

constexpr bool is_type(int type) { return type == JCUCONV_F32 || type == JCUCONV_F16 || type == JCUCONV_BF16; }

}  // namespace jcuconv
