// The library itself: version, texts of statuses, handles, and the report at its end.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

#include "test/cudnn/stand_in.h"

namespace stand_in {

namespace {

struct Report {
    std::mutex mutex;
    std::map<std::string, int> calls;

    ~Report() {
        const char* path = std::getenv("CUDNN_STAND_IN_REPORT");
        if (path == nullptr) return;
        std::FILE* file = std::fopen(path, "w");
        if (file == nullptr) return;
        for (const auto& [name, count] : calls) std::fprintf(file, "%s %d\n", name.c_str(), count);
        std::fclose(file);
    }
};

Report& report() {
    static Report instance;
    return instance;
}

}  // namespace

void called(const char* name) {
    const std::lock_guard lock(report().mutex);
    ++report().calls[name];
}

bool ready(const void* handle) {
    const auto* found = object<Handle>(handle, kHandle);
    return found != nullptr && found->stream != nullptr;
}

}  // namespace stand_in

using namespace stand_in;

CUDNN_FUNCTION(std::size_t) cudnnGetVersion() { return std::getenv("CUDNN_STAND_IN_VERSION") ?
    std::atol(std::getenv("CUDNN_STAND_IN_VERSION")) : 90999; }
CUDNN_FUNCTION(std::size_t) cudnnGetCudartVersion() { return 13000; }

CUDNN_FUNCTION(const char*) cudnnGetErrorString(int status) {
    switch (status) {
        case kSuccess: return "STAND_IN_SUCCESS";
        case kBadParam: return "STAND_IN_BAD_PARAM";
        case kNotSupported: return "STAND_IN_NOT_SUPPORTED";
        case kExecutionFailed: return "STAND_IN_EXECUTION_FAILED";
        default: return "STAND_IN_UNKNOWN_STATUS";
    }
}

CUDNN_FUNCTION(int) cudnnCreate(void** handle) {
    called("cudnnCreate");
    if (handle == nullptr) return kBadParam;
    *handle = new Handle;
    return kSuccess;
}

CUDNN_FUNCTION(int) cudnnDestroy(void* handle) {
    called("cudnnDestroy");
    if (object<Handle>(handle, kHandle) == nullptr) return kBadParam;
    static_cast<Handle*>(handle)->kind = kDestroyed;
    delete static_cast<Handle*>(handle);
    return kSuccess;
}

CUDNN_FUNCTION(int) cudnnSetStream(void* handle, void* stream) {
    if (object<Handle>(handle, kHandle) == nullptr) return kBadParam;
    static_cast<Handle*>(handle)->stream = stream;
    return kSuccess;
}
