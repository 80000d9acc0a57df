// Streams, events and the device itself.
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "simt/runtime/model.h"

namespace jcuconv::simt {

Model::Model() {
    const char* order = std::getenv("JCUCONV_EMULATED_ORDER");
    if (order == nullptr || std::strcmp(order, "late") == 0) return;
    options.eager = std::strcmp(order, "eager") == 0;
    if (!options.eager) random = options.seed = std::strtoull(order, nullptr, 10);
}

Model& model() {
    static Model* instance = new Model;  // never destroyed: threads of a JVM may outlive static destructors
    return *instance;
}

Outcome find_queue(Model& m, device::Stream stream, Queue** queue) {
    const auto found = m.queues.find(stream_id(stream));
    if (found == m.queues.end()) return {JCUCONV_INVALID_STREAM, "stream is not a live stream of this device"};
    *queue = &found->second;
    return {};
}

Outcome find_event(Model& m, device::Event event, EventRecord** record) {
    const auto found = m.events.find(id_of(event));
    if (found == m.events.end()) return {JCUCONV_INVALID_HANDLE, "event is not a live event"};
    *record = &found->second;
    return {};
}

void set_runtime_options(const RuntimeOptions& options) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    m.options = options;
    m.random = options.seed;
}

RuntimeOptions runtime_options() {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    return m.options;
}

std::uint64_t multiprocessor_queries() {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    return m.multiprocessor_queries;
}

void reset_device() {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    for (auto& [id, queue] : m.queues) {
        queue.operations.clear();
        queue.finished = queue.last;
        queue.capture = 0;
        queue.marks.clear();
    }
    m.captures.clear();
    m.lost = {};
}

}  // namespace jcuconv::simt

namespace jcuconv::device {

using namespace jcuconv::simt;

int current() { return 0; }

Outcome count(int* devices) {
    *devices = 1;
    return {};
}

Outcome describe(std::string* text) {
    const RuntimeOptions options = runtime_options();
    const std::string order = options.eager ? "at once" : options.seed == 0 ? "late" : "late, or early by a seed";
    *text = "emulated device: the CUDA kernels, run by one CPU thread, streams " + order;
    return {};
}

Outcome memory_info(std::uint64_t* free_bytes, std::uint64_t* total_bytes) {
    const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    *free_bytes = page * static_cast<std::uint64_t>(sysconf(_SC_AVPHYS_PAGES));
    *total_bytes = page * static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES));
    return {};
}

int multiprocessors() {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    ++m.multiprocessor_queries;
    return m.options.multiprocessors;
}

int architecture() {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    return m.options.architecture;
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
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = nullptr;
    JCUCONV_TRY(find_queue(m, stream, &queue));
    if (stream == nullptr) return {JCUCONV_INVALID_STREAM, "the default stream cannot be destroyed"};
    Outcome outcome;
    if (queue->capture != 0) outcome = leave_capture(m, *queue, id_of(stream));
    run_until(m, id_of(stream), queue->last);
    m.queues.erase(id_of(stream));
    return outcome.ok() ? m.lost : outcome;
}

Outcome stream_synchronize(Stream stream) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = nullptr;
    JCUCONV_TRY(find_queue(m, stream, &queue));
    JCUCONV_TRY(forbid_in_capture(m, "synchronising a stream"));
    if (queue->capture != 0) return break_capture(m.captures.at(queue->capture), "synchronising a stream that is captured");
    run_until(m, stream_id(stream), queue->last);
    Clock known = queue->clock;
    known[stream_id(stream)] = queue->last;
    host_knows(m, known);
    return m.lost;
}

Outcome check_stream(Stream stream) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = nullptr;
    return find_queue(m, stream, &queue);
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
    Queue* queue = nullptr;
    EventRecord* record = nullptr;
    JCUCONV_TRY(find_queue(m, stream, &queue));
    JCUCONV_TRY(find_event(m, event, &record));
    if (!m.lost.ok()) return m.lost;
    const auto id = stream_id(stream);
    if (queue->capture != 0) {
        const Branch& branch = m.captures.at(queue->capture).branches.at(id);
        *record = {id, branch.last, branch.clock, queue->capture};
        record->clock[id] = branch.last;
    } else {
        *record = {id, queue->last, queue->clock, 0, std::make_shared<Moment>(std::chrono::steady_clock::now())};
        record->clock[id] = queue->last;
        if (!queue->idle()) queue->marks.emplace(queue->last, record->happened);
    }
    return {};
}

Outcome event_synchronize(Event event) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    EventRecord* record = nullptr;
    JCUCONV_TRY(find_event(m, event, &record));
    JCUCONV_TRY(forbid_in_capture(m, "synchronising an event"));
    if (record->capture != 0) return {JCUCONV_INVALID_CAPTURE, "the event was recorded in a capture, where nothing happens"};
    run_until(m, record->stream, record->number);
    host_knows(m, record->clock);
    return m.lost;
}

Outcome event_elapsed(Event from, Event to, std::int64_t* nanoseconds) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    EventRecord *first = nullptr, *second = nullptr;
    JCUCONV_TRY(find_event(m, from, &first));
    JCUCONV_TRY(find_event(m, to, &second));
    if (!first->happened || !second->happened) return {JCUCONV_INVALID_HANDLE, "an event was never recorded outside a capture"};
    *nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(*second->happened - *first->happened).count();
    return {};
}

}  // namespace jcuconv::device
