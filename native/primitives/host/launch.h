// Launching a kernel on the host: queued on the stream, run by the executor when something waits for it.
#pragma once

#include <tuple>

#include "simt/executor.h"
#include "simt/queue.h"

#define JCUCONV_KERNEL(...) void

namespace jcuconv {

template <class... Parameters>
Outcome launch(const char* name, void (*kernel)(Parameters...), simt::Dim3 grid, int threads, std::size_t shared_bytes,
               device::Stream stream, std::type_identity_t<Parameters>... arguments) {
    // Captured by value, as a launch on a GPU copies its parameters at the call.
    return simt::enqueue(stream, name, [=, call = std::tuple<Parameters...>(arguments...)]() mutable {
        auto body = [&] { std::apply(kernel, call); };
        const simt::Launch launch{name,    grid,        threads, shared_bytes, [](void* f) { (*static_cast<decltype(body)*>(f))(); },
                                  &body};
        return simt::run(launch);
    });
}

}  // namespace jcuconv
