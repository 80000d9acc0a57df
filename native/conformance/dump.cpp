#include "conformance/dump.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace jcuconv::conformance {

namespace {

struct TypeRow {
    Type type;
    const char* name;
    int digits;
};
constexpr TypeRow kTypes[] = {{Type::kU16, "u16", 4},   {Type::kU32, "u32", 8}, {Type::kF16, "f16", 4}, {Type::kBf16, "bf16", 4},
                              {Type::kTf32, "tf32", 8}, {Type::kF32, "f32", 8}, {Type::kF64, "f64", 16}};

const TypeRow& row_of(Type type) {
    return *std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeRow& row) { return row.type == type; });
}

constexpr char kAbsentWord[] = "absent";

}  // namespace

const char* name_of(Type type) { return row_of(type).name; }

double value_of(Type type, std::uint64_t bits) {
    if (type == Type::kF64) return std::bit_cast<double>(bits);
    if (type == Type::kBf16) return std::bit_cast<float>(static_cast<std::uint32_t>(bits << 16));
    if (type != Type::kF16) return std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    const auto fraction = static_cast<double>(bits & 0x3FFu);
    const int field = static_cast<int>(bits >> 10 & 0x1Fu);
    double magnitude = field == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, field - 25);
    if (field == 31) magnitude = fraction == 0 ? HUGE_VAL : std::nan("");
    return (bits & 0x8000u) != 0 ? -magnitude : magnitude;
}

bool Dump::absent() const {
    return !bits.empty() && std::all_of(bits.begin(), bits.end(), [](std::uint64_t b) { return b == kAbsent; });
}

std::string write(const Dump& dump, const std::string& path) {
    std::ofstream file(path);
    const TypeRow& row = row_of(dump.type);
    file << "name " << dump.name << "\ntype " << row.name << "\nshape " << dump.bits.size() / static_cast<std::size_t>(dump.columns)
         << ' ' << dump.columns << '\n';
    if (dump.absent()) {
        file << kAbsentWord << '\n';
    } else {
        for (std::size_t i = 0; i < dump.bits.size(); ++i) {
            char text[24];
            std::snprintf(text, sizeof text, "%0*llx", row.digits, static_cast<unsigned long long>(dump.bits[i]));
            file << text << ((i + 1) % static_cast<std::size_t>(dump.columns) == 0 ? '\n' : ' ');
        }
    }
    file.close();
    return file ? "" : path + ": cannot be written";
}

std::string read(Dump* dump, const std::string& path) {
    std::ifstream file(path);
    if (!file) return path + ": cannot be read";
    std::string name_word, type_word, shape_word, type;
    std::size_t rows = 0;
    file >> name_word >> dump->name >> type_word >> type >> shape_word >> rows >> dump->columns;
    const auto* row = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const TypeRow& r) { return type == r.name; });
    if (!file || name_word != "name" || type_word != "type" || shape_word != "shape" || row == std::end(kTypes))
        return path + ": is no conformance dump";
    dump->type = row->type;
    dump->bits.clear();
    const std::size_t count = rows * static_cast<std::size_t>(dump->columns);
    std::string word;
    while (file >> word) {
        if (word == kAbsentWord) {
            dump->bits.assign(count, kAbsent);
            break;
        }
        char* end = nullptr;
        dump->bits.push_back(std::strtoull(word.c_str(), &end, 16));
        if (*end != '\0') return path + ": holds a word that is no number";
    }
    return dump->bits.size() == count ? "" : path + ": holds fewer or more numbers than its shape";
}

}  // namespace jcuconv::conformance
