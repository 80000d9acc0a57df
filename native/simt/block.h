// One thread block under execution: its fibers, its scheduler, its barriers and its warps. Reused for all blocks of a grid.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "simt/async_copies.h"
#include "simt/banks.h"
#include "simt/bulk_loads.h"
#include "simt/context.h"
#include "simt/executor.h"
#include "simt/mbarriers.h"
#include "simt/race.h"
#include "simt/stacks.h"
#include "simt/wgmma.h"

namespace jcuconv::simt {

extern bool g_detect_races;  // set once, before the first launch

inline bool same(const Where& a, const Where& b) {
    return a.line() == b.line() && std::strcmp(a.file_name(), b.file_name()) == 0;
}

inline std::uint64_t next_random(std::uint64_t& state) {  // splitmix64
    state += 0x9E3779B97F4A7C15u;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

class Block {
  public:
    void prepare(const Launch& launch, const Options& options);
    std::string run(Dim3 index);
    const Options& options() const { return options_; }
    std::vector<BankCount> bank_counts() const { return banks_.counts(); }

    // Called from inside a fiber.
    [[noreturn]] void fail(const std::string& message);
    void barrier(int id, int count, bool same_place, bool wait, Where where);
    void collective(WarpOperation operation, const char* name, void* argument, Where where);
    void observe(std::size_t offset, std::size_t bytes, bool write);
    void access_shared(std::size_t offset, std::size_t bytes, Access access, bool counted, const char* what, Where where);
    void count_matrix_rows(const std::size_t* offsets, int count, const char* what, Where where);
    void async_copy(std::size_t to, const void* from, std::size_t bytes, std::size_t from_bytes, Where where);
    void async_commit();
    void async_wait(int keep);

    // What sm_90 adds (block_bulk.cpp).
    void mbarrier_init(std::size_t offset, int count);
    void mbarrier_arrive(std::size_t offset, std::int64_t announced);
    void mbarrier_wait(std::size_t offset, unsigned parity, Where where);
    void bulk_load(std::size_t to, std::vector<std::byte> data, std::size_t barrier, Where where);
    void group_collective(GroupOperation operation, const char* name, void* argument, Where where);
    void async_proxy_fence();
    Wgmma& wgmma();
    void read_for_wgmma(std::size_t offset, std::byte* to, bool early);
    bool wgmma_at_once();
    void order_warpgroup();

  private:
    enum class State : std::uint8_t { kReady, kAtBarrier, kAtMbarrier, kInWarp, kInGroup, kReturned };

    struct Thread {
        Context context;
        State state = State::kReady;
        int barrier = 0;  // the barrier it waits at
        std::size_t mbarrier = 0;
        Where where;
    };
    struct Barrier {
        int arrived = 0;
        int expected = 0;
        bool same_place = false;
        Where where;  // of the first arrival
        std::vector<int> waiting;
        std::vector<std::uint32_t> knowledge;  // of those that arrived, for the race detector
    };
    struct Warp {
        int arrived = 0;
        WarpOperation operation = nullptr;
        const char* name = "";
        Where where;
        void* arguments[kWarpSize] = {};
    };

    struct Warpgroup {
        int arrived = 0;
        GroupOperation operation = nullptr;
        const char* name = "";
        Where where;
        void* arguments[kWarpgroup] = {};
        Wgmma products;
    };

    static void fiber_main();
    void make_ready(int thread);
    int take_ready();
    void park();  // gives the processor away; comes back when this thread was made ready and chosen
    void resume_main();
    int warp_lanes(int warp) const { return std::min(kWarpSize, launch_.block_size - warp * kWarpSize); }
    void clear();
    std::string at(int thread) const;
    std::string deadlock() const;
    std::string check_shared_tail() const;
    void order(int first, int threads);
    bool land_one();  // a bulk load that is under way; false: there is none
    void land(BulkLoads::Load load);
    void wake(const std::vector<int>& threads);
    std::string unfinished() const;

    void check_not_in_flight(std::size_t offset, std::size_t bytes, const char* what, const Where* where);
    void book(std::size_t offset, std::size_t bytes, Access access);
    std::string finish();

    Launch launch_{};
    Options options_{};
    std::uint64_t random_ = 0;
    bool random_order_ = false;

    Stacks stacks_;
    Context main_{};
    std::vector<Thread> threads_;
    std::vector<Warp> warps_;
    Barrier barriers_[kBarriers];
    std::vector<int> ready_;  // ring
    int ready_head_ = 0, ready_count_ = 0;
    int returned_ = 0;
    std::string error_;
    RaceDetector races_;
    AsyncCopies copies_;
    Mbarriers mbarriers_;
    BulkLoads loads_;
    std::vector<Warpgroup> warpgroups_;
    BankCounter banks_;

    struct FreeDeleter {
        void operator()(void* p) const;
    };
    std::unique_ptr<std::byte, FreeDeleter> shared_;
};

}  // namespace jcuconv::simt
