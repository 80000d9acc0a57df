// A model of the CUDA runtime that runs queued work as late as the caller's synchronisation allows. A missing wait then
// shows as NaN or stale data; two streams that touch the same memory without an event between them are an error at once.
#include "simt/runtime.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include "core/device.h"
#include "simt/memory.h"
#include "simt/queue.h"

namespace jcuconv {

namespace {

constexpr int kPoison = 0xFF;

// What a stream knows to be finished before its next operation starts: per stream the number of its last such operation.
using Clock = std::map<std::uint64_t, std::uint64_t>;

struct EventRecord {
    std::uint64_t stream = 0, operation = 0;  // 0: never recorded, waiting for it is no wait
    Clock clock;
};

struct Operation {
    std::uint64_t number = 0;
    std::string name;
    std::vector<device::Access> accesses;
    std::uint64_t waits_for_stream = 0, waits_for_operation = 0;  // of a stream_wait
    std::function<std::string()> work;
};

struct Queue {
    std::deque<Operation> operations;
    std::uint64_t last = 0;  // number of the newest operation
    std::uint64_t finished = 0;
    Clock clock;
};

struct Model {
    std::mutex mutex;
    simt::RuntimeOptions options;
    std::uint64_t random = 0;
    std::uint64_t next_id = 2;  // 1 is the default stream
    std::map<std::uint64_t, Queue> queues{{1, {}}};
    std::map<std::uint64_t, EventRecord> events;
    std::string lost;  // the first failure of queued work; later calls repeat it, as after a fault on a GPU
};

Model& model() {
    static Model* instance = new Model;  // never destroyed: threads of a JVM may outlive static destructors
    return *instance;
}

__thread const device::Using* t_using = nullptr;

std::uint64_t id_of(const void* handle) { return reinterpret_cast<std::uintptr_t>(handle); }
void* handle_of(std::uint64_t id) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)); }

Queue* find_queue(Model& m, device::Stream stream) {
    const auto found = m.queues.find(stream == nullptr ? 1 : id_of(stream));
    return found == m.queues.end() ? nullptr : &found->second;
}

Outcome unknown_stream() { return {JCUCONV_INVALID_STREAM, "stream is not a live stream of this device"}; }

bool overlap(const device::Access& a, const device::Access& b) {
    const auto* a0 = static_cast<const std::byte*>(a.begin);
    const auto* b0 = static_cast<const std::byte*>(b.begin);
    return a0 < b0 + b.bytes && b0 < a0 + a.bytes && (a.writes || b.writes);
}

// Runs the head of a queue; first whatever it waits for.
void run_head(Model& m, std::uint64_t stream);

void run_until(Model& m, std::uint64_t stream, std::uint64_t operation) {
    const auto found = m.queues.find(stream);
    if (found == m.queues.end()) return;  // destroying a stream finished it
    while (found->second.finished < operation && !found->second.operations.empty()) {
        if (m.options.seed != 0) {
            m.random = m.random * 6364136223846793005u + 1442695040888963407u;
            auto other = m.queues.begin();
            std::advance(other, static_cast<long>((m.random >> 33) % m.queues.size()));
            if (!other->second.operations.empty() && other->first != stream) run_head(m, other->first);
        }
        if (!found->second.operations.empty() && found->second.finished < operation) run_head(m, stream);
    }
}

void run_head(Model& m, std::uint64_t stream) {
    Queue& queue = m.queues.at(stream);
    const Operation& head = queue.operations.front();
    const auto number = head.number;
    if (head.waits_for_operation != 0) run_until(m, head.waits_for_stream, head.waits_for_operation);
    if (queue.finished >= number) return;  // a random pick below us was faster
    Operation operation = std::move(queue.operations.front());
    queue.operations.pop_front();
    queue.finished = number;
    if (operation.work && m.lost.empty()) {
        if (std::string error = operation.work(); !error.empty()) m.lost = std::move(error);
    }
}

Outcome device_state(const Model& m) {
    return m.lost.empty() ? Outcome() : Outcome(JCUCONV_DEVICE_ERROR, m.lost);
}

// Pending work of other streams that conflicts and that `queue` has not waited for.
std::string unordered(const Model& m, const Queue& queue, const std::vector<device::Access>& accesses, const char* name) {
    for (const auto& [id, other] : m.queues) {
        if (&other == &queue) continue;
        const auto known = queue.clock.find(id);
        const auto done = known == queue.clock.end() ? 0 : known->second;
        for (const Operation& pending : other.operations) {
            if (pending.number <= done) continue;
            for (const auto& a : accesses)
                for (const auto& b : pending.accesses)
                    if (overlap(a, b))
                        return std::string(name) + " uses memory that " + pending.name +
                               ", queued on another stream, has not finished with: no event orders them";
        }
    }
    return {};
}

Outcome push(Model& m, Queue& queue, Operation operation) {
    JCUCONV_TRY(device_state(m));
    if (std::string error = unordered(m, queue, operation.accesses, operation.name.c_str()); !error.empty())
        return {JCUCONV_DEVICE_ERROR, error};
    operation.number = ++queue.last;
    queue.operations.push_back(std::move(operation));
    return {};
}

}  // namespace

namespace simt {

void set_runtime_options(const RuntimeOptions& options) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    m.options = options;
    m.random = options.seed;
}

