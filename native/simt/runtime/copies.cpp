// Copies and fills. The host's side of a copy is watched from queueing to running: the destination of a download is poisoned, so that
// reading it early shows, and must still be poison when the copy lands; the source of an upload must still have its checksum.
#include <cstring>

#include "simt/memory.h"
#include "simt/queue.h"
#include "simt/runtime/model.h"

namespace jcuconv::simt {

namespace {

std::uint64_t checksum(const void* memory, std::size_t bytes) {
    const auto* p = static_cast<const std::byte*>(memory);
    std::uint64_t sum = bytes;
    for (std::size_t i = 0; i < bytes; i += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, p + i, std::min(sizeof word, bytes - i));
        sum = (sum ^ word) * 0x9E3779B97F4A7C15u;
        sum ^= sum >> 29;
    }
    return sum;
}

bool poisoned(const void* memory, std::size_t bytes) {
    const auto* p = static_cast<const unsigned char*>(memory);
    return bytes == 0 || (p[0] == kPoison && std::memcmp(p, p + 1, bytes - 1) == 0);
}

// Queued work that has not run may use host memory too, in stream order; then nothing can be told from what the memory holds.
bool in_use(const Model& m, const device::Access& side) {
    for (const auto& [id, queue] : m.queues)
        for (const Operation& operation : queue.operations)
            if (operation.number > queue.finished && operation.copy.bytes > 0 && overlap(side, operation.copy.host_side())) return true;
    return false;
}

}  // namespace

void watch(const Model& m, HostCopy& copy) {
    copy.watched = !in_use(m, copy.host_side());
    if (!copy.watched) return;
    if (copy.download)
        std::memset(copy.to, kPoison, copy.bytes);
    else
        copy.checksum = checksum(copy.from, copy.bytes);
}

std::string transfer(const HostCopy& copy) {
    if (copy.watched && copy.download && !poisoned(copy.to, copy.bytes))
        return "the host wrote into the destination of a download of " + std::to_string(copy.bytes) +
               " bytes before it had waited for the copy";
    if (copy.watched && !copy.download && checksum(copy.from, copy.bytes) != copy.checksum)
        return "the host changed the source of an upload of " + std::to_string(copy.bytes) +
               " bytes before it had waited for the copy";
    std::memmove(copy.to, copy.from, copy.bytes);
    return {};
}

}  // namespace jcuconv::simt

namespace jcuconv::device {

using namespace jcuconv::simt;

Outcome copy(void* to, const void* from, std::size_t bytes, Copy kind, Stream stream) {
    if (bytes == 0) return {};
    if (to == nullptr || from == nullptr) return {JCUCONV_INVALID_MEMORY, "copy: an address is null"};
    Operation operation;
    operation.name = "copy";
    // Device memory first: `device_accesses` counts it.
    if (kind != Copy::kToHost) operation.accesses.push_back({to, bytes, true});
    if (kind != Copy::kToDevice) operation.accesses.push_back({from, bytes, false});
    operation.device_accesses = operation.accesses.size();
    if (kind == Copy::kOnDevice) {
        operation.work = [=] {
            std::memmove(to, from, bytes);
            return std::string();
        };
    } else {
        operation.copy = {to, from, bytes, kind == Copy::kToHost};
        operation.accesses.push_back(operation.copy.host_side());
    }
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = nullptr;
    JCUCONV_TRY(find_queue(m, stream, &queue));
    return push(m, stream_id(stream), std::move(operation));
}

Outcome fill(void* to, std::uint8_t value, std::size_t bytes, Stream stream) {
    const Access access{to, bytes, true};
    const Using declared({&access, 1});
    return enqueue(stream, "fill", [=] {
        std::memset(to, value, bytes);
        return std::string();
    });
}

}  // namespace jcuconv::device
