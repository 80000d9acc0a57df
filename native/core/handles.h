// Handles that survive misuse: an index into a table plus the generation of that slot. A closed handle never matches again, even
// when its slot is reused.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace jcuconv {

template <class T>
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
        }
        slots_[index].object = std::move(object);
        return std::uint64_t{slots_[index].generation} << 32 | (index + 1);
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
        ++slot->generation;
        free_.push_back(static_cast<std::size_t>(slot - slots_.data()));
        return true;
    }

  private:
    struct Slot {
        std::shared_ptr<const T> object;
        std::uint32_t generation = 1;
    };

    const Slot* slot_of(std::uint64_t handle) const {
        const std::uint64_t index = (handle & 0xffffffffu) - 1;
        if (index >= slots_.size()) return nullptr;
        const Slot& slot = slots_[index];
        return slot.object && slot.generation == handle >> 32 ? &slot : nullptr;
    }

    mutable std::mutex mutex_;
    std::vector<Slot> slots_;
    std::vector<std::size_t> free_;
};

}  // namespace jcuconv
