// Device memory and pinned memory. Releasing what queued work uses is an error here; a GPU would wait, or worse.
#include <cstdlib>
#include <cstring>

#include "simt/memory.h"
#include "simt/runtime/model.h"

namespace jcuconv::device {

using namespace jcuconv::simt;

namespace {

constexpr std::size_t kPage = 4096;

Outcome out_of_memory(std::size_t bytes) { return {JCUCONV_OUT_OF_MEMORY, "no " + std::to_string(bytes) + " bytes of memory"}; }

Outcome check_idle(Model& m, const void* pointer, std::size_t bytes) {
    const std::string user = user_of(m, {pointer, bytes, true});
    if (user.empty()) return {};
    return {JCUCONV_INVALID_MEMORY, "release of memory that queued " + user + " still uses: wait for its stream first"};
}

std::map<const void*, std::size_t>& pinned() {
    static auto* sizes = new std::map<const void*, std::size_t>;
    return *sizes;
}

}  // namespace

Outcome allocate(std::size_t bytes, void** pointer) {
    {
        Model& m = model();
        const std::lock_guard lock(m.mutex);
        if (!m.lost.ok()) return m.lost;
        JCUCONV_TRY(forbid_in_capture(m, "allocating device memory"));
    }
    *pointer = simt::allocate(bytes);
    return *pointer == nullptr ? out_of_memory(bytes) : Outcome();
}

Outcome release(void* pointer) {
    if (pointer == nullptr) return {};
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    JCUCONV_TRY(forbid_in_capture(m, "releasing device memory"));
    JCUCONV_TRY(check_idle(m, pointer, std::max<std::size_t>(simt::size_of(pointer), 1)));
    if (std::string error = simt::release(pointer); !error.empty()) return {JCUCONV_INVALID_MEMORY, error};
    return {};
}

Outcome allocate_host(std::size_t bytes, void** pointer) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    if (!m.lost.ok()) return m.lost;
    JCUCONV_TRY(forbid_in_capture(m, "allocating pinned memory"));
    if (bytes > SIZE_MAX / 2) return out_of_memory(bytes);
    void* memory = std::aligned_alloc(kPage, (bytes + kPage - 1) / kPage * kPage);
    if (memory == nullptr) return out_of_memory(bytes);
    std::memset(memory, kPoison, bytes);
    pinned()[memory] = bytes;
    *pointer = memory;
    return {};
}

Outcome release_host(void* pointer) {
    if (pointer == nullptr) return {};
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    JCUCONV_TRY(forbid_in_capture(m, "releasing pinned memory"));
    const auto found = pinned().find(pointer);
    if (found == pinned().end()) return {JCUCONV_INVALID_MEMORY, "release of an address that is not pinned memory"};
    JCUCONV_TRY(check_idle(m, pointer, found->second));
    pinned().erase(found);
    std::free(pointer);
    return {};
}

Outcome check_memory(const void* pointer, std::size_t bytes) {
    if (covers(pointer, bytes)) return {};
    return {JCUCONV_INVALID_MEMORY, std::to_string(bytes) + " bytes at this address are not inside live memory of the emulated device"};
}

}  // namespace jcuconv::device
