// Counts bank conflicts in shared memory. The model: 32 banks of 4 bytes; lanes are served in groups that move at most 128 bytes (32
// lanes of 4 bytes, 16 of 8, 8 of 16, 8 rows of ldmatrix); a group costs as many wavefronts as its most wanted bank has
// different words. What lanes read together by the same word is free.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "simt/executor.h"

namespace jcuconv::simt {

class BankCounter {
  public:
    void start_launch() { sites_.clear(); }

    // One lane's part of an access that its whole warp makes. Lanes need not run together: the n-th time that each lane passes a
    // line belongs to one access.
    void lane(int thread, int warp_lanes, std::size_t offset, std::size_t bytes, const char* what, Where where);

    // The rows of one ldmatrix, eight of 16 bytes per matrix.
    void rows(const std::size_t* offsets, int count, const char* what, Where where);

    // Counts what not all lanes of a warp took part in.
    void finish_block();

    std::vector<BankCount> counts() const;

  private:
    struct Access {
        std::size_t bytes = 0;
        int lanes = 0;
        std::array<std::size_t, kWarpSize> offset{};
        std::array<bool, kWarpSize> active{};
    };
    struct Warp {
        std::array<std::uint64_t, kWarpSize> passed{};  // accesses that each lane began
        std::uint64_t first = 0;                        // number of the oldest open access
        std::vector<Access> open;
    };
    struct Site {
        BankCount count;
        std::map<int, Warp> warps;
    };
    using Key = std::tuple<std::string, unsigned, unsigned>;  // file, line, column

    Site& site(const char* what, const Where& where);
    static void close(BankCount& count, const Access& access);

    std::map<Key, Site> sites_;
};

}  // namespace jcuconv::simt
