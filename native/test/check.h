// The whole test framework: a case registers itself, a failed check prints one line and the program exits with 1.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace jcuconv::test {

struct Case {
    const char* name;
    void (*body)();
};

inline std::vector<Case>& cases() {
    static std::vector<Case> list;
    return list;
}

inline int& failures() {
    static int count = 0;
    return count;
}

struct Register {
    Register(const char* name, void (*body)()) { cases().push_back({name, body}); }
};

inline void report(const char* file, int line, const std::string& text) {
    ++failures();
    std::printf("  FAILED %s:%d %s\n", std::strrchr(file, '/') ? std::strrchr(file, '/') + 1 : file, line, text.c_str());
    // A planted bug is caught by one failure; the rest would take time.
    if (std::getenv("JCUCONV_FIRST_FAILURE") != nullptr) {
        std::fflush(stdout);
        std::_Exit(1);
    }
}

}  // namespace jcuconv::test

// A function that makes on purpose a mistake which the sanitizer build would end the program for.
#define JCUCONV_DELIBERATE __attribute__((noinline, no_sanitize("address", "undefined")))

// A case's name says the mechanism it exercises.
#define JCUCONV_TEST(name)                                                       \
    static void test_##name();                                                   \
    static const ::jcuconv::test::Register register_##name(#name, &test_##name); \
    static void test_##name()

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) ::jcuconv::test::report(__FILE__, __LINE__, #condition); \
    } while (false)

#define CHECK_CONTAINS(text, part)                                                                               \
    do {                                                                                                         \
        const std::string text_ = (text);                                                                        \
        if (text_.find(part) == std::string::npos)                                                               \
            ::jcuconv::test::report(__FILE__, __LINE__, "\"" + text_ + "\" lacks \"" + std::string(part) + "\""); \
    } while (false)
