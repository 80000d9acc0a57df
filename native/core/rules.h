// Small building blocks of validation. Each returns OK or a status that names the argument with one line that names the rule.
#pragma once

#include <cstdint>
#include <initializer_list>
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

// The pass of an operation that has a forward and a backward one, or only the former.
inline Outcome is_pass(jcuconv_pass pass, bool backward) {
    if (pass == JCUCONV_FPROP || (backward && pass == JCUCONV_DGRAD)) return {};
    return {JCUCONV_INVALID_PASS, "pass = " + std::to_string(pass) + ": this operation has " +
                                      (backward ? "fprop and dgrad only" : "fprop only")};
}

inline Outcome check_workspace_limit(std::uint64_t bytes, std::uint64_t limit) {
    if (bytes <= limit) return {};
    return {JCUCONV_UNSUPPORTED_WORKSPACE_LIMIT,
            "needs " + std::to_string(bytes) + " bytes of workspace, the limit is " + std::to_string(limit)};
}

// Elements per access: four if all rows and the memory allow it.
inline int vector_width(jcuconv_type type, int alignment, std::initializer_list<std::int64_t> multiples) {
    if (alignment < 4 * static_cast<int>(size_of(type))) return 1;
    for (const std::int64_t m : multiples)
        if (m % 4 != 0) return 1;
    return 4;
}

// Limits that keep offsets below 2^63 and a grid of one thread per item below 2^31 blocks.
constexpr std::int64_t kMaxElements = std::int64_t{1} << 56;
constexpr std::int64_t kMaxItems = std::int64_t{INT32_MAX} * 256;

// Bytes from the first to the last element of `pixels` pixels.
inline std::uint64_t tensor_bytes(std::int64_t pixels, std::int64_t pitch, int channels, std::size_t element) {
    return (static_cast<std::uint64_t>(pixels - 1) * static_cast<std::uint64_t>(pitch) + static_cast<std::uint64_t>(channels)) *
           element;
}

}  // namespace jcuconv
