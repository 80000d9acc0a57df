// Handles that survive misuse: the kind of object, the generation of a slot, and the slot's index in a table. A closed handle never
// matches again, even when its slot is reused, and a handle of another kind never matches at all.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace jcuconv {

enum class Kind : std::uint64_t { kPlan = 1, kStream = 2, kEvent = 3, kGraph = 4 };

template <class T, Kind kKind>
class HandleTable {
  public:
    std::uint64_t add(std::shared_ptr<const T> object) {
        const std::lock_guard lock(mutex_);
        std::size_t index = slots_.size();
        if (!free_.empty()) {
            index = free_.back();
            free_.pop_back();
        } else {
            slots_.emplace_back();
            free_.reserve(slots_.size());  // so that closing never needs memory
        }
        slots_[index].object = std::move(object);
        return tag(slots_[index]) << 32 | (index + 1);
    }

    // Null if the handle is unknown or closed. The object lives as long as the result, whoever closes the handle meanwhile.
    std::shared_ptr<const T> find(std::uint64_t handle) const {
        const std::lock_guard lock(mutex_);
        const Slot* slot = slot_of(handle);
        return slot == nullptr ? nullptr : slot->object;
    }

    bool remove(std::uint64_t handle) {
        std::shared_ptr<const T> last;  // destroyed after the lock is released
        const std::lock_guard lock(mutex_);
        Slot* slot = const_cast<Slot*>(slot_of(handle));
        if (slot == nullptr) return false;
        last = std::move(slot->object);
        slot->object = nullptr;
        if (++slot->generation < kGenerations) free_.push_back(static_cast<std::size_t>(slot - slots_.data()));
        return true;
    }

  private:
    struct Slot {
        std::shared_ptr<const T> object;
        std::uint64_t generation = 1;
    };
    // The upper half of a handle holds 4 bits of kind and 28 of generation; a slot that has used them up stays empty.
    static constexpr std::uint64_t kGenerations = std::uint64_t{1} << 28;

    static std::uint64_t tag(const Slot& slot) { return static_cast<std::uint64_t>(kKind) << 28 | slot.generation; }

    const Slot* slot_of(std::uint64_t handle) const {
        const std::uint64_t index = (handle & 0xffffffffu) - 1;
        if (index >= slots_.size()) return nullptr;
        const Slot& slot = slots_[index];
        return slot.object && tag(slot) == handle >> 32 ? &slot : nullptr;
    }

    mutable std::mutex mutex_;
    std::vector<Slot> slots_;
    std::vector<std::size_t> free_;
};

}  // namespace jcuconv
