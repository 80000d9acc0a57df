// core/device.h on the CUDA runtime. Compiled where nvcc is found; it has not run on a GPU yet.
#include "core/device.h"

#include <cuda_runtime.h>

namespace jcuconv::device {

namespace {

// Returns the call's error and clears it, so that the caller's last error is left as it was found.
Outcome done(cudaError_t error, const char* call) {
    if (error == cudaSuccess) return {};
    cudaGetLastError();
    const auto status = error == cudaErrorMemoryAllocation ? JCUCONV_OUT_OF_MEMORY : JCUCONV_DEVICE_ERROR;
    return {status, std::string(call) + ": " + cudaGetErrorString(error)};
}

cudaStream_t native(Stream stream) { return static_cast<cudaStream_t>(stream); }

}  // namespace

Outcome allocate(std::size_t bytes, void** pointer) { return done(cudaMalloc(pointer, bytes), "cudaMalloc"); }
Outcome release(void* pointer) { return done(cudaFree(pointer), "cudaFree"); }

Outcome copy(void* to, const void* from, std::size_t bytes, Copy kind, Stream stream) {
    const cudaMemcpyKind direction = kind == Copy::kToDevice ? cudaMemcpyHostToDevice
                                     : kind == Copy::kToHost ? cudaMemcpyDeviceToHost
                                                             : cudaMemcpyDeviceToDevice;
    return done(cudaMemcpyAsync(to, from, bytes, direction, native(stream)), "cudaMemcpyAsync");
}

Outcome fill(void* to, std::uint8_t value, std::size_t bytes, Stream stream) {
    return done(cudaMemsetAsync(to, value, bytes, native(stream)), "cudaMemsetAsync");
}

Outcome stream_create(Stream* stream) {
    return done(cudaStreamCreateWithFlags(reinterpret_cast<cudaStream_t*>(stream), cudaStreamNonBlocking), "cudaStreamCreate");
}
Outcome stream_destroy(Stream stream) {
    JCUCONV_TRY(stream_synchronize(stream));
    return done(cudaStreamDestroy(native(stream)), "cudaStreamDestroy");
}
Outcome stream_synchronize(Stream stream) { return done(cudaStreamSynchronize(native(stream)), "cudaStreamSynchronize"); }

Outcome event_create(Event* event) {
    return done(cudaEventCreateWithFlags(reinterpret_cast<cudaEvent_t*>(event), cudaEventDisableTiming), "cudaEventCreate");
}
Outcome event_destroy(Event event) { return done(cudaEventDestroy(static_cast<cudaEvent_t>(event)), "cudaEventDestroy"); }
Outcome event_record(Event event, Stream stream) {
    return done(cudaEventRecord(static_cast<cudaEvent_t>(event), native(stream)), "cudaEventRecord");
}
Outcome stream_wait(Stream stream, Event event) {
    return done(cudaStreamWaitEvent(native(stream), static_cast<cudaEvent_t>(event), 0), "cudaStreamWaitEvent");
}

// The driver knows whether an address is device memory, not how long its allocation is.
bool is_device_memory(const void* pointer, std::size_t) {
    cudaPointerAttributes attributes{};
    if (cudaPointerGetAttributes(&attributes, pointer) != cudaSuccess) {
        cudaGetLastError();
        return false;
    }
    return attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
}

int multiprocessors() {
    int device = 0, count = 1;
    cudaGetDevice(&device);
    cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device);
    return count;
}

Using::Using(std::span<const Access> accesses) : accesses_(accesses) {}
Using::~Using() = default;

}  // namespace jcuconv::device