void reset_device() {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    for (auto& [id, queue] : m.queues) {
        queue.operations.clear();
        queue.finished = queue.last;
    }
    m.lost.clear();
}

Outcome enqueue(device::Stream stream, const char* name, std::function<std::string()> work) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = find_queue(m, stream);
    if (queue == nullptr) return unknown_stream();
    Operation operation;
    operation.name = name;
    if (t_using != nullptr) operation.accesses.assign(t_using->accesses().begin(), t_using->accesses().end());
    operation.work = std::move(work);
    return push(m, *queue, std::move(operation));
}

}  // namespace simt

namespace device {

Using::Using(std::span<const Access> accesses) : accesses_(accesses) { t_using = this; }

Using::~Using() { t_using = nullptr; }

Outcome allocate(std::size_t bytes, void** pointer) {
    *pointer = simt::allocate(bytes);
    if (*pointer == nullptr) return {JCUCONV_OUT_OF_MEMORY, "no " + std::to_string(bytes) + " bytes of memory"};
    return {};
}

Outcome release(void* pointer) {
    if (pointer == nullptr) return {};
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    const Access whole{pointer, 1, true};
    for (const auto& [id, queue] : m.queues)
        for (const Operation& pending : queue.operations)
            for (const Access& access : pending.accesses)
                if (overlap(whole, access))
                    return {JCUCONV_INVALID_MEMORY, "release of memory that queued " + pending.name + " still uses"};
    if (std::string error = simt::release(pointer); !error.empty()) return {JCUCONV_INVALID_MEMORY, error};
    return {};
}

Outcome copy(void* to, const void* from, std::size_t bytes, Copy kind, Stream stream) {
    if (bytes == 0) return {};
    if (to == nullptr || from == nullptr) return {JCUCONV_INVALID_MEMORY, "copy: an address is null"};
    std::vector<Access> accesses;
    if (kind != Copy::kToHost) {
        if (!simt::covers(to, bytes)) return {JCUCONV_INVALID_MEMORY, "copy: destination is not inside device memory"};
        accesses.push_back({to, bytes, true});
    }
    if (kind != Copy::kToDevice) {
        if (!simt::covers(from, bytes)) return {JCUCONV_INVALID_MEMORY, "copy: source is not inside device memory"};
        accesses.push_back({from, bytes, false});
    }
    // Whoever reads the destination before synchronising shall notice.
    if (kind == Copy::kToHost) std::memset(to, kPoison, bytes);
    const Using declared(accesses);
    return simt::enqueue(stream, "copy", [=] {
        std::memmove(to, from, bytes);
        return std::string();
    });
}

Outcome fill(void* to, std::uint8_t value, std::size_t bytes, Stream stream) {
    if (!simt::covers(to, bytes)) return {JCUCONV_INVALID_MEMORY, "fill: destination is not inside device memory"};
    const Access access{to, bytes, true};
    const Using declared({&access, 1});
    return simt::enqueue(stream, "fill", [=] {
        std::memset(to, value, bytes);
        return std::string();
    });
}

Outcome stream_create(Stream* stream) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    const auto id = m.next_id++;
    m.queues[id] = {};
    *stream = handle_of(id);
    return {};
}

Outcome stream_destroy(Stream stream) {
    JCUCONV_TRY(stream_synchronize(stream));
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    if (stream == nullptr) return {JCUCONV_INVALID_STREAM, "the default stream cannot be destroyed"};
    m.queues.erase(id_of(stream));
    return {};
}

Outcome stream_synchronize(Stream stream) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = find_queue(m, stream);
    if (queue == nullptr) return unknown_stream();
    run_until(m, stream == nullptr ? 1 : id_of(stream), queue->last);
    return device_state(m);
}

Outcome event_create(Event* event) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    const auto id = m.next_id++;
    m.events[id] = {};
    *event = handle_of(id);
    return {};
}

Outcome event_destroy(Event event) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    if (m.events.erase(id_of(event)) == 0) return {JCUCONV_INVALID_HANDLE, "event is not a live event"};
    return {};
}

Outcome event_record(Event event, Stream stream) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = find_queue(m, stream);
    if (queue == nullptr) return unknown_stream();
    const auto found = m.events.find(id_of(event));
    if (found == m.events.end()) return {JCUCONV_INVALID_HANDLE, "event is not a live event"};
    const auto id = stream == nullptr ? 1 : id_of(stream);
    found->second = {id, queue->last, queue->clock};
    found->second.clock[id] = queue->last;
    return {};
}

Outcome stream_wait(Stream stream, Event event) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = find_queue(m, stream);
    if (queue == nullptr) return unknown_stream();
    const auto found = m.events.find(id_of(event));
    if (found == m.events.end()) return {JCUCONV_INVALID_HANDLE, "event is not a live event"};
    const EventRecord& record = found->second;
    for (const auto& [id, number] : record.clock) queue->clock[id] = std::max(queue->clock[id], number);
    Operation wait;
    wait.name = "stream_wait";
    wait.waits_for_stream = record.stream;
    wait.waits_for_operation = record.operation;
    return push(m, *queue, std::move(wait));
}

bool is_device_memory(const void* pointer, std::size_t bytes) { return simt::covers(pointer, bytes); }

int multiprocessors() {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    return m.options.multiprocessors;
}

}  // namespace device

}  // namespace jcuconv
