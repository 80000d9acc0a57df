// The C API's part about streams, events and graphs. Every handle is checked here against its table, before the device sees it.
#include <algorithm>
#include <atomic>

#include "core/device_objects.h"
#include "core/guard.h"
#include "core/memory_registry.h"

namespace jcuconv {

namespace {

using Events = HandleTable<EventObject, Kind::kEvent>;
using Graphs = HandleTable<GraphObject, Kind::kGraph>;

// The tables are never destroyed: threads of a JVM may outlive static destructors.
Streams& streams() {
    static auto* table = new Streams;
    return *table;
}

Events& events() {
    static auto* table = new Events;
    return *table;
}

Graphs& graphs() {
    static auto* table = new Graphs;
    return *table;
}

// Captures between begin and end. Only while there are some does queueing ask whether its stream is captured.
std::atomic<int> open_captures{0};

std::uint64_t handle_of(jcuconv_stream stream) { return reinterpret_cast<std::uintptr_t>(stream); }

Outcome no_stream() { return {JCUCONV_INVALID_STREAM, "stream is not an open stream"}; }
Outcome no_event() { return {JCUCONV_INVALID_HANDLE, "the handle is not an open event"}; }
Outcome no_graph() { return {JCUCONV_INVALID_HANDLE, "the handle is not an open graph"}; }

void add_stream(device::Stream native, bool owned, jcuconv_stream* stream) {
    const auto handle = streams().add(std::make_shared<StreamObject>(native, device::current(), owned));
    *stream = reinterpret_cast<jcuconv_stream>(static_cast<std::uintptr_t>(handle));
}

}  // namespace

StreamObject::~StreamObject() {
    if (owned) static_cast<void>(device::stream_destroy(native));
}

EventObject::~EventObject() { static_cast<void>(device::event_destroy(native)); }

GraphObject::~GraphObject() {
    static_cast<void>(device::graph_destroy(native));
    MemoryRegistry::instance().forget(capture);
}

std::uint64_t StreamUse::capture() const {
    return open_captures.load() == 0 || !object ? 0 : device::capture_of(native());  // the default stream cannot be captured
}

void StreamUse::keep(const void* address, std::uint64_t bytes) const {
    if (const auto id = capture(); id != 0) MemoryRegistry::instance().keep(id, address, bytes);
}

Outcome find_stream(jcuconv_stream stream, StreamUse* live) {
    if (stream == nullptr) return {};
    live->object = streams().find(handle_of(stream));
    if (!live->object) return no_stream();
    if (const int device = device::current(); live->object->device != device)
        return {JCUCONV_INVALID_STREAM, "stream belongs to device " + std::to_string(live->object->device) +
                                            ", the current device is " + std::to_string(device)};
    return {};
}

}  // namespace jcuconv

using namespace jcuconv;

jcuconv_status jcuconv_stream_create(jcuconv_stream* stream) {
    return guarded([&]() -> Outcome {
        if (stream == nullptr) return no_place("stream");
        *stream = nullptr;
        device::Stream native = nullptr;
        JCUCONV_TRY(device::stream_create(&native));
        add_stream(native, true, stream);
        return {};
    });
}

jcuconv_status jcuconv_stream_wrap(void* cuda_stream, jcuconv_stream* stream) {
    return guarded([&]() -> Outcome {
        if (stream == nullptr) return no_place("stream");
        *stream = nullptr;
        JCUCONV_TRY(device::check_stream(cuda_stream));
        add_stream(cuda_stream, false, stream);
        return {};
    });
}

jcuconv_status jcuconv_stream_native(jcuconv_stream stream, void** cuda_stream) {
    return with_stream(stream, [&](const StreamUse& live) -> Outcome {
        if (cuda_stream == nullptr) return no_place("driver's stream");
        *cuda_stream = live.native();
        return {};
    });
}

jcuconv_status jcuconv_stream_destroy(jcuconv_stream stream) {
    return with_stream(stream, [&](const StreamUse& live) -> Outcome {
        if (!live.object) return {JCUCONV_INVALID_STREAM, "the default stream cannot be destroyed"};
        const std::lock_guard lock(live.object->mutex);
        if (live.capture() != 0) return {JCUCONV_INVALID_CAPTURE, "a stream cannot be destroyed while it is captured"};
        // The driver's stream is destroyed by the last thread that still uses the object.
        Outcome waited = live.object->owned ? device::stream_synchronize(live.native()) : Outcome();
        if (waited.status == JCUCONV_INVALID_CAPTURE) return waited;  // nothing was waited for
        if (!streams().remove(handle_of(stream))) return no_stream();
        return waited;
    });
}

