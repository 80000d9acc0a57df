// The C API's part about devices, memory and copies. Every address is checked here against the registry of memory.
#include <algorithm>
#include <cstring>

#include "core/device_objects.h"
#include "core/guard.h"
#include "core/memory_registry.h"

namespace jcuconv {

namespace {

Outcome bad_memory(std::string text) { return {JCUCONV_INVALID_MEMORY, std::move(text)}; }

Outcome on_device(const MemoryRegistry::Reading& memory, const char* what, const void* address, std::uint64_t bytes) {
    if (address == nullptr) return bad_memory(std::string(what) + " is null");
    if (memory.on_device(address, bytes)) return {};
    return bad_memory(std::string(what) + " of " + std::to_string(bytes) + " bytes is not inside memory of this device");
}

Outcome on_host(const MemoryRegistry::Reading& memory, const char* what, const void* address, std::uint64_t bytes,
                const StreamUse& stream) {
    if (address == nullptr) return bad_memory(std::string(what) + " is null");
    if (memory.touches_device(address, bytes)) return bad_memory(std::string(what) + " is device memory, not host memory");
    if (stream.capture() != 0 && !memory.pinned(address, bytes))
        return {JCUCONV_INVALID_CAPTURE, std::string(what) + " of a captured copy must be memory of jcuconv_malloc_host"};
    return {};
}

jcuconv_status queue_copy(void* to, const void* from, std::uint64_t bytes, device::Copy kind, jcuconv_stream stream) {
    return with_stream(stream, [&](const StreamUse& live) -> Outcome {
        if (bytes == 0) return {};
        const MemoryRegistry::Reading memory;
        JCUCONV_TRY(kind == device::Copy::kToHost ? on_host(memory, "copy: destination", to, bytes, live)
                                                  : on_device(memory, "copy: destination", to, bytes));
        JCUCONV_TRY(kind == device::Copy::kToDevice ? on_host(memory, "copy: source", from, bytes, live)
                                                    : on_device(memory, "copy: source", from, bytes));
        const auto a = reinterpret_cast<std::uintptr_t>(to), b = reinterpret_cast<std::uintptr_t>(from);
        if (kind == device::Copy::kOnDevice && a < b + bytes && b < a + bytes)
            return bad_memory("copy: source and destination overlap");
        live.keep(to, bytes);
        live.keep(from, bytes);
        return device::copy(to, from, bytes, kind, live.native());
    });
}

}  // namespace

Outcome write_text(const std::string& text, char* to, std::uint64_t capacity) {
    if (to == nullptr || capacity == 0) return {JCUCONV_INVALID_RESULT, "the place for the text is null or empty"};
    const auto length = std::min<std::uint64_t>(text.size(), capacity - 1);
    std::memcpy(to, text.data(), length);
    to[length] = 0;
    return {};
}

}  // namespace jcuconv

using namespace jcuconv;

uint32_t jcuconv_version(void) { return JCUCONV_VERSION; }

const char* jcuconv_last_message(void) { return last_message().c_str(); }

jcuconv_status jcuconv_device_count(int* count) {
    return guarded([&]() -> Outcome {
        if (count == nullptr) return no_place("number of devices");
        *count = 0;
        return device::count(count);
    });
}

jcuconv_status jcuconv_device_describe(char* text, uint64_t capacity) {
    return guarded([&]() -> Outcome {
        std::string line;
        JCUCONV_TRY(write_text(line, text, capacity));
        JCUCONV_TRY(device::describe(&line));
        return write_text(line, text, capacity);
    });
}

jcuconv_status jcuconv_memory_info(uint64_t* free_bytes, uint64_t* total_bytes) {
    return guarded([&]() -> Outcome {
        if (free_bytes == nullptr || total_bytes == nullptr) return no_place("numbers of bytes");
        return device::memory_info(free_bytes, total_bytes);
    });
}

jcuconv_status jcuconv_malloc(uint64_t bytes, void** address) {
    return guarded([&]() -> Outcome {
        if (address == nullptr) return no_place("address");
        *address = nullptr;
        return MemoryRegistry::instance().allocate(bytes, address);
    });
}

jcuconv_status jcuconv_free(void* address) {
    return guarded([&] { return MemoryRegistry::instance().release(address); });
}

jcuconv_status jcuconv_malloc_host(uint64_t bytes, void** address) {
    return guarded([&]() -> Outcome {
        if (address == nullptr) return no_place("address");
        *address = nullptr;
        return MemoryRegistry::instance().allocate_host(bytes, address);
    });
}

jcuconv_status jcuconv_free_host(void* address) {
    return guarded([&] { return MemoryRegistry::instance().release_host(address); });
}

jcuconv_status jcuconv_wrap(void* address, uint64_t bytes) {
    return guarded([&] { return MemoryRegistry::instance().wrap(address, bytes); });
}

jcuconv_status jcuconv_unwrap(void* address) {
    return guarded([&] { return MemoryRegistry::instance().unwrap(address); });
}

jcuconv_status jcuconv_copy_to_device(void* to, const void* from, uint64_t bytes, jcuconv_stream stream) {
    return queue_copy(to, from, bytes, device::Copy::kToDevice, stream);
}

jcuconv_status jcuconv_copy_to_host(void* to, const void* from, uint64_t bytes, jcuconv_stream stream) {
    return queue_copy(to, from, bytes, device::Copy::kToHost, stream);
}

jcuconv_status jcuconv_copy_on_device(void* to, const void* from, uint64_t bytes, jcuconv_stream stream) {
    return queue_copy(to, from, bytes, device::Copy::kOnDevice, stream);
}

jcuconv_status jcuconv_fill(void* to, uint8_t value, uint64_t bytes, jcuconv_stream stream) {
    return with_stream(stream, [&](const StreamUse& live) -> Outcome {
        if (bytes == 0) return {};
        const MemoryRegistry::Reading memory;
        JCUCONV_TRY(on_device(memory, "fill: destination", to, bytes));
        live.keep(to, bytes);
        return device::fill(to, value, bytes, live.native());
    });
}
