// Capture and replay of graphs. A capture records operations with the arguments that they were queued with. Its streams form branches:
// a stream that waits for an event of the capture joins it, and the origin has to wait for it again before the end.
#include <algorithm>

#include "simt/memory.h"
#include "simt/runtime/model.h"

namespace jcuconv::simt {

namespace {

Outcome bad_capture(std::string text) { return {JCUCONV_INVALID_CAPTURE, std::move(text)}; }

Outcome check_whole(const Capture& capture) {
    return capture.broken.empty() ? Outcome() : bad_capture("the capture was broken by " + capture.broken);
}

std::string unjoined(const Capture& capture) {
    const Clock& clock = capture.branches.at(capture.origin).clock;
    for (const auto& [stream, branch] : capture.branches)
        if (stream != capture.origin && branch.last > at(clock, stream))
            return "a stream that joined the capture was not joined back: the first stream has to wait for an event behind its work";
    return {};
}

// Its streams are ordinary again.
Capture take(Model& m, std::uint64_t id) {
    for (auto& [stream, queue] : m.queues)
        if (queue.capture == id) queue.capture = 0;
    return std::move(m.captures.extract(id).mapped());
}

Outcome join(Model& m, Queue& queue, std::uint64_t stream, const EventRecord& record) {
    const auto found = m.captures.find(record.capture);
    if (found == m.captures.end()) return bad_capture("the event was recorded in a capture that has ended");
    Capture& capture = found->second;
    JCUCONV_TRY(check_whole(capture));
    if (stream == 1) return break_capture(capture, "the default stream, which cannot join");
    if (queue.capture != 0 && queue.capture != record.capture)
        return break_capture(m.captures.at(queue.capture), "waiting for an event of another capture");
    queue.capture = record.capture;
    merge(capture.branches[stream].clock, record.clock);
    return {};
}

}  // namespace

Outcome break_capture(Capture& capture, const std::string& reason) {
    if (capture.broken.empty()) capture.broken = reason;
    return bad_capture(reason + " during a capture");
}

Outcome leave_capture(Model& m, Queue& queue, std::uint64_t stream) {
    Capture& capture = m.captures.at(queue.capture);
    Outcome outcome = break_capture(capture, "destroying a stream");
    if (capture.origin == stream) take(m, queue.capture);
    return outcome;
}

Outcome forbid_in_capture(Model& m, const char* call) {
    Outcome outcome;
    for (auto& [id, capture] : m.captures)
        if (capture.thread == std::this_thread::get_id()) outcome = break_capture(capture, call);
    return outcome;
}

Outcome record(Model& m, Queue& queue, std::uint64_t stream, Operation operation) {
    Capture& capture = m.captures.at(queue.capture);
    JCUCONV_TRY(check_whole(capture));
    Branch& branch = capture.branches.at(stream);
    for (const Recorded& earlier : capture.operations) {
        if (earlier.stream == stream || earlier.operation.number <= at(branch.clock, earlier.stream)) continue;
        for (const auto& theirs : earlier.operation.accesses)
            for (const auto& ours : operation.accesses)
                if (overlap(ours, theirs)) {
                    const std::string text = operation.name + " using memory of " + earlier.operation.name +
                                             ", recorded on another stream, with no event to order them";
                    static_cast<void>(break_capture(capture, text));
                    return {JCUCONV_INVALID_ORDER, text};
                }
    }
    operation.number = ++branch.last;
    capture.operations.push_back({stream, std::move(operation)});
    return {};
}

}  // namespace jcuconv::simt

namespace jcuconv::device {

using namespace jcuconv::simt;

std::uint64_t capture_of(Stream stream) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = nullptr;
    return find_queue(m, stream, &queue).ok() ? queue->capture : 0;
}

Outcome stream_wait(Stream stream, Event event) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = nullptr;
    EventRecord* record = nullptr;
    JCUCONV_TRY(find_queue(m, stream, &queue));
    JCUCONV_TRY(find_event(m, event, &record));
    if (!m.lost.ok()) return m.lost;
    const auto id = stream_id(stream);
    if (record->capture != 0) return join(m, *queue, id, *record);
    if (record->stream == 0) return {};
    if (queue->capture != 0)
        return break_capture(m.captures.at(queue->capture), "waiting for an event that was recorded outside");
    wait_for(m, id, *record);
    return {};
}

Outcome graph_begin(Stream stream) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = nullptr;
    JCUCONV_TRY(find_queue(m, stream, &queue));
    if (!m.lost.ok()) return m.lost;
    if (stream == nullptr) return bad_capture("the default stream cannot be captured");
    if (queue->capture != 0) return bad_capture("the stream is captured already");
    const auto id = m.next_id++;
    Capture& capture = m.captures[id];
    capture.thread = std::this_thread::get_id();
    capture.origin = id_of(stream);
    capture.branches[capture.origin] = {};
    queue->capture = id;
    return {};
}

Outcome graph_end(Stream stream, Graph* graph) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = nullptr;
    JCUCONV_TRY(find_queue(m, stream, &queue));
    if (queue->capture == 0) return bad_capture("the stream is not captured");
    const auto found = m.captures.find(queue->capture);
    if (found->second.thread != std::this_thread::get_id()) return bad_capture("a capture must end on the thread that began it");
    if (found->second.origin != id_of(stream)) return bad_capture("a capture must end on the stream that it began on");
    Capture capture = take(m, found->first);
    JCUCONV_TRY(check_whole(capture));
    if (const std::string text = unjoined(capture); !text.empty()) return bad_capture(text);
    const auto id = m.next_id++;
    for (Recorded& recorded : capture.operations) m.graphs[id].operations.push_back(std::move(recorded.operation));
    m.graphs[id];  // also if it is empty
    *graph = handle_of(id);
    return {};
}

Outcome graph_launch(Graph handle, Stream stream) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = nullptr;
    JCUCONV_TRY(find_queue(m, stream, &queue));
    const auto found = m.graphs.find(id_of(handle));
    if (found == m.graphs.end()) return {JCUCONV_INVALID_HANDLE, "graph is not a live graph"};
    if (!m.lost.ok()) return m.lost;
    if (queue->capture != 0) return break_capture(m.captures.at(queue->capture), "launching a graph");
    auto& graph = found->second;
    const auto id = stream_id(stream);
    // Before anything is queued, so that a refused launch leaves no half of itself behind.
    Clock& clock = queue->clock;
    const Clock before = clock;
    merge(clock, graph.launched.clock);
    for (const Operation& operation : graph.operations) {
        Outcome fits = check_order(m, id, operation);
        for (std::size_t i = 0; i < operation.device_accesses && fits.ok(); ++i)
            if (!covers(operation.accesses[i].begin, operation.accesses[i].bytes))
                fits = {JCUCONV_INVALID_MEMORY, operation.name + " in a graph uses memory that is no longer live"};
        if (!fits.ok()) {
            clock = before;
            return fits;
        }
    }
    wait_for(m, id, graph.launched);
    for (const Operation& operation : graph.operations) append(m, id, operation);
    graph.launched = {id, queue->last, clock, 0};
    graph.launched.clock[id] = queue->last;
    return {};
}

Outcome graph_destroy(Graph handle) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    const auto found = m.graphs.find(id_of(handle));
    if (found == m.graphs.end()) return {JCUCONV_INVALID_HANDLE, "graph is not a live graph"};
    run_until(m, found->second.launched.stream, found->second.launched.number);
    host_knows(m, found->second.launched.clock);
    m.graphs.erase(found);
    return {};
}

}  // namespace jcuconv::device