jcuconv_status jcuconv_stream_synchronize(jcuconv_stream stream) {
    return with_stream(stream, [&](const StreamUse& live) { return device::stream_synchronize(live.native()); });
}

jcuconv_status jcuconv_event_create(jcuconv_handle* event) {
    return guarded([&]() -> Outcome {
        if (event == nullptr) return no_place("event");
        *event = 0;
        device::Event native = nullptr;
        JCUCONV_TRY(device::event_create(&native));
        *event = events().add(std::make_shared<EventObject>(native));
        return {};
    });
}

jcuconv_status jcuconv_event_destroy(jcuconv_handle handle) {
    return guarded([&] { return events().remove(handle) ? Outcome() : no_event(); });
}

jcuconv_status jcuconv_event_record(jcuconv_handle handle, jcuconv_stream stream) {
    return with_stream(stream, [&](const StreamUse& live) -> Outcome {
        const auto event = events().find(handle);
        if (!event) return no_event();
        JCUCONV_TRY(device::event_record(event->native, live.native()));
        event->timed = live.capture() == 0;
        return {};
    });
}

jcuconv_status jcuconv_event_synchronize(jcuconv_handle handle) {
    return guarded([&] {
        const auto event = events().find(handle);
        return event ? device::event_synchronize(event->native) : no_event();
    });
}

jcuconv_status jcuconv_event_elapsed(jcuconv_handle from, jcuconv_handle to, uint64_t* nanoseconds) {
    return guarded([&]() -> Outcome {
        if (nanoseconds == nullptr) return no_place("number of nanoseconds");
        *nanoseconds = 0;
        const auto first = events().find(from), second = events().find(to);
        if (!first || !second) return no_event();
        if (!first->timed || !second->timed) return {JCUCONV_INVALID_HANDLE, "the event was never recorded, or last in a capture"};
        JCUCONV_TRY(device::event_synchronize(first->native));
        JCUCONV_TRY(device::event_synchronize(second->native));
        std::int64_t elapsed = 0;
        JCUCONV_TRY(device::event_elapsed(first->native, second->native, &elapsed));
        *nanoseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(elapsed, 0));
        return {};
    });
}

jcuconv_status jcuconv_stream_wait_event(jcuconv_stream stream, jcuconv_handle handle) {
    return with_stream(stream, [&](const StreamUse& live) {
        const auto event = events().find(handle);
        return event ? device::stream_wait(live.native(), event->native) : no_event();
    });
}

jcuconv_status jcuconv_graph_begin(jcuconv_stream stream) {
    return with_stream(stream, [&](const StreamUse& live) -> Outcome {
        if (!live.object) return {JCUCONV_INVALID_CAPTURE, "the default stream cannot be captured"};
        const std::lock_guard lock(live.object->mutex);
        if (!streams().find(handle_of(stream))) return no_stream();  // closed by another thread meanwhile
        ++open_captures;  // first: from the moment that the stream is captured, queueing has to ask
        Outcome begun = device::graph_begin(live.native());
        if (begun.ok()) {
            live.object->begun = live.capture();
            MemoryRegistry::instance().remember(live.object->begun);
        } else {
            --open_captures;
        }
        return begun;
    });
}

jcuconv_status jcuconv_graph_end(jcuconv_stream stream, jcuconv_handle* graph) {
    return with_stream(stream, [&](const StreamUse& live) -> Outcome {
        if (graph == nullptr) return no_place("graph");
        *graph = 0;
        if (!live.object) return {JCUCONV_INVALID_CAPTURE, "no capture began on this stream"};
        const std::lock_guard lock(live.object->mutex);
        const std::uint64_t capture = live.object->begun;
        if (capture == 0) return {JCUCONV_INVALID_CAPTURE, "no capture began on this stream"};
        device::Graph native = nullptr;
        Outcome ended = device::graph_end(live.native(), &native);
        if (ended.ok()) *graph = graphs().add(std::make_shared<GraphObject>(native, capture));
        if (live.capture() == 0) {  // ended, though perhaps broken
            live.object->begun = 0;
            --open_captures;
            if (!ended.ok()) MemoryRegistry::instance().forget(capture);
        }
        return ended;
    });
}

jcuconv_status jcuconv_graph_launch(jcuconv_handle handle, jcuconv_stream stream) {
    return with_stream(stream, [&](const StreamUse& live) {
        const auto graph = graphs().find(handle);
        return graph ? device::graph_launch(graph->native, live.native()) : no_graph();
    });
}

jcuconv_status jcuconv_graph_destroy(jcuconv_handle handle) {
    return guarded([&] { return graphs().remove(handle) ? Outcome() : no_graph(); });
}
