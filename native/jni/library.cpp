#include "jni/library.h"

#include <dlfcn.h>

#include <array>
#include <atomic>
#include <mutex>
#include <string>

namespace jcuconv::jni {

namespace {

constexpr std::size_t kMaxLibraries = 8;  // a JVM opens two: emulated and cuda

std::mutex opening;
std::array<Library, kMaxLibraries> libraries;
std::atomic<std::size_t> opened{0};
std::string last_error;

bool resolve(void* handle, const char* name, void** function) {
    *function = dlsym(handle, name);
    if (*function == nullptr) last_error = std::string("the library lacks ") + name + ": it is of another version";
    return *function != nullptr;
}

}  // namespace

int open_library(const char* path) noexcept {
    const std::lock_guard lock(opening);
    const std::size_t number = opened.load();
    if (number == kMaxLibraries) {
        last_error = "too many libraries are open";
        return -1;
    }
    void* handle = path == nullptr ? nullptr : dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
        last_error = path == nullptr ? "the path is null" : dlerror();
        return -1;
    }
    Library& library = libraries[number];
#define JCUCONV_JNI_RESOLVE(name) \
    if (!resolve(handle, #name, reinterpret_cast<void**>(&library.name))) return -1;
    JCUCONV_JNI_FUNCTIONS(JCUCONV_JNI_RESOLVE)
#undef JCUCONV_JNI_RESOLVE
    opened.store(number + 1);  // published only now that every member is set
    return static_cast<int>(number);
}

const char* open_error() noexcept { return last_error.c_str(); }

const Library* find_library(int number) noexcept {
    const bool known = number >= 0 && static_cast<std::size_t>(number) < opened.load();
    return known ? &libraries[static_cast<std::size_t>(number)] : nullptr;
}

}  // namespace jcuconv::jni
