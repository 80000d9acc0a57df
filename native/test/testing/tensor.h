// A tensor on the emulated device. Everything around its elements is NaN: guard bands outside, gaps between pixels inside, and
// before it is written also the elements themselves.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/types.h"
#include "jcuconv/jcuconv.h"
#include "primitives/primitives.h"
#include "test/check.h"

namespace jcuconv::test {

inline float rounded(jcuconv_type type, double value) {
    const auto f = static_cast<float>(value);
    return type == JCUCONV_F16 ? to_f32(from_f32<f16>(f)) : type == JCUCONV_BF16 ? to_f32(from_f32<bf16>(f)) : f;
}

// Elements of a tensor whose type is known at run time.
inline void put_element(jcuconv_type type, void* elements, std::size_t at, float value) {
    if (type == JCUCONV_F32) static_cast<float*>(elements)[at] = value;
    if (type == JCUCONV_F16) static_cast<f16*>(elements)[at] = from_f32<f16>(value);
    if (type == JCUCONV_BF16) static_cast<bf16*>(elements)[at] = from_f32<bf16>(value);
}
inline float get_element(jcuconv_type type, const void* elements, std::size_t at) {
    if (type == JCUCONV_F16) return to_f32(static_cast<const f16*>(elements)[at]);
    if (type == JCUCONV_BF16) return to_f32(static_cast<const bf16*>(elements)[at]);
    return static_cast<const float*>(elements)[at];
}

// Distance of neighbouring values of the type near `value`, for error bounds.
inline double ulp(jcuconv_type type, double value) {
    const int bits = type == JCUCONV_F16 ? 10 : type == JCUCONV_BF16 ? 7 : 23;
    const int least = type == JCUCONV_F16 ? -14 : -126;
    const int exponent = value == 0 ? least : std::max(least, std::ilogb(value));
    return std::ldexp(1.0, exponent - bits);
}

// Device memory. After a kernel that failed the device stays lost, and a test without memory could only crash.
inline void* memory_or_exit(std::uint64_t bytes) {
    void* memory = nullptr;
    if (jcuconv_malloc(bytes, &memory) != JCUCONV_OK) {
        report(__FILE__, __LINE__, jcuconv_last_message());
        std::fflush(stdout);
        std::_Exit(1);
    }
    return memory;
}

class Tensor {
  public:
    // `shift`: elements between the (well aligned) allocation and the tensor, to test weak alignment.
    Tensor(jcuconv_type type, std::int64_t pixels, int channels, std::int64_t pitch = 0, int shift = 0)
        : type_(type), pixels_(pixels), channels_(channels), pitch_(pitch == 0 ? channels : pitch), shift_(shift) {
        const auto elements = static_cast<std::size_t>((pixels - 1) * pitch_ + channels + shift);
        bytes_ = elements * size_of(type);
        memory_ = memory_or_exit(bytes_);
        const std::lock_guard lock(live_mutex());
        live().push_back(this);
    }
    ~Tensor() {
        {
            const std::lock_guard lock(live_mutex());
            live().erase(std::find(live().begin(), live().end(), this));
        }
        if (jcuconv_free(memory_) != JCUCONV_OK) report(__FILE__, __LINE__, jcuconv_last_message());
    }
    Tensor(const Tensor&) = delete;
    Tensor& operator=(const Tensor&) = delete;

    void* address() const { return static_cast<std::byte*>(memory_) + static_cast<std::size_t>(shift_) * size_of(type_); }
    jcuconv_span span() const { return {address(), bytes_ - static_cast<std::size_t>(shift_) * size_of(type_)}; }
    std::int64_t elements() const { return pixels_ * channels_; }

    // Values in the order [pixel][channel], rounded to the type.
    void write(const std::vector<float>& values) {
        for (std::int64_t i = 0; i < elements(); ++i) put(i, values[static_cast<std::size_t>(i)]);
    }
    std::vector<float> read() const {
        std::vector<float> values(static_cast<std::size_t>(elements()));
        for (std::int64_t i = 0; i < elements(); ++i) values[static_cast<std::size_t>(i)] = get(i);
        return values;
    }

    // The live tensor that holds this address, or null.
    static const Tensor* holding(const void* address) {
        const std::lock_guard lock(live_mutex());
        const auto found = std::find_if(live().begin(), live().end(), [&](const Tensor* t) {
            const auto offset = reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(t->memory_);
            return offset < t->bytes_;
        });
        return found == live().end() ? nullptr : *found;
    }

