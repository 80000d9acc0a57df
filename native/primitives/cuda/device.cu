// core/device.h on the CUDA runtime. Compiled where nvcc is found; it has not run on a GPU yet.
#include "core/device.h"

#include <cuda_runtime.h>

#include <cmath>

namespace jcuconv::device {

namespace {

// Returns the call's error and clears it, so that the caller's last error is left as it was found.
Outcome done(cudaError_t error, const char* call) {
    if (error == cudaSuccess) return {};
    cudaGetLastError();
    auto status = JCUCONV_DEVICE_ERROR;
    if (error == cudaErrorMemoryAllocation) status = JCUCONV_OUT_OF_MEMORY;
    if (error >= cudaErrorStreamCaptureUnsupported && error <= cudaErrorStreamCaptureWrongThread) status = JCUCONV_INVALID_CAPTURE;
    return {status, std::string(call) + ": " + cudaGetErrorString(error)};
}

cudaStream_t native(Stream stream) { return static_cast<cudaStream_t>(stream); }
cudaEvent_t native_event(Event event) { return static_cast<cudaEvent_t>(event); }

// An executable graph and an event behind its last launch.
struct LaunchedGraph {
    cudaGraphExec_t executable;
    cudaEvent_t launched;
};

// Lets this thread wait and release although it captures a stream.
class Relaxed {
  public:
    Relaxed() { cudaThreadExchangeStreamCaptureMode(&mode_); }
    ~Relaxed() { cudaThreadExchangeStreamCaptureMode(&mode_); }
    Relaxed(const Relaxed&) = delete;
    Relaxed& operator=(const Relaxed&) = delete;

