#include "simt/memory.h"

#include <sys/mman.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

#include "simt/executor.h"
#include "simt/sanitizer.h"
#include "simt/text.h"

namespace jcuconv::simt {

namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kBand = kPage;
constexpr int kPoison = 0xFF;
// Poisoning touches every page. A sparse mapping of several GiB, which only a few far elements use, must stay sparse.
constexpr std::size_t kLargestPoisoned = std::size_t{512} << 20;

struct Range {
    std::uintptr_t begin = 1, end = 0;  // empty
    bool holds(std::uintptr_t p, std::size_t bytes) const { return p >= begin && p <= end && bytes <= end - p; }
};

std::mutex g_mutex;
std::map<std::uintptr_t, std::size_t> g_allocations;  // address -> bytes
std::atomic<std::uint64_t> g_generation{1};           // changes with every allocation and release

// Of the kernel at hand. A pointer, because thread-local storage is scarce in a library that a JVM loads.
__thread const Declared* t_declared = nullptr;
__thread std::size_t t_declarations = 0;
__thread std::size_t t_last = 0;  // where the last access was found

bool declared(std::uintptr_t p, std::size_t bytes, bool writes) {
    const auto holds = [&](const Declared& d) { return p >= d.begin && p <= d.end && bytes <= d.end - p && (d.writes || !writes); };
    if (holds(t_declared[t_last])) return true;
    for (std::size_t i = 0; i < t_declarations; ++i) {
        if (holds(t_declared[i])) {
            t_last = i;
            return true;
        }
    }
    return false;
}

std::size_t up(std::size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

bool find(std::uintptr_t p, std::size_t bytes, Range& found) {
    const std::lock_guard lock(g_mutex);
    auto next = g_allocations.upper_bound(p);
    if (next == g_allocations.begin()) return false;
    --next;
    found = {next->first, next->first + next->second};
    return found.holds(p, bytes);
}

// Remembers the buffers that the kernel at hand uses, so that the map is asked rarely. One per OS thread, on the heap.
struct Cache {
    std::array<Range, 8> ranges;
    std::size_t last = 0, victim = 0;
    std::uint64_t generation = 0;
};

Cache& cache() {
    static thread_local std::unique_ptr<Cache> instance;
    if (!instance) instance = std::make_unique<Cache>();
    return *instance;
}

bool holds_cached(std::uintptr_t p, std::size_t bytes) {
    Cache& c = cache();
    if (const auto generation = g_generation.load(); c.generation != generation) c = Cache{{}, 0, 0, generation};
    if (c.ranges[c.last].holds(p, bytes)) return true;
    for (std::size_t i = 0; i < c.ranges.size(); ++i) {
        if (c.ranges[i].holds(p, bytes)) {
            c.last = i;
            return true;
        }
    }
    Range found;
    if (!find(p, bytes, found)) return false;
    c.last = c.victim;
    c.ranges[c.victim] = found;
    c.victim = (c.victim + 1) % c.ranges.size();
    return true;
}

std::string hex(std::uintptr_t p) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(p));
    return text;
}

// Where p lies with respect to the nearest allocation below it, for messages.
std::string describe(std::uintptr_t p) {
    const std::lock_guard lock(g_mutex);
    auto next = g_allocations.upper_bound(p);
    if (next == g_allocations.begin()) return hex(p) + ", which lies in no allocation";
    --next;
    return hex(p) + ", at byte " + std::to_string(p - next->first) + " of an allocation of " + std::to_string(next->second) +
           " bytes";
}

// Offset of the first byte that is no longer poison, or `bytes`.
std::size_t first_damage(const std::byte* band, std::size_t bytes) {
    std::size_t i = 0;
    while (i < bytes && band[i] == std::byte{kPoison}) ++i;
    return i;
}

