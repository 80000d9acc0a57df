// What the library asks of a device: memory, copies, streams, events, graphs. Two implementations with equal behaviour:
// primitives/cuda/device.cu (the CUDA runtime) and simt/runtime/ (a model of it that runs everything late). Their callers are
// core/device_api.cpp, which has checked handles and addresses before, and the launchers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/outcome.h"

namespace jcuconv::device {

using Stream = void*;  // a cudaStream_t where there is a GPU; null is the default stream
using Event = void*;
using Graph = void*;

enum class Copy { kToDevice, kToHost, kOnDevice };

// The calling thread's device, its number and a line about it.
int current();
Outcome count(int* devices);
Outcome describe(std::string* text);
Outcome memory_info(std::uint64_t* free_bytes, std::uint64_t* total_bytes);
int multiprocessors();
// The compute capability of the code that runs on it, major * 10 + minor; 0 if there is none.
int architecture();

Outcome allocate(std::size_t bytes, void** pointer);
Outcome release(void* pointer);
Outcome allocate_host(std::size_t bytes, void** pointer);
Outcome release_host(void* pointer);

// Asks the driver (or the registry of allocations) whether the whole range is live memory of the current device.
Outcome check_memory(const void* pointer, std::size_t bytes);

// Queues the copy. Host memory must stay valid and unchanged until the stream was synchronised.
Outcome copy(void* to, const void* from, std::size_t bytes, Copy kind, Stream stream);
Outcome fill(void* to, std::uint8_t value, std::size_t bytes, Stream stream);

Outcome stream_create(Stream* stream);
Outcome stream_destroy(Stream stream);  // waits, and reports what the wait found; a capture is broken by it
Outcome stream_synchronize(Stream stream);
Outcome check_stream(Stream stream);  // one that comes from outside

Outcome event_create(Event* event);
Outcome event_destroy(Event event);
Outcome event_record(Event event, Stream stream);
Outcome event_synchronize(Event event);
// Device time from one to the other, both recorded and happened; negative if `to` happened first.
Outcome event_elapsed(Event from, Event to, std::int64_t* nanoseconds);
Outcome stream_wait(Stream stream, Event event);

Outcome graph_begin(Stream stream);
Outcome graph_end(Stream stream, Graph* graph);
Outcome graph_launch(Graph graph, Stream stream);
Outcome graph_destroy(Graph graph);

// The capture that the stream takes part in, by a number that never comes again; 0: none. A broken capture may have lost its number
// and gives another one.
std::uint64_t capture_of(Stream stream);

// The memory that the work queued by this thread uses while the object lives. The model of the runtime checks it against
// other streams; a GPU needs no such list and ignores it.
struct Access {
    const void* begin;
    std::size_t bytes;
    bool writes;
};
class Using {
  public:
    explicit Using(std::span<const Access> accesses);
    ~Using();
    Using(const Using&) = delete;
    Using& operator=(const Using&) = delete;

    std::span<const Access> accesses() const { return accesses_; }

  private:
    std::span<const Access> accesses_;
};

}  // namespace jcuconv::device
