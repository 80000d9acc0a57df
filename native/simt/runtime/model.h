// The state of the modelled CUDA runtime. Every function that takes a Model expects its mutex to be held.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/device.h"
#include "simt/runtime.h"

namespace jcuconv::simt {

constexpr int kPoison = 0xFF;  // NaN in every floating-point type

// What is known to be finished: per stream the number of its last such operation.
using Clock = std::map<std::uint64_t, std::uint64_t>;
void merge(Clock& into, const Clock& from);
inline std::uint64_t at(const Clock& clock, std::uint64_t stream) {
    const auto found = clock.find(stream);
    return found == clock.end() ? 0 : found->second;
}

// A copy between host and device. Until it runs the host must leave its side alone, which is watched where that is possible.
struct HostCopy {
    void* to = nullptr;
    const void* from = nullptr;
    std::size_t bytes = 0;  // 0: no such copy
    bool download = false;
    bool watched = false;
    std::uint64_t checksum = 0;  // of the source of an upload

    device::Access host_side() const { return {download ? to : from, bytes, download}; }
};

struct Operation {
    std::uint64_t number = 0;  // 1, 2, ... on its stream
    std::string name;
    std::vector<device::Access> accesses;  // device memory, and host memory of copies
    std::size_t device_accesses = 0;       // the first so many
    std::uint64_t waits_for_stream = 0, waits_for_number = 0;
    HostCopy copy;
    std::function<std::string()> work;  // if it is no copy
};

// When an event happened: set once the operation that it waits for has run.
using Moment = std::chrono::steady_clock::time_point;

struct Queue {
    std::deque<Operation> operations;  // all that the host does not know to be finished, run or not
    std::uint64_t last = 0;            // number of the newest operation
    std::uint64_t finished = 0;        // number of the last one that ran
    Clock clock;                       // what is finished before the next operation starts
    std::uint64_t capture = 0;
    std::multimap<std::uint64_t, std::shared_ptr<Moment>> marks;  // by the operation behind which they happen

    bool idle() const { return finished == last; }
    Operation& next() { return operations[finished + 1 - operations.front().number]; }
};

struct EventRecord {
    std::uint64_t stream = 0, number = 0;  // 0: nothing to wait for
    Clock clock;
    std::uint64_t capture = 0;  // recorded in this capture, whose numbers it holds
    std::shared_ptr<Moment> happened = {};  // none in a capture
};

// One stream's part of a capture. Its operations have numbers of their own.
struct Branch {
    std::uint64_t last = 0;
    Clock clock;
};

struct Recorded {
    std::uint64_t stream;
    Operation operation;
};

struct Capture {
    std::thread::id thread;
    std::uint64_t origin;
    std::map<std::uint64_t, Branch> branches;
    std::vector<Recorded> operations;
    std::string broken;  // by this; empty: whole
};

struct Graph {
    std::vector<Operation> operations;
    EventRecord launched;  // the end of the last launch
};

struct Model {
    std::mutex mutex;
    RuntimeOptions options;
    std::uint64_t multiprocessor_queries = 0;
    std::uint64_t random = 0;
    std::uint64_t next_id = 2;  // of streams, events, graphs and captures; 1 is the default stream
    std::map<std::uint64_t, Queue> queues{{1, {}}};
    std::map<std::uint64_t, EventRecord> events;
    std::map<std::uint64_t, Graph> graphs;
    std::map<std::uint64_t, Capture> captures;
    Clock host;    // what the host knows to be finished, by waiting
    Outcome lost;  // the first failure of queued work; later calls repeat it, as after a fault on a GPU

    Model();
};
Model& model();

inline std::uint64_t id_of(const void* handle) { return reinterpret_cast<std::uintptr_t>(handle); }
inline std::uint64_t stream_id(device::Stream stream) { return stream == nullptr ? 1 : id_of(stream); }
inline void* handle_of(std::uint64_t id) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)); }

Outcome find_queue(Model& m, device::Stream stream, Queue** queue);
Outcome find_event(Model& m, device::Event event, EventRecord** record);

// schedule.cpp: what may run when.
Outcome check_order(const Model& m, std::uint64_t stream, const Operation& operation);
Outcome push(Model& m, std::uint64_t stream, Operation operation);  // checks, then queues or records
void append(Model& m, std::uint64_t stream, Operation operation);   // queues
void wait_for(Model& m, std::uint64_t stream, const EventRecord& record);
void run_until(Model& m, std::uint64_t stream, std::uint64_t number);
void host_knows(Model& m, const Clock& clock);
// Empty, or the name of an operation that uses the range and that the host has not waited for.
std::string user_of(const Model& m, const device::Access& range);
bool overlap(const device::Access& a, const device::Access& b);  // and one of them writes

// copies.cpp: the host's side of copies, when they are queued and when they run.
void watch(const Model& m, HostCopy& copy);
std::string transfer(const HostCopy& copy);

// capture.cpp
Outcome record(Model& m, Queue& queue, std::uint64_t stream, Operation operation);
// An error if the calling thread captures; that breaks its captures.
Outcome forbid_in_capture(Model& m, const char* call);
Outcome break_capture(Capture& capture, const std::string& reason);
// Of a stream that is being destroyed. The capture is broken, or over if it began on this stream.
Outcome leave_capture(Model& m, Queue& queue, std::uint64_t stream);

}  // namespace jcuconv::simt
