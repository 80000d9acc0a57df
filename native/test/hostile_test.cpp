// Any value in any place, from several threads at once: every call gives a status, nothing crashes, and afterwards the device is whole.
#include <atomic>
#include <mutex>
#include <thread>

#include "simt/memory.h"
#include "simt/runtime.h"
#include "test/check.h"
#include "test/testing/random.h"
#include "jcuconv/jcuconv.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr int kFunctions = 24;
constexpr std::size_t kLargest = 4096;  // bytes of any device memory here, and of the host memory behind every copy
constexpr int kHostParts = 64;

// What the calls gave out, alive or dead, for all to misuse.
class Pool {
  public:
    void add(std::uint64_t value) {
        const std::lock_guard lock(mutex_);
        if (values_.size() < 300)
            values_.push_back(value);
        else
            values_[next_++ % values_.size()] = value;
        all_.push_back(value);
    }
    std::uint64_t any(Random& random) {
        const std::lock_guard lock(mutex_);
        return values_.empty() ? 0 : values_[static_cast<std::size_t>(random.next() % values_.size())];
    }
    std::vector<std::uint64_t> all() {
        const std::lock_guard lock(mutex_);
        return all_;
    }

  private:
    std::mutex mutex_;
    std::vector<std::uint64_t> values_, all_;
    std::size_t next_ = 0;
};

struct Pools {
    Pool streams, events, graphs, plans, memory, wrapped, pinned;
    std::atomic<int> succeeded[kFunctions]{};
};

void* pointer(std::uint64_t value) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(value)); }

class Caller {
  public:
    Caller(Pools& pools, std::uint64_t seed) : pools_(pools), random_(seed), host_(kHostParts * kLargest) {}

    // Host memory must outlive what is queued.
    std::vector<std::byte> take_host() { return std::move(host_); }

    void call() {
        const int function = random_.between(0, kFunctions - 1);
        const jcuconv_status status = call(function);
        if (std::string(jcuconv_status_name(status)) == "UNKNOWN") report(__FILE__, __LINE__, "status " + std::to_string(status));
        if (status == JCUCONV_OK)
            ++pools_.succeeded[function];
        else if (jcuconv_last_message()[0] == 0)
            report(__FILE__, __LINE__, "function " + std::to_string(function) + " failed without a text");
    }

    void end_captures() {
        jcuconv_handle graph = 0;
        for (const auto stream : pools_.streams.all())
            if (jcuconv_graph_end(pointer(stream), &graph) == JCUCONV_OK) pools_.graphs.add(graph);
    }

  private:
    // Mostly something of the right kind, else of another kind, near one, or nothing at all.
    std::uint64_t value(Pool& right) {
        Pool* const others[] = {&pools_.streams, &pools_.events, &pools_.graphs, &pools_.plans, &pools_.memory, &pools_.pinned};
        const int kind = random_.between(0, 99);
        if (kind < 80) return right.any(random_);
        if (kind < 88) return others[random_.between(0, 5)]->any(random_);
        if (kind < 92) return right.any(random_) + static_cast<std::uint64_t>(random_.between(-2, 2));
        if (kind < 95) return right.any(random_) ^ (std::uint64_t{1} << random_.between(0, 63));
        return kind < 98 ? random_.next() : 0;
    }
    jcuconv_stream stream() { return random_.chance(10) ? nullptr : pointer(value(pools_.streams)); }
    std::uint64_t bytes() {
        if (random_.chance(5)) return random_.next();
        return static_cast<std::uint64_t>(random_.between(0, random_.chance(90) ? 256 : 5000));
    }
    void* memory() { return pointer(value(pools_.memory)); }
    // Nobody can check host memory, so it is there.
    void* host() { return host_.data() + kLargest * static_cast<std::size_t>(random_.between(0, kHostParts - 1)); }

    template <class F>
    jcuconv_status made(Pool& pool, F create) {
        if (random_.chance(3)) return create(nullptr);
        std::uint64_t handle = 0;
        const jcuconv_status status = create(&handle);
        CHECK((status == JCUCONV_OK) || handle == 0);
        if (handle != 0) pool.add(handle);
        return status;
    }

