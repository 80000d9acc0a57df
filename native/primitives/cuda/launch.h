// Launching a kernel on a GPU.
#pragma once

#include <cuda_runtime.h>

#include <string>
#include <type_traits>

#include "core/device.h"

// The threads of a block and, if given, how many blocks the registers must leave room for on a multiprocessor.
#define JCUCONV_KERNEL(...) __global__ void __launch_bounds__(__VA_ARGS__)

namespace jcuconv {

template <class... Parameters>
Outcome launch(const char* name, void (*kernel)(Parameters...), dim3 grid, int threads, std::size_t shared_bytes,
               device::Stream stream, std::type_identity_t<Parameters>... arguments) {
    constexpr std::size_t kWithoutAsking = 48 * 1024;  // more has to be asked for, once per kernel and device
    cudaError_t error = cudaSuccess;
    if (shared_bytes > kWithoutAsking)
        error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
    if (error == cudaSuccess) {
        kernel<<<grid, threads, shared_bytes, static_cast<cudaStream_t>(stream)>>>(arguments...);
        error = cudaGetLastError();
    }
    if (error == cudaSuccess) return {};
    return {JCUCONV_DEVICE_ERROR, std::string("launch of ") + name + ": " + cudaGetErrorString(error)};
}

}  // namespace jcuconv
