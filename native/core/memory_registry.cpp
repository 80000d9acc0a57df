#include "core/memory_registry.h"

#include <algorithm>

#include "core/device.h"

namespace jcuconv {

namespace {

std::uintptr_t number(const void* address) { return reinterpret_cast<std::uintptr_t>(address); }

Outcome wrong(std::string text) { return {JCUCONV_INVALID_MEMORY, std::move(text)}; }

}  // namespace

std::size_t Ranges::position(std::uintptr_t begin) const {
    const auto found = std::lower_bound(ranges_.begin(), ranges_.end(), begin,
                                        [](const Range& range, std::uintptr_t b) { return range.begin < b; });
    return static_cast<std::size_t>(found - ranges_.begin());
}

void Ranges::update_reach(std::size_t from) {
    reach_.resize(ranges_.size());
    for (std::size_t i = from; i < ranges_.size(); ++i)
        reach_[i] = std::max(ranges_[i].end, i == 0 ? 0 : reach_[i - 1]);
}

void Ranges::add(std::uintptr_t begin, std::uintptr_t end) {
    const std::size_t at = position(begin);
    if (at < ranges_.size() && ranges_[at].begin == begin) {
        ranges_[at].end = std::max(ranges_[at].end, end);
        ++ranges_[at].count;
    } else {
        reach_.reserve(ranges_.size() + 1);  // before anything changes: it may throw
        ranges_.insert(ranges_.begin() + static_cast<std::ptrdiff_t>(at), {begin, end, 1});
    }
    update_reach(at);
}

bool Ranges::remove(std::uintptr_t begin) {
    const std::size_t at = position(begin);
    if (at == ranges_.size() || ranges_[at].begin != begin) return false;
    if (--ranges_[at].count == 0) ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(at));
    update_reach(at);
    return true;
}

std::uintptr_t Ranges::end_of(std::uintptr_t begin) const {
    const std::size_t at = position(begin);
    return at < ranges_.size() && ranges_[at].begin == begin ? ranges_[at].end : 0;
}

bool Ranges::covers(std::uintptr_t begin, std::uint64_t bytes) const {
    std::size_t at = position(begin);
    if (at == ranges_.size() || ranges_[at].begin != begin) {
        if (at == 0) return false;
        --at;
    }
    return reach_[at] >= begin && reach_[at] - begin >= bytes;
}

bool Ranges::touches(std::uintptr_t begin, std::uintptr_t end) const {
    const std::size_t at = position(end);
    return at > 0 && reach_[at - 1] > begin;
}

// Never destroyed: threads of a JVM may outlive static destructors.
MemoryRegistry& MemoryRegistry::instance() {
    static auto* registry = new MemoryRegistry;
    return *registry;
}

MemoryRegistry::Reading::Reading() : registry_(instance()), lock_(registry_.mutex_), device_(device::current()) {}

bool MemoryRegistry::Reading::on_device(const void* address, std::uint64_t bytes) const {
    const auto found = registry_.devices_.find(device_);
    return found != registry_.devices_.end() &&
           (found->second.owned.covers(number(address), bytes) || found->second.wrapped.covers(number(address), bytes));
}

bool MemoryRegistry::Reading::touches_device(const void* address, std::uint64_t bytes) const {
    const auto begin = number(address), end = begin + std::min<std::uint64_t>(bytes, UINTPTR_MAX - begin);
    return std::any_of(registry_.devices_.begin(), registry_.devices_.end(), [&](const auto& entry) {
        return entry.second.owned.touches(begin, end) || entry.second.wrapped.touches(begin, end);
    });
}

bool MemoryRegistry::Reading::pinned(const void* address, std::uint64_t bytes) const {
    return registry_.host_.covers(number(address), bytes);
}

