// The registry of memory and everything that is wrapped, allocated and released through the C API.
#include <algorithm>
#include <cmath>
#include <thread>

#include "core/device.h"
#include "core/memory_registry.h"
#include "test/testing/host_program.h"
#include "test/testing/random.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr std::size_t kCount = 64, kBytes = kCount * sizeof(float);

void refused(jcuconv_status status, const char* text) {
    CHECK(status == JCUCONV_INVALID_MEMORY);
    CHECK_CONTAINS(jcuconv_last_message(), text);
}

}  // namespace

JCUCONV_TEST(ranges_agree_with_a_plain_list) {
    Random random(5);
    Ranges ranges;
    struct Plain {
        std::uintptr_t begin, end;
        int count;
    };
    std::vector<Plain> plain;
    const auto number = [&](int limit) { return static_cast<std::uintptr_t>(random.between(1, limit)); };
    for (int i = 0; i < 20000; ++i) {
        const auto begin = number(60), end = begin + number(12);
        const auto same = std::find_if(plain.begin(), plain.end(), [&](const Plain& p) { return p.begin == begin; });
        if (random.chance(40)) {
            ranges.add(begin, end);
            if (same == plain.end())
                plain.push_back({begin, end, 1});
            else
                same->end = std::max(same->end, end), ++same->count;
        } else {
            CHECK(ranges.remove(begin) == (same != plain.end()));
            if (same != plain.end() && --same->count == 0) plain.erase(same);
        }
        const auto from = number(70), bytes = number(14) - 1;
        const auto any = [&](auto f) { return std::any_of(plain.begin(), plain.end(), f); };
        CHECK(ranges.covers(from, bytes) == any([&](const Plain& p) { return p.begin <= from && from + bytes <= p.end; }));
        CHECK(ranges.touches(from, from + bytes + 1) == any([&](const Plain& p) { return p.begin < from + bytes + 1 && from < p.end; }));
        const auto exact = std::find_if(plain.begin(), plain.end(), [&](const Plain& p) { return p.begin == from; });
        CHECK(ranges.end_of(from) == (exact == plain.end() ? 0 : exact->end));
    }
}

JCUCONV_TEST(covers_does_not_overflow) {
    Ranges ranges;
    ranges.add(UINTPTR_MAX - 100, UINTPTR_MAX);
    CHECK(ranges.covers(UINTPTR_MAX - 100, 100));
    CHECK(!ranges.covers(UINTPTR_MAX - 100, 101));
    CHECK(!ranges.covers(UINTPTR_MAX - 50, UINT64_MAX));
    CHECK(!ranges.covers(0, UINT64_MAX));
}

JCUCONV_TEST(memory_from_outside_enters_once) {
    HostProgram program;
    void* outside = nullptr;
    CHECK(device::allocate(4 * kBytes, &outside).ok());  // not by the C API
    auto* memory = static_cast<float*>(outside);
    refused(jcuconv_fill(memory, 0, kBytes, nullptr), "is not inside memory of this device");
    must(jcuconv_wrap(memory + kCount, 2 * kBytes));
    must(jcuconv_fill(memory + kCount, 1, 2 * kBytes, nullptr));
    must(jcuconv_fill(memory + 2 * kCount, 2, kBytes, nullptr));
    refused(jcuconv_fill(memory + kCount, 0, 2 * kBytes + 1, nullptr), "is not inside memory");
    refused(jcuconv_fill(memory, 0, kBytes, nullptr), "is not inside memory");
    must(jcuconv_wrap(memory + kCount, kBytes));  // again, and smaller: the larger counts
    must(jcuconv_unwrap(memory + kCount));
    must(jcuconv_fill(memory + kCount, 1, 2 * kBytes, nullptr));
    refused(jcuconv_free(memory + kCount), "jcuconv_malloc did not give");
    must(jcuconv_stream_synchronize(nullptr));
    must(jcuconv_unwrap(memory + kCount));
    refused(jcuconv_unwrap(memory + kCount), "is not wrapped");
    refused(jcuconv_fill(memory + kCount, 0, kBytes, nullptr), "is not inside memory");
    CHECK(device::release(outside).ok());
}

JCUCONV_TEST(wrapping_asks_the_device) {
    HostProgram program;
    std::vector<float> host(kCount);
    float* live = program.device(kCount);
    float* dead = program.device(kCount);
    program.release(dead);
    refused(jcuconv_wrap(nullptr, kBytes), "the address is null");
    refused(jcuconv_wrap(live, 0), "0 bytes");
    refused(jcuconv_wrap(host.data(), kBytes), "not inside live memory");
    refused(jcuconv_wrap(program.pinned(kCount), kBytes), "not inside live memory");
    refused(jcuconv_wrap(dead, kBytes), "not inside live memory");
    refused(jcuconv_wrap(live, kBytes + 1), "not inside live memory");
    refused(jcuconv_wrap(live, UINT64_MAX), "passes the end of the address space");
    refused(jcuconv_wrap(reinterpret_cast<void*>(std::uintptr_t{64}), 4), "not inside live memory");
}

