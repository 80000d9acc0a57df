// How a launch on the host reaches the runtime model.
#pragma once

#include <functional>
#include <string>

#include "core/device.h"

namespace jcuconv::simt {

// Queues `work` behind everything already queued on the stream, or records it if the stream is captured; then it may run many
// times. It returns the empty string or what went wrong.
Outcome enqueue(device::Stream stream, const char* name, std::function<std::string()> work);

}  // namespace jcuconv::simt
