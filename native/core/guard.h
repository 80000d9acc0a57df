// The border of the C API: outcomes become statuses and no C++ exception gets out.
#pragma once

#include <exception>
#include <new>
#include <string>

#include "core/outcome.h"

namespace jcuconv {

inline std::string& last_message() {
    static thread_local std::string message;
    return message;
}

inline jcuconv_status finish(Outcome outcome) {
    if (!outcome.ok()) last_message() = std::move(outcome.text);
    return outcome.status;
}

template <class F>
jcuconv_status guarded(F f) noexcept {
    try {
        return finish(f());
    } catch (const std::bad_alloc&) {
        last_message().clear();  // a text would need memory
        return JCUCONV_OUT_OF_MEMORY;
    } catch (const std::exception& e) {
        return finish({JCUCONV_INTERNAL_ERROR, e.what()});
    }
}

inline Outcome no_place(const char* what) {
    return {JCUCONV_INVALID_RESULT, std::string("the place for the ") + what + " is null"};
}

// Writes text, cut to `capacity` bytes with the final zero.
Outcome write_text(const std::string& text, char* to, std::uint64_t capacity);

}  // namespace jcuconv
