// Runs all cases of a test program, or those whose name contains the first argument.
#include <cstdio>
#include <cstring>

#include "test/check.h"

int main(int argc, char** argv) {
    using namespace jcuconv::test;
    int ran = 0;
    for (const Case& c : cases()) {
        if (argc > 1 && std::strstr(c.name, argv[1]) == nullptr) continue;
        const int before = failures();
        c.body();
        ++ran;
        std::printf("%s %s\n", failures() == before ? "ok    " : "FAILED", c.name);
    }
    std::printf("%d cases, %d failed checks\n", ran, failures());
    return failures() == 0 && ran > 0 ? 0 : 1;
}