    // Every byte of every element, but not what lies between the pixels. Device memory may be written through a constant tensor.
    void fill_elements(int byte) const {
        const std::size_t size = size_of(type_);
        for (std::int64_t pixel = 0; pixel < pixels_; ++pixel)
            std::memset(static_cast<std::byte*>(address()) + static_cast<std::size_t>(pixel * pitch_) * size, byte,
                        static_cast<std::size_t>(channels_) * size);
    }

    // True if nothing was written between the pixels, nor before the first one of a shifted tensor.
    bool gaps_untouched() const {
        const auto* p = static_cast<const unsigned char*>(address());
        const std::size_t size = size_of(type_);
        for (std::size_t b = 1; b <= static_cast<std::size_t>(shift_) * size; ++b)
            if (*(p - b) != 0xFF) return false;
        for (std::int64_t pixel = 0; pixel + 1 < pixels_; ++pixel)
            for (std::int64_t e = channels_; e < pitch_; ++e)
                for (std::size_t b = 0; b < size; ++b)
                    if (p[static_cast<std::size_t>(pixel * pitch_ + e) * size + b] != 0xFF) return false;
        return true;
    }

    bool same_bits(const Tensor& other) const { return bytes_ == other.bytes_ && std::memcmp(memory_, other.memory_, bytes_) == 0; }

  private:
    static std::vector<const Tensor*>& live() {
        static std::vector<const Tensor*> list;
        return list;
    }
    static std::mutex& live_mutex() {
        static std::mutex mutex;
        return mutex;
    }
    std::size_t at(std::int64_t i) const { return static_cast<std::size_t>(i / channels_ * pitch_ + i % channels_); }
    void put(std::int64_t i, float v) { put_element(type_, address(), at(i), v); }
    float get(std::int64_t i) const { return get_element(type_, address(), at(i)); }

    jcuconv_type type_;
    std::int64_t pixels_;
    int channels_;
    std::int64_t pitch_;
    int shift_;
    std::size_t bytes_ = 0;
    void* memory_ = nullptr;
};

// Scratch memory as a plan demands it: exact, and full of NaN.
struct Workspace {
    void* memory = nullptr;
    std::uint64_t bytes;
    explicit Workspace(std::uint64_t size) : bytes(size) {
        memory = memory_or_exit(size);
    }
    ~Workspace() {
        if (const std::string wrong = release(); !wrong.empty()) report(__FILE__, __LINE__, wrong);
    }
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    jcuconv_span span() const { return {memory, bytes}; }

    // Empty, or what happened around it.
    std::string release() {
        const auto status = jcuconv_free(std::exchange(memory, nullptr));
        return status == JCUCONV_OK ? "" : std::string("workspace: ") + jcuconv_last_message();
    }
};

// The spans of one execution, indexed by jcuconv_arg.
using Arguments = std::array<jcuconv_span, JCUCONV_ARG_COUNT>;

// What the oracle says about one element: the value in fp64, and how far a right fp32 computation may be from it.
struct Expected {
    std::vector<double> value;
    std::vector<double> bound;  // empty: exact after one rounding
};

// Empty, or how many elements differ and which is the first; NaN never passes.
inline std::string difference(const Tensor& actual, const Expected& expected, jcuconv_type type) {
    const auto values = actual.read();
    std::size_t wrong = 0, first = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double want = expected.value[i];
        const bool right = expected.bound.empty()
                               ? values[i] == rounded(type, want)
                               : std::abs(values[i] - want) <= expected.bound[i] + ulp(type, std::abs(want) + expected.bound[i]) / 2;
        if (!right && wrong++ == 0) first = i;
    }
    if (wrong == 0) return {};
    return std::to_string(wrong) + " of " + std::to_string(values.size()) + " elements differ, first " + std::to_string(first) + ": " +
           std::to_string(values[first]) + " instead of " + std::to_string(expected.value[first]);
}

inline bool matches(const std::string& what, const Tensor& actual, const Expected& expected, jcuconv_type type) {
    const std::string wrong = difference(actual, expected, type);
    if (!wrong.empty()) report(__FILE__, __LINE__, what + ": " + wrong);
    return wrong.empty();
}

}  // namespace jcuconv::test
