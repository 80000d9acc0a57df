// Runs all cases of a test program, or those whose name contains the first argument.
#include <cstdio>
#include <cstring>
#include <exception>

#include "test/check.h"

#ifdef JCUCONV_SANITIZE
// Kernels that fail on purpose leave their fibers in the middle of what they were doing, and with them what these own.
extern "C" __attribute__((visibility("default"))) const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

int main(int argc, char** argv) {
    using namespace jcuconv::test;
    int ran = 0;
    for (const Case& c : cases()) {
        if (argc > 1 && std::strstr(c.name, argv[1]) == nullptr) continue;
        const int before = failures();
        try {
            c.body();
        } catch (const std::exception& e) {
            report(__FILE__, __LINE__, std::string(c.name) + " threw: " + e.what());
        }
        ++ran;
        std::printf("%s %s\n", failures() == before ? "ok    " : "FAILED", c.name);
    }
    std::printf("%d cases, %d failed checks\n", ran, failures());
    return failures() == 0 && ran > 0 ? 0 : 1;
}
