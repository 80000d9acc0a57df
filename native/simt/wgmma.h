// The matrix product of a warpgroup (wgmma): 64 rows, operands in shared memory named by descriptors, sums in registers. It runs
// asynchronously: groups of products are committed and waited for, in order.
//
// Between its issue and its wait a product reads shared memory and owns its sums. Lazy: it runs at the wait, which finds memory that was
// refilled too early; eager: at its issue; random: at one of the two. Its sums are NaN until the wait that covers it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "simt/executor.h"
#include "simt/mma.h"
#include "simt/tensor_map.h"

namespace jcuconv::simt {

constexpr int kWarpgroup = 128;
constexpr int kWgmmaRows = 64;

// An operand in shared memory, as the 64 bits of its descriptor say: start, leading and stride byte offset in units of 16, swizzle.
std::uint64_t wgmma_descriptor(std::size_t start, std::size_t leading_bytes, std::size_t stride_bytes, Swizzle swizzle);

// One product; every lane gives its own `d`, columns / 2 sums, and the same rest.
struct WgmmaCall {
    MmaType type;
    int columns;
    bool a_by_rows, b_by_rows;  // neighbours in memory are rows of a, columns of b ("MN-major"): 16-bit types only
    float* d;                   // [columns / 8][4]: row 16 * warp + lane / 4 + 8 i, column 8 j + 2 (lane % 4) + e at d[j][2 i + e]
    std::uint64_t a, b;
    bool accumulate;            // false: d is overwritten
};

// The products of one warpgroup that are under way.
class Wgmma {
  public:
    // Reads 16 bytes of shared memory into `to`, or fails.
    using Read = std::function<void(std::size_t offset, std::byte* to)>;

    void clear();
    void fence() { fenced_ = true; }
    // Empty or why the hardware would refuse, or what is missing. `lanes`: the calls of all 128.
    std::string issue(void** lanes, bool at_once, const MmaRounding& rounding, const Read& read, const Read& look);
    void commit();
    void wait(int keep, const MmaRounding& rounding, const Read& read);
    bool idle() const { return queue_.empty() && open_ == 0; }

  private:
    struct Sums {
        std::vector<float*> lanes;  // where they go
        std::vector<float> values;  // [row][column]
        int columns = 0, pending = 0;
    };
    struct Product {
        WgmmaCall call;
        float* sums = nullptr;  // key of sums_: lane 0's registers
        std::uint64_t group = 0;
        bool done = false;
    };

    void run(Product& product, const MmaRounding& rounding, const Read& read);
    void run_all(const MmaRounding& rounding, const Read& read);

    std::deque<Product> queue_;
    std::map<float*, Sums> sums_;
    std::uint64_t committed_ = 0;
    int open_ = 0;  // products since the last commit
    bool fenced_ = false;
};

// Called by all threads of a warpgroup together.
void wgmma_fence(Where where);
void wgmma_issue(WgmmaCall& call, Where where);
void wgmma_commit(Where where);
void wgmma_wait(int keep, Where where);

}  // namespace jcuconv::simt