std::string damage(const std::byte* memory, std::size_t bytes) {
    if (const auto before = first_damage(memory - kBand, kBand); before < kBand)
        return "a write " + std::to_string(kBand - before) + " bytes before a buffer of " + std::to_string(bytes) + " bytes";
    if (const auto behind = first_damage(memory + bytes, kBand); behind < kBand)
        return "a write " + std::to_string(behind) + " bytes behind a buffer of " + std::to_string(bytes) + " bytes";
    return {};
}

}  // namespace

void* allocate(std::size_t bytes) {
    if (bytes > SIZE_MAX / 2) return nullptr;
    const std::size_t mapped = kBand + up(bytes + kBand);
    void* mapping = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED) return nullptr;
    auto* memory = static_cast<std::byte*>(mapping) + kBand;
    std::memset(mapping, kPoison, kBand);
    if (bytes <= kLargestPoisoned) std::memset(memory, kPoison, bytes);
    std::memset(memory + bytes, kPoison, kBand);
    forbid(mapping, kBand);
    forbid(memory + bytes, kBand);
    const std::lock_guard lock(g_mutex);
    g_allocations[reinterpret_cast<std::uintptr_t>(memory)] = bytes;
    ++g_generation;
    return memory;
}

std::string release(void* pointer) {
    std::size_t bytes = 0;
    {
        const std::lock_guard lock(g_mutex);
        const auto found = g_allocations.find(reinterpret_cast<std::uintptr_t>(pointer));
        if (found == g_allocations.end())
            return "release of " + hex(reinterpret_cast<std::uintptr_t>(pointer)) + ", which is not a live allocation";
        bytes = found->second;
        g_allocations.erase(found);
        ++g_generation;
    }
    auto* memory = static_cast<std::byte*>(pointer);
    std::string error = damage(memory, bytes);
    allow(memory - kBand, kBand);  // what is mapped here next is another's
    allow(memory + bytes, kBand);
    munmap(memory - kBand, kBand + up(bytes + kBand));
    return error;
}

std::string damage(const void* pointer) {
    Range range;
    const auto p = reinterpret_cast<std::uintptr_t>(pointer);
    if (!find(p, 1, range)) return hex(p) + " lies in no allocation";
    return damage(reinterpret_cast<const std::byte*>(range.begin), range.end - range.begin);
}

bool covers(const void* pointer, std::size_t bytes) {
    Range ignored;
    return find(reinterpret_cast<std::uintptr_t>(pointer), bytes, ignored);
}

std::size_t size_of(const void* pointer) {
    const std::lock_guard lock(g_mutex);
    const auto found = g_allocations.find(reinterpret_cast<std::uintptr_t>(pointer));
    return found == g_allocations.end() ? 0 : found->second;
}

Bounds::Bounds(std::span<const Declared> ranges) {
    t_declared = ranges.data();
    t_declarations = ranges.size();
    t_last = 0;
}

Bounds::~Bounds() { t_declarations = 0; }

void check_access(const void* pointer, std::size_t bytes, std::size_t alignment, const char* verb,
                  const std::source_location* where) {
    const auto p = reinterpret_cast<std::uintptr_t>(pointer);
    const auto allowed = [&] {
        if (t_declarations == 0) return holds_cached(p, bytes);
        return declared(p, bytes, std::strcmp(verb, "write") == 0 || std::strcmp(verb, "atomic_add") == 0);
    };
    if (p % alignment == 0 && (bytes == 0 || allowed())) return;
    const char* rule = ": not part of what the plan declared";
    if (p % alignment == 0 && !holds_cached(p, bytes)) rule = "";
    fail(std::string(verb) + (where == nullptr ? "" : " at " + place(*where)) + " of " + std::to_string(bytes) + " bytes at " +
         describe(p) + (p % alignment == 0 ? rule : ": not aligned to " + std::to_string(alignment)));
}

std::size_t live_allocations() {
    const std::lock_guard lock(g_mutex);
    return g_allocations.size();
}

}  // namespace jcuconv::simt
