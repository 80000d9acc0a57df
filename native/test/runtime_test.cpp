// The runtime model: late execution, event order, and the mistakes it has to name.
#include "simt/runtime.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/device.h"
#include "primitives/primitives.h"
#include "simt/memory.h"
#include "simt/queue.h"
#include "test/check.h"

using namespace jcuconv;

namespace {

JCUCONV_KERNEL(64) scale_kernel(float* x, float factor) {
    float* p = x + thread_index();
    store_global(p, load_global(p) * factor);
}

// One buffer of 64 floats on the device, a stream, and work declared the way a plan declares it.
struct Fixture {
    float* x = nullptr;
    device::Stream stream = nullptr;
    std::vector<float> host = std::vector<float>(64, 3.0f);

    Fixture() {
        simt::reset_device();
        CHECK(device::allocate(64 * sizeof(float), reinterpret_cast<void**>(&x)).ok());
        CHECK(device::stream_create(&stream).ok());
    }
    ~Fixture() {
        simt::reset_device();
        CHECK(device::stream_destroy(stream).ok());
        CHECK(device::release(x).ok());
        CHECK(simt::live_allocations() == 0);
    }
    Outcome upload() { return device::copy(x, host.data(), 64 * sizeof(float), device::Copy::kToDevice, stream); }
    Outcome download(float* to) { return device::copy(to, x, 64 * sizeof(float), device::Copy::kToHost, stream); }
    Outcome scale(device::Stream on) {
        const device::Access access{x, 64 * sizeof(float), true};
        const device::Using declared({&access, 1});
        return launch("scale", scale_kernel, {1, 1, 1}, 64, 0, on, x, 2.0f);
    }
};

}  // namespace

// Times add up to the nanosecond, lie within what the host saw, and are those of the work, however late it runs.
JCUCONV_TEST(events_tell_the_time_of_the_work_between_them) {
    for (const bool eager : {false, true}) {
        Fixture f;
        simt::RuntimeOptions options;
        options.eager = eager;
        simt::set_runtime_options(options);
        device::Event events[3];
        const auto began = std::chrono::steady_clock::now();
        CHECK(f.upload().ok());
        for (device::Event& event : events) {
            CHECK(device::event_create(&event).ok());
            CHECK(device::event_record(event, f.stream).ok());
            CHECK(f.scale(f.stream).ok());
        }
        for (const device::Event event : events) CHECK(device::event_synchronize(event).ok());
        const std::int64_t seen = std::chrono::nanoseconds(std::chrono::steady_clock::now() - began).count();
        const auto elapsed = [&](int from, int to) {
            std::int64_t nanoseconds = -1;
            CHECK(device::event_elapsed(events[from], events[to], &nanoseconds).ok());
            return nanoseconds;
        };
        CHECK(elapsed(0, 1) > 0 && elapsed(1, 2) > 0);
        CHECK(elapsed(0, 2) == elapsed(0, 1) + elapsed(1, 2) && elapsed(0, 2) <= seen);
        CHECK(elapsed(1, 0) == -elapsed(0, 1));
        for (const device::Event event : events) CHECK(device::event_destroy(event).ok());
        CHECK(device::stream_synchronize(f.stream).ok());
        simt::set_runtime_options({});
    }
}

JCUCONV_TEST(work_runs_in_order_and_late) {
    Fixture f;
    std::vector<float> result(64, 0.0f);
    CHECK(f.upload().ok());
    CHECK(f.scale(f.stream).ok());
    CHECK(f.download(result.data()).ok());
    CHECK(std::isnan(result[0]));  // reading before synchronising shows
    CHECK(device::stream_synchronize(f.stream).ok());
    CHECK(result[0] == 6.0f && result[63] == 6.0f);
}

JCUCONV_TEST(a_source_that_changes_before_its_copy_ran_is_named) {
    Fixture f;
    CHECK(f.upload().ok());
    f.host[63] = 5.0f;
    const Outcome found = device::stream_synchronize(f.stream);
    CHECK(found.status == JCUCONV_INVALID_ORDER);
    CHECK_CONTAINS(found.text, "the host changed the source of an upload of 256 bytes before it had waited");
    CHECK(device::stream_synchronize(f.stream).status == JCUCONV_INVALID_ORDER);  // sticky
}

JCUCONV_TEST(a_destination_written_before_its_copy_landed_is_named) {
    Fixture f;
    std::vector<float> result(64);
    CHECK(f.download(result.data()).ok());
    result[1] = 0.0f;
    CHECK_CONTAINS(device::stream_synchronize(f.stream).text, "the host wrote into the destination of a download of 256 bytes");
}

