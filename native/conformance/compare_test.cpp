// The conformance kernels on the emulated device, and that their comparison finds what it should.
#include <bit>
#include <cmath>
#include <cstdio>
#include <unistd.h>

#include <filesystem>

#include "conformance/compare.h"
#include "conformance/kernels.h"
#include "conformance/rounding.h"
#include "simt/executor.h"
#include "test/check.h"

using namespace jcuconv;
using namespace jcuconv::conformance;

namespace {

Dump dump_of(const Kernel& kernel, const simt::Options& options = {}) {
    Dump dump;
    simt::set_options(options);
    const Outcome outcome = run(kernel, &dump);
    simt::set_options({});
    if (!outcome.ok()) test::report(__FILE__, __LINE__, std::string(kernel.name) + ": " + outcome.text);
    return dump;
}

Dump dump_of(const std::string& name, const simt::Options& options = {}) {
    for (const Kernel& kernel : all_kernels())
        if (name == kernel.name) return dump_of(kernel, options);
    test::report(__FILE__, __LINE__, "no kernel " + name);
    return {};
}

bool judged_by_bits(const std::string& name) {
    return !name.starts_with("rounding_") && !name.ends_with("_f32") && name != "pow_f64";
}

}  // namespace

JCUCONV_TEST(conformance_kernels_write_everything_and_the_same_in_any_order) {
    int kernels = 0;
    for (const Kernel& kernel : all_kernels()) {
        const Dump dump = dump_of(kernel);
        for (const std::uint64_t bits : dump.bits) CHECK(bits != kUnwritten);
        CHECK(!dump.absent());
        for (std::uint64_t seed = 1; seed <= 3; ++seed)
            CHECK(dump_of(kernel, {.seed = seed, .copies = simt::Copies::kRandom}).bits == dump.bits);
        CHECK(compare(dump, dump).agrees);
        ++kernels;
    }
    CHECK(kernels == 57);
}

JCUCONV_TEST(conformance_files_give_back_what_was_written) {
    const std::string path = (std::filesystem::temp_directory_path() / ("jcuconv_dump_" + std::to_string(getpid()) + ".txt")).string();
    for (const Kernel& kernel : all_kernels()) {
        const Dump dump = dump_of(kernel);
        Dump again;
        CHECK(write(dump, path).empty());
        CHECK(read(&again, path).empty());
        CHECK(again.name == dump.name && again.type == dump.type && again.columns == dump.columns && again.bits == dump.bits);
    }
    Dump absent = dump_of("mma_bf16"), again;
    absent.bits.assign(absent.bits.size(), kAbsent);
    CHECK(write(absent, path).empty() && read(&again, path).empty() && again.absent());
    const Verdict verdict = compare(again, dump_of("mma_bf16"));
    CHECK(verdict.agrees && verdict.text == "absent on this architecture");
    std::filesystem::resize_file(path, 10);
    CHECK_CONTAINS(read(&again, path), "is no conformance dump");
    std::filesystem::remove(path);
    CHECK_CONTAINS(read(&again, path), "cannot be read");
}

JCUCONV_TEST(conformance_finds_one_wrong_bit_anywhere) {
    for (const Kernel& kernel : all_kernels()) {
        if (!judged_by_bits(kernel.name)) continue;
        const Dump right = dump_of(kernel);
        for (const std::size_t i : {std::size_t{0}, right.bits.size() / 2, right.bits.size() - 1}) {
            Dump wrong = right;
            wrong.bits[i] ^= std::uint64_t{1} << (right.type == Type::kTf32 ? 31 : 3);
            if (right.type != Type::kU16 && right.type != Type::kU32 && std::isnan(value_of(right.type, right.bits[i]))) continue;
            const Verdict verdict = compare(wrong, right);
            CHECK(!verdict.agrees);
            CHECK_CONTAINS(verdict.text, "1 of " + std::to_string(right.bits.size()) + " elements differ, first at row ");
        }
        Dump shorter = right;
        shorter.bits.pop_back();
        CHECK_CONTAINS(compare(shorter, right).text, "another name, type or shape");
    }
}

JCUCONV_TEST(conformance_bounds_functions) {
    for (const char* name : {"exp_f32", "log_f32", "tanh_f32", "sqrt_f32", "pow_f32", "pow_f64"}) {
        const Dump right = dump_of(name);
        Dump off = right;
        off.bits[8] += 6;  // result of the third point
        CHECK(!compare(off, right).agrees);
        Dump special = right;
        special.bits[8] = right.type == Type::kF64 ? 0x7FF8000000000000u : 0x7FC00000u;
        CHECK(!compare(special, right).agrees || std::isnan(value_of(right.type, right.bits[8])));
        Dump arguments = right;
        arguments.bits[6] ^= 1;
        CHECK_CONTAINS(compare(arguments, right).text, "the arguments differ");
    }
}

// The vectors tell rules apart: a device that follows one is explained by just that one.
JCUCONV_TEST(conformance_recovers_the_rounding_that_a_device_follows) {
    struct Row {
        const char* name;
        simt::MmaType type;
    };
    for (const Row row : {Row{"rounding_f16", simt::MmaType::kF16}, Row{"rounding_bf16", simt::MmaType::kBf16},
                          Row{"rounding_tf32", simt::MmaType::kTf32}}) {
        for (const int block : {1, 2, 4, 8, 16}) {
            if (block > rounding_depth(row.type)) continue;
            for (const int extra_bits : {0, 1, 2, 3}) {
                for (const bool truncate : {true, false}) {
                    const Dump dump = dump_of(row.name, {.mma = {block, extra_bits, truncate}});
                    const Explanation found = explain(row.type, dump);
                    CHECK(found.unexplained == 0);
                    CHECK(found.rule.block == block && found.rule.extra_bits == extra_bits && found.rule.truncate == truncate);
                }
            }
        }
        const Dump exact = dump_of(row.name);
        CHECK(explain(row.type, exact).unexplained == 0 && explain(row.type, exact).rule.block == 0);
        CHECK_CONTAINS(compare(exact, exact).text, "explained by the exact sum");
        Dump odd = exact;
        odd.bits[200] ^= 1u << 20;
        const Verdict verdict = compare(odd, exact);
        CHECK(!verdict.agrees);
        CHECK_CONTAINS(verdict.text, "no rule explains it; the nearest, the exact sum, rounded once, misses 1 of 1536 sums, first product 1, row 9");
    }
}
