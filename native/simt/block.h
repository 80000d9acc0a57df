// One thread block under execution: its fibers, its scheduler, its barriers and its warps. Reused for all blocks of a grid.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simt/async_copies.h"
#include "simt/banks.h"
#include "simt/context.h"
#include "simt/executor.h"
#include "simt/race.h"
#include "simt/stacks.h"

namespace jcuconv::simt {

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

  private:
    enum class State : std::uint8_t { kReady, kAtBarrier, kInWarp, kReturned };

    struct Thread {
        Context context;
        State state = State::kReady;
        int barrier = 0;  // the barrier it waits at
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
    void order_warp(int first, int lanes);

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
    BankCounter banks_;

    struct FreeDeleter {
        void operator()(void* p) const;
    };
    std::unique_ptr<std::byte, FreeDeleter> shared_;
};

}  // namespace jcuconv::simt