  private:
    cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

std::string version_text(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

// The runtime tells what an address is, only the driver how far its allocation reaches.
using AddressRange = int (*)(unsigned long long* base, std::size_t* bytes, unsigned long long address);
AddressRange address_range() {
    void* function = nullptr;
    cudaDriverEntryPointQueryResult found{};
#if CUDART_VERSION >= 12050
    const auto error = cudaGetDriverEntryPointByVersion("cuMemGetAddressRange", &function, 12000, cudaEnableDefault, &found);
#else
    const auto error = cudaGetDriverEntryPoint("cuMemGetAddressRange", &function, cudaEnableDefault, &found);
#endif
    if (error != cudaSuccess) cudaGetLastError();
    return error == cudaSuccess && found == cudaDriverEntryPointSuccess ? reinterpret_cast<AddressRange>(function) : nullptr;
}

}  // namespace

int current() {
    int device = 0;
    if (cudaGetDevice(&device) != cudaSuccess) cudaGetLastError();
    return device;
}

Outcome count(int* devices) {
    const cudaError_t error = cudaGetDeviceCount(devices);
    if (error == cudaSuccess) return {};
    *devices = 0;
    if (error == cudaErrorNoDevice) {
        cudaGetLastError();
        return {};
    }
    int driver = 0;
    cudaDriverGetVersion(&driver);
    Outcome failed = done(error, "cudaGetDeviceCount");
    failed.text += driver == 0 ? " (no driver found; " : " (the driver serves CUDA " + version_text(driver) + "; ";
    failed.text += "this library needs CUDA " + version_text(CUDART_VERSION) + ")";
    return failed;
}

Outcome describe(std::string* text) {
    int device = 0, driver = 0, runtime = 0;
    JCUCONV_TRY(done(cudaGetDevice(&device), "cudaGetDevice"));
    cudaDeviceProp properties{};
    JCUCONV_TRY(done(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties"));
    JCUCONV_TRY(done(cudaDriverGetVersion(&driver), "cudaDriverGetVersion"));
    JCUCONV_TRY(done(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion"));
    *text = std::string(properties.name) + ", compute capability " + std::to_string(properties.major) + "." +
            std::to_string(properties.minor) + ", " + std::to_string(properties.multiProcessorCount) + " multiprocessors, " +
            std::to_string(properties.totalGlobalMem >> 20) + " MiB, driver for CUDA " + version_text(driver) + ", runtime " +
            version_text(runtime);
    return {};
}

Outcome memory_info(std::uint64_t* free_bytes, std::uint64_t* total_bytes) {
    std::size_t available = 0, total = 0;
    JCUCONV_TRY(done(cudaMemGetInfo(&available, &total), "cudaMemGetInfo"));
    *free_bytes = available;
    *total_bytes = total;
    return {};
}

int multiprocessors() {
    int number = 1;
    if (cudaDeviceGetAttribute(&number, cudaDevAttrMultiProcessorCount, current()) != cudaSuccess) cudaGetLastError();
    return number;
}

// Of the code that this library holds, not of the device: it runs the newest that is not newer than itself, and only that can do what a choice asks for.
int architecture() {
    int major = 0, minor = 0;
    if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, current()) != cudaSuccess ||
        cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, current()) != cudaSuccess)
        cudaGetLastError();
    const int device = major * 10 + minor;
    int newest = 0;
    for (const int compiled : {__CUDA_ARCH_LIST__}) {
        if (compiled / 10 <= device && compiled / 10 > newest) newest = compiled / 10;
    }
    return newest > 0 ? newest : device;
}

Outcome allocate(std::size_t bytes, void** pointer) { return done(cudaMalloc(pointer, bytes), "cudaMalloc"); }
Outcome release(void* pointer) { return done(cudaFree(pointer), "cudaFree"); }
Outcome allocate_host(std::size_t bytes, void** pointer) { return done(cudaMallocHost(pointer, bytes), "cudaMallocHost"); }
Outcome release_host(void* pointer) { return done(cudaFreeHost(pointer), "cudaFreeHost"); }

Outcome check_memory(const void* pointer, std::size_t bytes) {
    const auto refused = [](const std::string& why) { return Outcome(JCUCONV_INVALID_MEMORY, "wrap: the address " + why); };
    cudaPointerAttributes attributes{};
    JCUCONV_TRY(done(cudaPointerGetAttributes(&attributes, pointer), "cudaPointerGetAttributes"));
    if (attributes.type == cudaMemoryTypeHost) return refused("is pinned host memory");
    if (attributes.type == cudaMemoryTypeUnregistered) return refused("is no live memory of any device");
    if (attributes.type == cudaMemoryTypeDevice && attributes.device != current())
        return refused("belongs to device " + std::to_string(attributes.device) + ", the current device is " + std::to_string(current()));
    const AddressRange range = address_range();
    if (range == nullptr) return {JCUCONV_DEVICE_ERROR, "wrap: the driver lacks cuMemGetAddressRange"};
    // A pool may map several allocations one behind the other and hand out memory across their borders.
    const auto end = reinterpret_cast<unsigned long long>(pointer) + bytes;
    for (auto at = reinterpret_cast<unsigned long long>(pointer); at < end;) {
        unsigned long long base = 0;
        std::size_t size = 0;
        if (range(&base, &size, at) != 0 || base + size <= at)
            return refused("has " + std::to_string(bytes - (end - at)) + " bytes of live memory behind it, not " + std::to_string(bytes));
        at = base + size;
    }
    return {};
}

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
    Outcome waited = stream_synchronize(stream);
    Outcome destroyed = done(cudaStreamDestroy(native(stream)), "cudaStreamDestroy");
    return waited.ok() ? destroyed : waited;
}

Outcome stream_synchronize(Stream stream) { return done(cudaStreamSynchronize(native(stream)), "cudaStreamSynchronize"); }

Outcome check_stream(Stream stream) {
    unsigned flags = 0;
    return done(cudaStreamGetFlags(native(stream), &flags), "cudaStreamGetFlags");
}

Outcome event_create(Event* event) {
    return done(cudaEventCreate(reinterpret_cast<cudaEvent_t*>(event)), "cudaEventCreate");
}
Outcome event_destroy(Event event) { return done(cudaEventDestroy(native_event(event)), "cudaEventDestroy"); }
Outcome event_record(Event event, Stream stream) {
    return done(cudaEventRecord(native_event(event), native(stream)), "cudaEventRecord");
}
Outcome event_synchronize(Event event) { return done(cudaEventSynchronize(native_event(event)), "cudaEventSynchronize"); }
Outcome event_elapsed(Event from, Event to, std::int64_t* nanoseconds) {
    float milliseconds = 0;
    JCUCONV_TRY(done(cudaEventElapsedTime(&milliseconds, native_event(from), native_event(to)), "cudaEventElapsedTime"));
    *nanoseconds = static_cast<std::int64_t>(std::llround(1e6 * milliseconds));
    return {};
}
Outcome stream_wait(Stream stream, Event event) {
    return done(cudaStreamWaitEvent(native(stream), native_event(event), 0), "cudaStreamWaitEvent");
}

// Other threads, of a framework perhaps, may allocate meanwhile: the capture concerns this thread only.
Outcome graph_begin(Stream stream) {
    return done(cudaStreamBeginCapture(native(stream), cudaStreamCaptureModeThreadLocal), "cudaStreamBeginCapture");
}

Outcome graph_end(Stream stream, Graph* graph) {
    cudaGraph_t captured = nullptr;
    JCUCONV_TRY(done(cudaStreamEndCapture(native(stream), &captured), "cudaStreamEndCapture"));
    cudaGraphExec_t executable = nullptr;
    cudaEvent_t launched = nullptr;
    cudaError_t error = cudaGraphInstantiate(&executable, captured, 0);
    cudaGraphDestroy(captured);
    if (error == cudaSuccess) {
        error = cudaEventCreateWithFlags(&launched, cudaEventDisableTiming);
        if (error != cudaSuccess) cudaGraphExecDestroy(executable);
    }
    if (error == cudaSuccess) *graph = new LaunchedGraph{executable, launched};
    return done(error, "cudaGraphInstantiate");
}

Outcome graph_launch(Graph graph, Stream stream) {
    const auto* launched = static_cast<LaunchedGraph*>(graph);
    JCUCONV_TRY(done(cudaGraphLaunch(launched->executable, native(stream)), "cudaGraphLaunch"));
    return done(cudaEventRecord(launched->launched, native(stream)), "cudaEventRecord");
}

Outcome graph_destroy(Graph graph) {
    const auto* launched = static_cast<LaunchedGraph*>(graph);
    const Relaxed relaxed;
    Outcome waited = done(cudaEventSynchronize(launched->launched), "cudaEventSynchronize");
    Outcome destroyed = done(cudaGraphExecDestroy(launched->executable), "cudaGraphExecDestroy");
    cudaEventDestroy(launched->launched);
    delete launched;
    return waited.ok() ? destroyed : waited;
}

std::uint64_t capture_of(Stream stream) {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    unsigned long long id = 0;
    if (cudaStreamGetCaptureInfo(native(stream), &status, &id) != cudaSuccess) cudaGetLastError();
    if (status == cudaStreamCaptureStatusInvalidated) return UINT64_MAX;  // its number is not told
    return status == cudaStreamCaptureStatusActive ? id : 0;
}

Using::Using(std::span<const Access> accesses) : accesses_(accesses) {}
Using::~Using() = default;

}  // namespace jcuconv::device