Outcome MemoryRegistry::allocate(std::uint64_t bytes, void** address) {
    if (bytes == 0) return {};
    JCUCONV_TRY(device::allocate(bytes, address));
    const std::unique_lock lock(mutex_);
    devices_[device::current()].owned.add(number(*address), number(*address) + bytes);
    return {};
}

Outcome MemoryRegistry::check_unused(std::uintptr_t begin, std::uintptr_t end) const {
    for (const auto& [capture, ranges] : kept_)
        for (const auto& [from, to] : ranges)
            if (from < end && begin < to) return wrong("release of memory that a graph or a capture refers to");
    return {};
}

Outcome MemoryRegistry::release(void* address) {
    if (address == nullptr) return {};
    const auto begin = number(address);
    const std::unique_lock lock(mutex_);
    const std::lock_guard kept_lock(kept_mutex_);
    for (auto& [ordinal, memory] : devices_) {
        const auto end = memory.owned.end_of(begin);
        if (end == 0) continue;
        if (memory.wrapped.touches(begin, end)) return wrong("release of memory of which a part is wrapped");
        JCUCONV_TRY(check_unused(begin, end));
        Outcome released = device::release(address);
        // A failure may tell of damage that was found while the memory went.
        if (released.ok() || !device::check_memory(address, 1).ok()) memory.owned.remove(begin);
        return released;
    }
    return wrong("release of an address that jcuconv_malloc did not give, or that was released before");
}

Outcome MemoryRegistry::allocate_host(std::uint64_t bytes, void** address) {
    if (bytes == 0) return {};
    JCUCONV_TRY(device::allocate_host(bytes, address));
    const std::unique_lock lock(mutex_);
    host_.add(number(*address), number(*address) + bytes);
    return {};
}

Outcome MemoryRegistry::release_host(void* address) {
    if (address == nullptr) return {};
    const auto begin = number(address);
    const std::unique_lock lock(mutex_);
    const std::lock_guard kept_lock(kept_mutex_);
    const auto end = host_.end_of(begin);
    if (end == 0) return wrong("release of an address that jcuconv_malloc_host did not give, or that was released before");
    JCUCONV_TRY(check_unused(begin, end));
    JCUCONV_TRY(device::release_host(address));
    host_.remove(begin);
    return {};
}

Outcome MemoryRegistry::wrap(void* address, std::uint64_t bytes) {
    if (address == nullptr) return wrong("wrap: the address is null");
    if (bytes == 0) return wrong("wrap: 0 bytes");
    if (bytes > UINTPTR_MAX - number(address)) return wrong("wrap: the range passes the end of the address space");
    const std::unique_lock lock(mutex_);  // held while the driver is asked, so that jcuconv_free comes before or after
    JCUCONV_TRY(device::check_memory(address, bytes));
    devices_[device::current()].wrapped.add(number(address), number(address) + bytes);
    return {};
}

Outcome MemoryRegistry::unwrap(void* address) {
    const auto begin = number(address);
    const std::unique_lock lock(mutex_);
    const std::lock_guard kept_lock(kept_mutex_);
    for (auto& [ordinal, memory] : devices_) {
        const auto end = memory.wrapped.end_of(begin);
        if (end == 0) continue;
        JCUCONV_TRY(check_unused(begin, end));
        memory.wrapped.remove(begin);
        return {};
    }
    return wrong("unwrap of an address that is not wrapped");
}

void MemoryRegistry::remember(std::uint64_t capture) {
    const std::lock_guard lock(kept_mutex_);
    kept_[capture];
}

void MemoryRegistry::keep(std::uint64_t capture, const void* address, std::uint64_t bytes) {
    const std::lock_guard lock(kept_mutex_);
    const auto found = kept_.find(capture);  // captures that a framework began are its own affair
    if (found != kept_.end()) found->second.insert({number(address), number(address) + bytes});
}

void MemoryRegistry::forget(std::uint64_t capture) {
    const std::lock_guard lock(kept_mutex_);
    kept_.erase(capture);
}

}  // namespace jcuconv
