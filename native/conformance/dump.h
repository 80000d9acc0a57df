// What one conformance kernel put out, and its file: a few words of heading, then one row of hexadecimal bits per line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace jcuconv::conformance {

// How the bits are to be read.
enum class Type { kU16, kU32, kF16, kBf16, kTf32, kF32, kF64 };

const char* name_of(Type type);
double value_of(Type type, std::uint64_t bits);  // of a floating-point type

struct Dump {
    std::string name;
    Type type = Type::kU32;
    int columns = 1;
    std::vector<std::uint64_t> bits;

    // The device cannot do this: every element is kAbsent.
    bool absent() const;
};

// What a kernel writes in place of a result where the architecture lacks the primitive.
constexpr std::uint64_t kAbsent = ~std::uint64_t{0};

// Empty, or what went wrong.
std::string write(const Dump& dump, const std::string& path);
std::string read(Dump* dump, const std::string& path);

}  // namespace jcuconv::conformance