JCUCONV_TEST(an_event_orders_two_streams) {
    for (std::uint64_t seed = 0; seed < 10; ++seed) {
        Fixture f;
        simt::set_runtime_options({.seed = seed});
        device::Stream second;
        device::Event event;
        CHECK(device::stream_create(&second).ok());
        CHECK(device::event_create(&event).ok());
        CHECK(f.upload().ok());
        CHECK(device::event_record(event, f.stream).ok());
        CHECK(device::stream_wait(second, event).ok());
        CHECK(f.scale(second).ok());
        CHECK(device::event_record(event, second).ok());
        CHECK(device::stream_wait(f.stream, event).ok());
        std::vector<float> result(64);
        CHECK(f.download(result.data()).ok());
        CHECK(device::stream_synchronize(f.stream).ok());
        CHECK(result[5] == 6.0f);
        CHECK(device::event_destroy(event).ok());
        CHECK(device::stream_destroy(second).ok());
        simt::set_runtime_options({});
    }
}

JCUCONV_TEST(streams_without_an_event_are_named) {
    Fixture f;
    CHECK(f.upload().ok());
    CHECK_CONTAINS(f.scale(nullptr).text, "scale uses memory that copy, queued on another stream, has not finished with");
    CHECK(device::stream_synchronize(f.stream).ok());
    CHECK(f.scale(nullptr).ok());
    CHECK(device::stream_synchronize(nullptr).ok());
}

JCUCONV_TEST(a_seed_draws_the_order_of_streams_that_nobody_orders) {
    std::vector<std::string> orders;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        simt::set_runtime_options({.seed = seed});
        std::string order;
        device::Stream streams[3];
        for (auto& stream : streams) CHECK(device::stream_create(&stream).ok());
        for (char step = 'a'; step < 'd'; ++step)
            for (auto& stream : streams) {
                const auto letter = static_cast<char>(step + 3 * (&stream - streams));
                CHECK(simt::enqueue(stream, "letter", [&order, letter] {
                          order += letter;
                          return std::string();
                      }).ok());
            }
        for (auto& stream : streams) CHECK(device::stream_destroy(stream).ok());
        CHECK(order.size() == 9);
        for (char first : {'a', 'd', 'g'})  // each stream on its own keeps its order
            CHECK(order.find(first) < order.find(static_cast<char>(first + 1)) &&
                  order.find(static_cast<char>(first + 1)) < order.find(static_cast<char>(first + 2)));
        orders.push_back(order);
    }
    simt::set_runtime_options({});
    std::sort(orders.begin(), orders.end());
    CHECK(std::unique(orders.begin(), orders.end()) - orders.begin() > 10);
}

JCUCONV_TEST(a_kernel_touches_only_what_its_plan_declared) {
    Fixture f;
    const auto run = [&](std::size_t bytes, bool writes) {
        simt::reset_device();
        const device::Access access{f.x, bytes, writes};
        const device::Using declared({&access, 1});
        CHECK(launch("scale", scale_kernel, {1, 1, 1}, 64, 0, f.stream, f.x, 2.0f).ok());
        return device::stream_synchronize(f.stream).text;
    };
    CHECK(run(256, true).empty());
    CHECK_CONTAINS(run(252, true), "read of 4 bytes");
    CHECK_CONTAINS(run(252, true), "at byte 252 of an allocation of 256 bytes: not part of what the plan declared");
    CHECK_CONTAINS(run(256, false), "write of 4 bytes");
}

JCUCONV_TEST(release_of_memory_in_use_is_named) {
    Fixture f;
    CHECK(f.upload().ok());
    CHECK_CONTAINS(device::release(f.x).text, "release of memory that queued copy still uses");
}

JCUCONV_TEST(a_fault_in_a_kernel_is_sticky) {
    Fixture f;
    CHECK(launch("scale", scale_kernel, {1, 1, 1}, 64, 0, f.stream, f.x + 1, 2.0f).ok());
    CHECK_CONTAINS(device::stream_synchronize(f.stream).text, "scale, block (0,0,0), thread 63: read of 4 bytes");
    CHECK(device::stream_synchronize(f.stream).status == JCUCONV_DEVICE_ERROR);
    CHECK(f.upload().status == JCUCONV_DEVICE_ERROR);
}

JCUCONV_TEST(dead_and_foreign_arguments_are_refused) {
    Fixture f;
    std::vector<float> other(64);
    CHECK(device::copy(other.data(), f.host.data(), 256, device::Copy::kToDevice, f.stream).status == JCUCONV_INVALID_MEMORY);
    CHECK(device::copy(f.x, f.host.data(), 257, device::Copy::kToDevice, f.stream).status == JCUCONV_INVALID_MEMORY);
    CHECK(device::fill(f.x + 1, 0, 256, f.stream).status == JCUCONV_INVALID_MEMORY);
    device::Stream dead;
    CHECK(device::stream_create(&dead).ok());
    CHECK(device::stream_destroy(dead).ok());
    CHECK(device::stream_synchronize(dead).status == JCUCONV_INVALID_STREAM);
    CHECK(f.scale(dead).status == JCUCONV_INVALID_STREAM);
    CHECK(device::release(other.data()).status == JCUCONV_INVALID_MEMORY);
    void* huge = nullptr;
    CHECK(device::allocate(std::size_t{1} << 62, &huge).status == JCUCONV_OUT_OF_MEMORY);
}
