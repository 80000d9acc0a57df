// What the race build covered: linked last, so that every other case ran before.
#include <map>
#include <set>

#include "simt/executor.h"
#include "test/check.h"
#include "test/testing/run.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

std::map<std::string, std::set<std::string>>& operations_of() {
    static std::map<std::string, std::set<std::string>> operations;
    return operations;
}

simt::Blocks noted(const char* kernel, simt::Dim3 grid) {
    operations_of()[kernel].insert(current_operation());
    return {{0, 0, 0}, grid};
}

// Set before the first case runs.
const bool watching = (simt::set_block_filter(noted), true);

}  // namespace

JCUCONV_TEST(race_every_tensor_core_kernel_ran_on_100_problems) {
    CHECK(watching);
    for (const auto& [kernel, operations] : operations_of()) {
        std::printf("       %4zu problems: %s\n", operations.size(), kernel.c_str());
        if (kernel.find("mma") != std::string::npos && operations.size() < 100) report(__FILE__, __LINE__, kernel + ": fewer than 100");
    }
    CHECK(operations_of().size() >= 20);
}
