// The mbarriers of one block: a count of arrivals and a count of bytes that are under way, phase by phase.
//
// A phase is complete when as many threads arrived as the barrier was made for and no byte is missing; the next phase begins at once.
// Waiting for parity p ends when the phase of that parity is complete, so on a fresh barrier waiting for 1 ends at once. Two phases that
// complete before a waiting thread runs would look to it like none: that is an error here, since it hangs on a GPU now and then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "simt/executor.h"

namespace jcuconv::simt {

class Mbarriers {
  public:
    struct Barrier {
        int count = 0;
        int pending = 0;          // arrivals that this phase still needs
        std::int64_t bytes = 0;   // announced and not landed; below zero where bytes land before they are announced
        unsigned phase = 0;       // how many are complete
        std::vector<int> waiting;
        int woken = 0;            // woke up and did not run yet
        std::vector<std::uint32_t> knowledge, completed;  // of the race detector: of this phase, of the last complete one
    };

    void clear() { barriers_.clear(); }

    // All return the empty string or what is wrong; `woken` gets the threads that may run again.
    std::string init(std::size_t offset, int count);
    std::string arrive(std::size_t offset, std::int64_t announced, std::vector<int>& woken);
    std::string land(std::size_t offset, std::int64_t bytes, std::vector<int>& woken);

    // The barrier, or null where none was made.
    Barrier* find(std::size_t offset);

    // Whether waiting for this parity ends at once.
    static bool passes(const Barrier& barrier, unsigned parity) { return (barrier.phase & 1u) != parity; }

    // One line per barrier that somebody waits for.
    std::string describe() const;

  private:
    std::string complete(std::size_t offset, Barrier& barrier, std::vector<int>& woken);

    std::map<std::size_t, Barrier> barriers_;
};

}  // namespace jcuconv::simt