    jcuconv_status call(int function) {
        const auto size = static_cast<std::uint64_t>(random_.between(0, static_cast<int>(kLargest)));
        switch (function) {
            case 0: return made(pools_.memory, [&](void* to) { return jcuconv_malloc(size, static_cast<void**>(to)); });
            case 1: return jcuconv_free(random_.chance(20) ? memory() : nullptr);
            case 2: return made(pools_.pinned, [&](void* to) { return jcuconv_malloc_host(size, static_cast<void**>(to)); });
            case 3: return jcuconv_free_host(random_.chance(50) ? pointer(value(pools_.pinned)) : nullptr);
            case 4: {
                void* const part = pointer(reinterpret_cast<std::uintptr_t>(memory()) + static_cast<std::uintptr_t>(random_.between(0, 64)));
                const auto status = jcuconv_wrap(part, bytes());
                if (status == JCUCONV_OK) pools_.wrapped.add(reinterpret_cast<std::uintptr_t>(part));
                return status;
            }
            case 5: return jcuconv_unwrap(pointer(value(pools_.wrapped)));
            case 6: return jcuconv_copy_to_device(memory(), host(), bytes(), stream());
            case 7: return jcuconv_copy_to_host(host(), memory(), bytes(), stream());
            case 8: return jcuconv_copy_on_device(memory(), memory(), bytes(), stream());
            case 9: return jcuconv_fill(memory(), 7, bytes(), stream());
            case 10: return made(pools_.streams, [](void* to) { return jcuconv_stream_create(static_cast<void**>(to)); });
            case 11: return jcuconv_stream_destroy(random_.chance(25) ? stream() : nullptr);
            case 12: return jcuconv_stream_synchronize(stream());
            case 13: return made(pools_.events, [](std::uint64_t* to) { return jcuconv_event_create(to); });
            case 14: return jcuconv_event_destroy(random_.chance(25) ? value(pools_.events) : 0);
            case 15: return jcuconv_event_record(value(pools_.events), stream());
            case 16: {
                std::uint64_t nanoseconds = 0;
                if (random_.chance(50)) return jcuconv_event_synchronize(value(pools_.events));
                return jcuconv_event_elapsed(value(pools_.events), value(pools_.events), random_.chance(90) ? &nanoseconds : nullptr);
            }
            case 17: return jcuconv_stream_wait_event(stream(), value(pools_.events));
            case 18: return random_.chance(5) ? jcuconv_graph_begin(stream()) : jcuconv_stream_synchronize(nullptr);
            case 19: {
                const auto on = stream();
                if (random_.chance(80) && jcuconv_graph_begin(on) == JCUCONV_OK) {  // else it would hardly ever stay whole
                    constexpr int kAllowed[] = {8, 9, 15, 17, 23, 4};
                    for (int i = random_.between(0, 4); i > 0; --i) call(kAllowed[random_.between(0, 5)]);
                    jcuconv_fill(memory(), 1, bytes(), on);
                }
                return made(pools_.graphs, [&](std::uint64_t* to) { return jcuconv_graph_end(on, to); });
            }
            case 20: return jcuconv_graph_launch(value(pools_.graphs), stream());
            case 21: return jcuconv_graph_destroy(random_.chance(20) ? value(pools_.graphs) : 0);
            case 22: {
                const jcuconv_add add{random_.between(1, 16), JCUCONV_F32, 0};
                if (random_.chance(20)) return jcuconv_plan_destroy(value(pools_.plans));
                return made(pools_.plans, [&](std::uint64_t* to) { return jcuconv_add_plan(&add, JCUCONV_FPROP, 0, to); });
            }
            default: {
                jcuconv_span spans[JCUCONV_ARG_COUNT]{};
                for (auto& span : spans) span = {memory(), random_.chance(90) ? 256 : bytes()};
                return jcuconv_execute(value(pools_.plans), spans, random_.chance(95) ? JCUCONV_ARG_COUNT : 1, {memory(), bytes()}, stream());
            }
        }
    }

    Pools& pools_;
    Random random_;
    std::vector<std::byte> host_;
};

void close_everything(Pools& pools) {
    for (const auto g : pools.graphs.all()) jcuconv_graph_destroy(g);
    for (const auto e : pools.events.all()) jcuconv_event_destroy(e);
    for (const auto p : pools.plans.all()) jcuconv_plan_destroy(p);
    for (const auto s : pools.streams.all()) jcuconv_stream_destroy(pointer(s));
    if (jcuconv_stream_synchronize(nullptr) != JCUCONV_OK) report(__FILE__, __LINE__, jcuconv_last_message());
    for (const auto w : pools.wrapped.all()) jcuconv_unwrap(pointer(w));
    for (const auto m : pools.memory.all()) jcuconv_free(pointer(m));
    for (const auto m : pools.pinned.all()) jcuconv_free_host(pointer(m));
    CHECK(simt::live_allocations() == 0);
}

void storm(int threads, int calls, std::uint64_t seed) {
    Pools pools;
    std::mutex mutex;
    std::vector<std::vector<std::byte>> hosts;
    std::vector<std::thread> running;
    for (int t = 0; t < threads; ++t)
        running.emplace_back([&, t] {
            Caller caller(pools, seed * 100 + static_cast<std::uint64_t>(t));
            for (int i = 0; i < calls; ++i) {
                caller.call();
                if (i % 400 == 399) caller.end_captures();
            }
            caller.end_captures();
            const std::lock_guard lock(mutex);
            hosts.push_back(caller.take_host());
        });
    for (auto& thread : running) thread.join();
    for (int f = 0; f < kFunctions; ++f)
        if (pools.succeeded[f] < 20) report(__FILE__, __LINE__, "function " + std::to_string(f) + " hardly ever succeeded");
    close_everything(pools);
}

}  // namespace

JCUCONV_TEST(one_thread_may_pass_anything) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
        simt::set_runtime_options({.seed = seed});
        storm(1, 30000, seed);
    }
    simt::set_runtime_options({});
}

JCUCONV_TEST(threads_may_pass_anything_at_once) {
    for (std::uint64_t seed = 5; seed < 8; ++seed) {
        simt::set_runtime_options({.seed = seed});
        storm(4, 10000, seed);
    }
    simt::set_runtime_options({});
}
