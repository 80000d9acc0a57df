// Elements of tensors, for both libraries.
#include <cstdlib>
#include <cstring>

#include "test/cudnn/stand_in.h"

namespace stand_in {

bool bug(const char* name) {
    const char* wanted = std::getenv("CUDNN_STAND_IN_BUG");
    return wanted != nullptr && std::strcmp(wanted, name) == 0;
}

double load(const Tensor& t, const void* memory, long offset) {
    switch (t.type) {
        case kHalf: return jcuconv::to_f32(static_cast<const jcuconv::f16*>(memory)[offset]);
        case kBfloat16: return jcuconv::to_f32(static_cast<const jcuconv::bf16*>(memory)[offset]);
        default: return static_cast<const float*>(memory)[offset];
    }
}

void store(const Tensor& t, void* memory, long offset, double value) {
    const auto v = static_cast<float>(value);
    switch (t.type) {
        case kHalf: static_cast<jcuconv::f16*>(memory)[offset] = jcuconv::from_f32<jcuconv::f16>(v); break;
        case kBfloat16: static_cast<jcuconv::bf16*>(memory)[offset] = jcuconv::from_f32<jcuconv::bf16>(v); break;
        default: static_cast<float*>(memory)[offset] = v;
    }
}

void blend(const Tensor& t, void* memory, long offset, double value, const void* alpha, const void* beta) {
    const double before = factor(beta) == 0 && !bug("reads_output") ? 0 : factor(beta) * load(t, memory, offset);
    store(t, memory, offset, factor(alpha) * value + before);
}

}  // namespace stand_in
