// What the handles of streams, events and graphs stand for. The device's own object is released with the last user.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "core/device.h"
#include "core/guard.h"
#include "core/handles.h"
#include "jcuconv/jcuconv.h"

namespace jcuconv {

struct StreamObject {
    device::Stream native;
    int device;
    bool owned;                      // not the caller's
    mutable std::mutex mutex;        // of the three that must see each other whole: begin and end of a capture, destruction
    mutable std::uint64_t begun = 0;  // the capture that jcuconv_graph_begin began on it

    StreamObject(device::Stream stream, int ordinal, bool ours) : native(stream), device(ordinal), owned(ours) {}
    ~StreamObject();
    StreamObject(const StreamObject&) = delete;
    StreamObject& operator=(const StreamObject&) = delete;
};
using Streams = HandleTable<StreamObject, Kind::kStream>;

struct EventObject {
    device::Event native;
    mutable std::atomic<bool> timed = false;  // recorded where work happens, not in a capture

    explicit EventObject(device::Event event) : native(event) {}
    ~EventObject();
    EventObject(const EventObject&) = delete;
    EventObject& operator=(const EventObject&) = delete;
};

struct GraphObject {
    device::Graph native;
    std::uint64_t capture;  // under which the registry keeps the graph's memory

    GraphObject(device::Graph graph, std::uint64_t id) : native(graph), capture(id) {}
    ~GraphObject();
    GraphObject(const GraphObject&) = delete;
    GraphObject& operator=(const GraphObject&) = delete;
};

// A live stream in the hands of one call; without an object it is the default stream.
struct StreamUse {
    std::shared_ptr<const StreamObject> object;

    device::Stream native() const { return object ? object->native : nullptr; }
    std::uint64_t capture() const;
    // Holds the memory for the capture of this stream, if there is one.
    void keep(const void* address, std::uint64_t bytes) const;
};

Outcome find_stream(jcuconv_stream stream, StreamUse* live);

// `use` gets the live stream that the value stands for.
template <class F>
jcuconv_status with_stream(jcuconv_stream stream, F use) {
    return guarded([&]() -> Outcome {
        StreamUse live;
        JCUCONV_TRY(find_stream(stream, &live));
        return use(live);
    });
}

}  // namespace jcuconv
