// The bulk loads (TMA) of one block that are under way: each lands some time after its issue and then counts its bytes at an mbarrier.
// Until then its destination is NaN and touching it is an error. A lazy load lands when no thread can run, an eager one at its issue, a
// random one in between.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "simt/executor.h"

namespace jcuconv::simt {

class BulkLoads {
  public:
    struct Load {
        std::size_t to = 0;  // offset in shared memory
        std::vector<std::byte> data;
        std::size_t barrier = 0;  // offset of the mbarrier
        int thread = 0;
        Where where;
        std::vector<std::uint32_t> knowledge;  // of the issuing thread, for the race detector
    };

    void clear() { loads_.clear(); }
    bool empty() const { return loads_.empty(); }
    std::size_t size() const { return loads_.size(); }
    void add(Load load) { loads_.push_back(std::move(load)); }

    const Load& oldest() const { return loads_.front(); }

    Load take(std::size_t index) {
        Load load = std::move(loads_[index]);
        loads_.erase(loads_.begin() + static_cast<std::ptrdiff_t>(index));
        return load;
    }

    // One whose destination holds one of these bytes, or null. A handful is under way at a time.
    const Load* touched(std::size_t offset, std::size_t bytes) const {
        for (const Load& load : loads_)
            if (offset < load.to + load.data.size() && load.to < offset + bytes) return &load;
        return nullptr;
    }

  private:
    std::vector<Load> loads_;  // in the order of their issue
};

}  // namespace jcuconv::simt
