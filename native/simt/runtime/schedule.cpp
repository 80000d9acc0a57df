// Streams as queues that run as late as the waiting of the host and the order of events allow: a missing wait then shows as NaN or
// stale data. Two streams that use the same memory without an event between them are an error at once, in every mode.
#include <algorithm>
#include <utility>

#include "simt/memory.h"
#include "simt/queue.h"
#include "simt/runtime/model.h"

namespace jcuconv::simt {

namespace {

__thread const device::Using* t_using = nullptr;

bool ready(const Model& m, const Operation& operation) {
    const auto found = m.queues.find(operation.waits_for_stream);
    return found == m.queues.end() || found->second.finished >= operation.waits_for_number;  // destroying a stream finished it
}

void run(Model& m, const Operation& operation, const std::function<std::string()>& work) {
    if (!m.lost.ok()) return;
    if (operation.copy.bytes > 0) {
        if (std::string misuse = transfer(operation.copy); !misuse.empty()) m.lost = {JCUCONV_INVALID_ORDER, misuse};
    } else if (work) {
        std::vector<Declared> declared;
        for (std::size_t i = 0; i < operation.device_accesses; ++i) {
            const auto begin = reinterpret_cast<std::uintptr_t>(operation.accesses[i].begin);
            declared.push_back({begin, begin + operation.accesses[i].bytes, operation.accesses[i].writes});
        }
        const Bounds bounds(declared);
        if (std::string fault = work(); !fault.empty()) m.lost = {JCUCONV_DEVICE_ERROR, fault};
    }
}

void run_next(Model& m, Queue& queue) {
    Operation& operation = queue.next();
    const auto number = queue.finished = operation.number;
    const auto work = std::exchange(operation.work, nullptr);
    run(m, operation, work);
    const auto [first, last] = queue.marks.equal_range(number);
    for (auto mark = first; mark != last; ++mark) *mark->second = std::chrono::steady_clock::now();
    queue.marks.erase(first, last);
}

// With a seed: lets streams advance that nobody waits for.
void wander(Model& m) {
    if (m.options.seed == 0) return;
    const auto draw = [&m](std::uint64_t n) {
        m.random = m.random * 6364136223846793005u + 1442695040888963407u;
        return (m.random >> 33) % n;
    };
    for (auto steps = draw(4); steps > 0; --steps) {
        auto pick = m.queues.begin();
        std::advance(pick, static_cast<long>(draw(m.queues.size())));
        if (!pick->second.idle() && ready(m, pick->second.next())) run_next(m, pick->second);
    }
}

}  // namespace

void merge(Clock& into, const Clock& from) {
    for (const auto& [stream, number] : from) into[stream] = std::max(into[stream], number);
}

bool overlap(const device::Access& a, const device::Access& b) {
    const auto* a0 = static_cast<const std::byte*>(a.begin);
    const auto* b0 = static_cast<const std::byte*>(b.begin);
    return a0 < b0 + b.bytes && b0 < a0 + a.bytes && (a.writes || b.writes);
}

void run_until(Model& m, std::uint64_t stream, std::uint64_t number) {
    std::vector<std::pair<std::uint64_t, std::uint64_t>> waiting{{stream, number}};  // not recursion: chains can be long
    while (!waiting.empty()) {
        const auto [id, until] = waiting.back();
        const auto found = m.queues.find(id);
        if (found == m.queues.end() || found->second.finished >= until) {
            waiting.pop_back();
        } else if (const Operation& next = found->second.next(); !ready(m, next)) {
            waiting.emplace_back(next.waits_for_stream, next.waits_for_number);
        } else {
            run_next(m, found->second);
            wander(m);
        }
    }
}

void host_knows(Model& m, const Clock& clock) {
    merge(m.host, clock);
    for (auto& [id, queue] : m.queues)
        while (!queue.operations.empty() && queue.operations.front().number <= at(m.host, id)) queue.operations.pop_front();
}

std::string user_of(const Model& m, const device::Access& range) {
    for (const auto& [id, queue] : m.queues)
        for (const Operation& operation : queue.operations)
            for (const auto& access : operation.accesses)
                if (overlap(range, access)) return operation.name;
    return {};
}

Outcome check_order(const Model& m, std::uint64_t stream, const Operation& operation) {
    const Clock& clock = m.queues.at(stream).clock;
    for (const auto& [id, other] : m.queues) {
        if (id == stream || other.operations.empty()) continue;
        const auto first = other.operations.front().number;
        const auto known = at(clock, id);
        for (auto i = known < first ? 0 : known + 1 - first; i < other.operations.size(); ++i)
            for (const auto& theirs : other.operations[i].accesses)
                for (const auto& ours : operation.accesses)
                    if (overlap(ours, theirs))
                        return {JCUCONV_INVALID_ORDER, operation.name + " uses memory that " + other.operations[i].name +
                                                           ", queued on another stream, has not finished with: no event orders them"};
    }
    return {};
}

void append(Model& m, std::uint64_t stream, Operation operation) {
    Queue& queue = m.queues.at(stream);
    if (operation.copy.bytes > 0 && !m.options.eager) watch(m, operation.copy);
    operation.number = queue.last + 1;
    queue.operations.push_back(std::move(operation));
    ++queue.last;
    if (m.options.eager) run_until(m, stream, queue.last);
    wander(m);
}

void wait_for(Model& m, std::uint64_t stream, const EventRecord& record) {
    if (record.number == 0) return;
    merge(m.queues.at(stream).clock, record.clock);
    Operation wait;
    wait.name = "stream_wait";
    wait.waits_for_stream = record.stream;
    wait.waits_for_number = record.number;
    append(m, stream, std::move(wait));
}

Outcome push(Model& m, std::uint64_t stream, Operation operation) {
    if (!m.lost.ok()) return m.lost;
    for (std::size_t i = 0; i < operation.device_accesses; ++i)
        if (!covers(operation.accesses[i].begin, operation.accesses[i].bytes))
            return {JCUCONV_INVALID_MEMORY, operation.name + " uses memory that is not live memory of this device"};
    Queue& queue = m.queues.at(stream);
    if (queue.capture != 0) return record(m, queue, stream, std::move(operation));
    JCUCONV_TRY(check_order(m, stream, operation));
    append(m, stream, std::move(operation));
    return {};
}

Outcome enqueue(device::Stream stream, const char* name, std::function<std::string()> work) {
    Model& m = model();
    const std::lock_guard lock(m.mutex);
    Queue* queue = nullptr;
    JCUCONV_TRY(find_queue(m, stream, &queue));
    Operation operation;
    operation.name = name;
    if (t_using != nullptr) operation.accesses.assign(t_using->accesses().begin(), t_using->accesses().end());
    operation.device_accesses = operation.accesses.size();
    operation.work = std::move(work);
    return push(m, stream_id(stream), std::move(operation));
}

}  // namespace jcuconv::simt

namespace jcuconv::device {

Using::Using(std::span<const Access> accesses) : accesses_(accesses) { simt::t_using = this; }

Using::~Using() { simt::t_using = nullptr; }

}  // namespace jcuconv::device
