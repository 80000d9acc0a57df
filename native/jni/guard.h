// The one way from a Java native into the C API: the library's number is checked, and a result becomes what Java expects.
#pragma once

#include <jni.h>

#include "jni/library.h"

namespace jcuconv::jni {

// A call that gives a status.
template <class F>
jint status_of(jint library, F call) noexcept {
    const Library* api = find_library(library);
    return api == nullptr ? JCUCONV_INVALID_HANDLE : static_cast<jint>(call(*api));
}

// A call that makes something: what it wrote to its last argument, or the negative status.
template <class T, class F>
jlong made_by(jint library, F call) noexcept {
    T made{};
    const jint status = status_of(library, [&](const Library& api) { return call(api, &made); });
    if (status != JCUCONV_OK) return -jlong{status};
    if constexpr (std::is_pointer_v<T>) {
        return static_cast<jlong>(reinterpret_cast<std::uintptr_t>(made));
    } else {
        return static_cast<jlong>(made);
    }
}

template <class T = void>
T* pointer(jlong address) {
    return reinterpret_cast<T*>(static_cast<std::uintptr_t>(address));
}

// The part [offset, offset + bytes) of a direct buffer; null if it does not lie inside or the buffer is not direct.
inline std::byte* part_of(JNIEnv* env, jobject buffer, jlong offset, jlong bytes) {
    if (buffer == nullptr || offset < 0 || bytes < 0) return nullptr;
    auto* begin = static_cast<std::byte*>(env->GetDirectBufferAddress(buffer));
    const jlong capacity = env->GetDirectBufferCapacity(buffer);
    return begin == nullptr || capacity < offset || capacity - offset < bytes ? nullptr : begin + offset;
}

}  // namespace jcuconv::jni
