// What a host program on top of the C API holds: streams, events, memory, plans. The first call that fails ends the program.
#pragma once

#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "jcuconv/jcuconv.h"
#include "simt/memory.h"
#include "simt/runtime.h"
#include "test/check.h"

namespace jcuconv::test {

// Thrown by a call that failed; the tests of wrong programs want to see it.
struct Refused : std::runtime_error {
    explicit Refused(jcuconv_status s) : std::runtime_error(std::string(jcuconv_status_name(s)) + ": " + jcuconv_last_message()), status(s) {}
    jcuconv_status status;
};

inline void must(jcuconv_status status) {
    if (status != JCUCONV_OK) throw Refused(status);
}

class HostProgram {
  public:
    HostProgram() = default;
    // A program that was refused leaves work, captures and graphs behind.
    ~HostProgram() {
        simt::reset_device();
        jcuconv_handle ignored = 0;
        for (jcuconv_stream s : streams_) jcuconv_graph_end(s, &ignored);
        for (jcuconv_handle g : graphs_) jcuconv_graph_destroy(g);
        for (jcuconv_handle e : events_) CHECK(jcuconv_event_destroy(e) == JCUCONV_OK);
        for (jcuconv_handle p : plans_) CHECK(jcuconv_plan_destroy(p) == JCUCONV_OK);
        for (jcuconv_stream s : streams_) CHECK(jcuconv_stream_destroy(s) == JCUCONV_OK);
        for (void* m : memory_) CHECK(jcuconv_free(m) == JCUCONV_OK);
        for (void* m : pinned_) CHECK(jcuconv_free_host(m) == JCUCONV_OK);
        CHECK(simt::live_allocations() == 0);
    }
    HostProgram(const HostProgram&) = delete;
    HostProgram& operator=(const HostProgram&) = delete;

    jcuconv_stream stream() {
        jcuconv_stream s = nullptr;
        must(jcuconv_stream_create(&s));
        streams_.push_back(s);
        return s;
    }

    jcuconv_handle event() {
        jcuconv_handle e = 0;
        must(jcuconv_event_create(&e));
        events_.push_back(e);
        return e;
    }

    float* device(std::size_t floats) {
        void* m = nullptr;
        must(jcuconv_malloc(floats * sizeof(float), &m));
        memory_.push_back(m);
        return static_cast<float*>(m);
    }

    void release(void* device_memory) {
        must(jcuconv_free(device_memory));
        std::erase(memory_, device_memory);
    }

    float* pinned(std::size_t floats) {
        void* m = nullptr;
        must(jcuconv_malloc_host(floats * sizeof(float), &m));
        pinned_.push_back(m);
        return static_cast<float*>(m);
    }

    template <class Problem>
    jcuconv_handle plan(jcuconv_status (*create)(const Problem*, jcuconv_pass, uint64_t, jcuconv_handle*), const Problem& problem,
                        jcuconv_pass pass) {
        jcuconv_handle p = 0;
        must(create(&problem, pass, UINT64_MAX, &p));
        plans_.push_back(p);
        return p;
    }

    jcuconv_handle end_capture(jcuconv_stream s) {
        jcuconv_handle g = 0;
        must(jcuconv_graph_end(s, &g));
        graphs_.push_back(g);
        return g;
    }

    void close_plans() {
        for (jcuconv_handle p : plans_) must(jcuconv_plan_destroy(p));
        plans_.clear();
    }

    // `later` waits for all that `earlier` holds now.
    void order(jcuconv_stream earlier, jcuconv_stream later, jcuconv_handle event) {
        must(jcuconv_event_record(event, earlier));
        must(jcuconv_stream_wait_event(later, event));
    }

  private:
    std::vector<jcuconv_stream> streams_;
    std::vector<jcuconv_handle> events_, plans_, graphs_;
    std::vector<void*> memory_, pinned_;
};

// Arguments by name, with as many bytes as the memory is said to hold.
class Call {
  public:
    Call& with(jcuconv_arg arg, void* memory, std::size_t floats) {
        spans_[arg] = {memory, floats * sizeof(float)};
        return *this;
    }
    Call& workspace(void* memory, std::size_t floats) {
        workspace_ = {memory, floats * sizeof(float)};
        return *this;
    }
    void run(jcuconv_handle plan, jcuconv_stream stream) const {
        must(jcuconv_execute(plan, spans_, JCUCONV_ARG_COUNT, workspace_, stream));
    }

  private:
    jcuconv_span spans_[JCUCONV_ARG_COUNT]{};
    jcuconv_span workspace_{};
};

}  // namespace jcuconv::test