JCUCONV_TEST(memory_that_its_owner_released_is_named_when_it_is_used) {
    HostProgram program;
    void* outside = nullptr;
    CHECK(device::allocate(kBytes, &outside).ok());
    must(jcuconv_wrap(outside, kBytes));
    CHECK(device::release(outside).ok());  // without unwrapping: the owner's fault
    refused(jcuconv_fill(outside, 0, kBytes, nullptr), "fill uses memory that is not live memory");
    must(jcuconv_unwrap(outside));
}

JCUCONV_TEST(a_wrapped_part_holds_its_allocation) {
    HostProgram program;
    float* whole = program.device(2 * kCount);
    must(jcuconv_wrap(whole + 8, kBytes));
    refused(jcuconv_free(whole), "release of memory of which a part is wrapped");
    must(jcuconv_unwrap(whole + 8));
    program.release(whole);
}

JCUCONV_TEST(releases_take_only_what_was_given) {
    HostProgram program;
    float* memory = program.device(kCount);
    float* pinned = program.pinned(kCount);
    float host = 0;
    must(jcuconv_free(nullptr));
    must(jcuconv_free_host(nullptr));
    refused(jcuconv_free(memory + 1), "jcuconv_malloc did not give");
    refused(jcuconv_free(pinned), "jcuconv_malloc did not give");
    refused(jcuconv_free(&host), "jcuconv_malloc did not give");
    refused(jcuconv_free_host(memory), "jcuconv_malloc_host did not give");
    refused(jcuconv_free_host(pinned + 1), "jcuconv_malloc_host did not give");
    program.release(memory);
    refused(jcuconv_free(memory), "released before");
    void* address = &host;
    must(jcuconv_malloc(0, &address));
    CHECK(address == nullptr);
    CHECK(jcuconv_malloc(UINT64_MAX, &address) == JCUCONV_OUT_OF_MEMORY);
    CHECK(jcuconv_malloc_host(UINT64_MAX, &address) == JCUCONV_OUT_OF_MEMORY);
    CHECK(jcuconv_malloc(8, nullptr) == JCUCONV_INVALID_RESULT && jcuconv_malloc_host(8, nullptr) == JCUCONV_INVALID_RESULT);
}

JCUCONV_TEST(copies_know_host_from_device) {
    HostProgram program;
    float* device_memory = program.device(2 * kCount);
    float* pinned = program.pinned(kCount);
    refused(jcuconv_copy_to_device(pinned, device_memory, kBytes, nullptr), "copy: destination of 256 bytes is not inside memory");
    refused(jcuconv_copy_to_device(device_memory, device_memory + kCount, kBytes, nullptr), "copy: source is device memory");
    refused(jcuconv_copy_to_host(device_memory + kCount, device_memory, kBytes, nullptr), "copy: destination is device memory");
    refused(jcuconv_copy_to_host(pinned, nullptr, kBytes, nullptr), "copy: source is null");
    refused(jcuconv_copy_to_host(nullptr, device_memory, kBytes, nullptr), "copy: destination is null");
    refused(jcuconv_copy_on_device(device_memory, device_memory + 1, kBytes, nullptr), "source and destination overlap");
    refused(jcuconv_copy_on_device(device_memory, device_memory + kCount, UINT64_MAX, nullptr), "is not inside memory");
    must(jcuconv_copy_to_host(nullptr, nullptr, 0, nullptr));
    must(jcuconv_fill(nullptr, 0, 0, nullptr));
    CHECK(jcuconv_fill(nullptr, 0, 0, reinterpret_cast<void*>(std::uintptr_t{77})) == JCUCONV_INVALID_STREAM);
}

JCUCONV_TEST(pinned_memory_in_flight_is_held) {
    HostProgram program;
    float* memory = program.device(kCount);
    float* pinned = program.pinned(kCount);
    CHECK(std::isnan(pinned[0]) && std::isnan(pinned[kCount - 1]));
    std::fill_n(pinned, kCount, 2.0f);
    must(jcuconv_copy_to_device(memory, pinned, kBytes, nullptr));
    refused(jcuconv_free_host(pinned), "release of memory that queued copy still uses");
    must(jcuconv_stream_synchronize(nullptr));
    CHECK(memory[63] == 2.0f);
}

JCUCONV_TEST(the_device_describes_itself) {
    int count = 0;
    std::uint64_t available = 0, total = 0;
    char text[200], cut[9];
    must(jcuconv_device_count(&count));
    CHECK(count == 1);
    must(jcuconv_device_describe(text, sizeof text));
    CHECK(std::strncmp(text, "emulated device", 15) == 0);
    must(jcuconv_device_describe(cut, sizeof cut));
    CHECK(std::string(cut) == "emulated");
    must(jcuconv_memory_info(&available, &total));
    CHECK(available > 0 && available <= total);
    CHECK(jcuconv_version() == JCUCONV_VERSION);
    CHECK(jcuconv_device_count(nullptr) == JCUCONV_INVALID_RESULT);
    CHECK(jcuconv_device_describe(text, 0) == JCUCONV_INVALID_RESULT);
    CHECK(jcuconv_memory_info(nullptr, &total) == JCUCONV_INVALID_RESULT);
}
