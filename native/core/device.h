// What the library asks of a device: memory, copies, streams, events. Two implementations with equal behaviour:
// primitives/cuda/device.cu (the CUDA runtime) and simt/runtime.cpp (a model of it that runs everything late).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/outcome.h"

namespace jcuconv::device {

using Stream = void*;  // a cudaStream_t where there is a GPU; null is the default stream
using Event = void*;

enum class Copy { kToDevice, kToHost, kOnDevice };

Outcome allocate(std::size_t bytes, void** pointer);
Outcome release(void* pointer);

// Queues the copy. Host memory must stay valid and unchanged until the stream was synchronised.
Outcome copy(void* to, const void* from, std::size_t bytes, Copy kind, Stream stream);
Outcome fill(void* to, std::uint8_t value, std::size_t bytes, Stream stream);

Outcome stream_create(Stream* stream);
Outcome stream_destroy(Stream stream);
Outcome stream_synchronize(Stream stream);

Outcome event_create(Event* event);
Outcome event_destroy(Event event);
Outcome event_record(Event event, Stream stream);
Outcome stream_wait(Stream stream, Event event);

// True if the range is device memory as far as the driver (or the registry) can tell.
bool is_device_memory(const void* pointer, std::size_t bytes);

int multiprocessors();

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
