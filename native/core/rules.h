// Small building blocks of validation. Each returns OK or a status that names the argument with one line that names the rule.
#pragma once

#include <string>

#include "core/outcome.h"
#include "core/types.h"

namespace jcuconv {

inline Outcome at_least(const char* name, std::int64_t value, std::int64_t least, jcuconv_status status) {
    if (value >= least) return {};
    return {status, std::string(name) + " = " + std::to_string(value) + ": must be at least " + std::to_string(least)};
}

inline Outcome at_most(const char* name, std::int64_t value, std::int64_t most, jcuconv_status status) {
    if (value <= most) return {};
    return {status, std::string(name) + " = " + std::to_string(value) + ": at most " + std::to_string(most) + " is supported"};
}

inline Outcome is_flag(const char* name, int value, jcuconv_status status) {
    if (value == 0 || value == 1) return {};
    return {status, std::string(name) + " = " + std::to_string(value) + ": must be 0 or 1"};
}

// The pitch in elements, 0 standing for `channels`.
inline Outcome pitch_of(const char* name, std::int64_t pitch, int channels, std::int64_t* result) {
    *result = pitch == 0 ? channels : pitch;
    if (*result >= channels && *result <= INT32_MAX) return {};
    return {JCUCONV_INVALID_PITCH, std::string(name) + " = " + std::to_string(pitch) + ": must be 0 or at least the " +
                                       std::to_string(channels) + " channels, below 2^31"};
}

// The alignment in bytes, 0 standing for 16.
inline Outcome alignment_of(int type, int alignment, int* result) {
    if (!is_type(type)) return {JCUCONV_INVALID_TYPE, "type = " + std::to_string(type) + ": not a jcuconv_type"};
    const int least = static_cast<int>(size_of(static_cast<jcuconv_type>(type)));
    *result = alignment == 0 ? 16 : alignment;
    if (*result >= least && (*result & (*result - 1)) == 0) return {};
    return {JCUCONV_INVALID_PITCH, "alignment = " + std::to_string(alignment) +
                                       ": must be 0 or a power of two, at least one element (" + std::to_string(least) + ")"};
}

// Bytes from the first to the last element of `pixels` pixels.
inline std::uint64_t tensor_bytes(std::int64_t pixels, std::int64_t pitch, int channels, std::size_t element) {
    return (static_cast<std::uint64_t>(pixels - 1) * static_cast<std::uint64_t>(pitch) + static_cast<std::uint64_t>(channels)) *
           element;
}

}  // namespace jcuconv
