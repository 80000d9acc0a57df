// Capture and replay through the C API: what is recorded, what runs, and every rule that a capture can break.
#include <cmath>
#include <thread>

#include "test/testing/host_program.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr std::size_t kCount = 64, kBytes = kCount * sizeof(float);

// Two streams, one event, device and pinned memory of 64 floats each.
struct Capture : HostProgram {
    jcuconv_stream main = stream(), side = stream();
    jcuconv_handle event = HostProgram::event();
    float *a = device(kCount), *b = device(kCount), *host = pinned(kCount), *result = pinned(kCount);

    Capture() { std::fill_n(host, kCount, 1.0f); }

    void copy() { must(jcuconv_copy_to_device(a, host, kBytes, main)); }
    void download(const float* from, jcuconv_stream on) { must(jcuconv_copy_to_host(result, from, kBytes, on)); }
    void wait() { must(jcuconv_stream_synchronize(main)); }
};

void expect_refusal(jcuconv_status status, const char* text) {
    CHECK(status == JCUCONV_INVALID_CAPTURE);
    CHECK_CONTAINS(jcuconv_last_message(), text);
}

}  // namespace

JCUCONV_TEST(a_capture_records_and_a_launch_runs_late) {
    Capture c;
    must(jcuconv_graph_begin(c.main));
    c.copy();
    c.download(c.a, c.main);
    const auto graph = c.end_capture(c.main);
    c.wait();
    CHECK(std::isnan(c.a[0]) && std::isnan(c.result[0]));  // nothing has run
    for (float value = 3.0f; value < 6.0f; ++value) {
        std::fill_n(c.host, kCount, value);
        must(jcuconv_graph_launch(graph, c.main));
        CHECK(c.result[7] != value);  // not yet
        c.wait();
        CHECK(c.result[0] == value && c.result[63] == value);
    }
}

JCUCONV_TEST(arguments_are_baked_in) {
    Capture c;
    std::uint8_t byte = 1;
    must(jcuconv_graph_begin(c.main));
    must(jcuconv_fill(c.a, byte, kBytes, c.main));
    const auto graph = c.end_capture(c.main);
    byte = 2;
    must(jcuconv_graph_launch(graph, c.main));
    c.download(c.a, c.main);
    c.wait();
    CHECK(reinterpret_cast<unsigned char*>(c.result)[5] == 1);
}

JCUCONV_TEST(a_plan_may_be_destroyed_before_its_graph_runs) {
    Capture c;
    const jcuconv_add add{kCount, JCUCONV_F32, 0};
    const auto plan = c.plan(jcuconv_add_plan, add, JCUCONV_FPROP);
    float* sum = c.device(kCount);
    c.copy();
    must(jcuconv_copy_to_device(c.b, c.host, kBytes, c.main));
    must(jcuconv_graph_begin(c.main));
    Call().with(JCUCONV_ARG_X, c.a, kCount).with(JCUCONV_ARG_X2, c.b, kCount).with(JCUCONV_ARG_Y, sum, kCount).run(plan, c.main);
    const auto graph = c.end_capture(c.main);
    c.close_plans();
    must(jcuconv_graph_launch(graph, c.main));
    c.download(sum, c.main);
    c.wait();
    CHECK(c.result[0] == 2.0f && c.result[63] == 2.0f);
}

JCUCONV_TEST(a_stream_joins_by_an_event_and_is_joined_back) {
    Capture c;
    must(jcuconv_graph_begin(c.main));
    c.copy();
    c.order(c.main, c.side, c.event);
    must(jcuconv_copy_on_device(c.b, c.a, kBytes, c.side));
    c.order(c.side, c.main, c.event);
    c.download(c.b, c.main);
    const auto graph = c.end_capture(c.main);
    must(jcuconv_stream_synchronize(c.side));  // ordinary again
    must(jcuconv_graph_launch(graph, c.main));
    c.wait();
    CHECK(c.result[0] == 1.0f);
}

JCUCONV_TEST(branches_without_an_event_are_named) {
    Capture c;
    must(jcuconv_graph_begin(c.main));
    must(jcuconv_event_record(c.event, c.main));
    must(jcuconv_stream_wait_event(c.side, c.event));
    c.copy();
    CHECK(jcuconv_copy_on_device(c.b, c.a, kBytes, c.side) == JCUCONV_INVALID_ORDER);
    CHECK_CONTAINS(jcuconv_last_message(), "copy using memory of copy, recorded on another stream, with no event to order them");
    jcuconv_handle graph = 1;
    expect_refusal(jcuconv_graph_end(c.main, &graph), "the capture was broken by copy using memory");
    CHECK(graph == 0);
}

JCUCONV_TEST(launches_of_one_graph_follow_one_another_on_any_streams) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        Capture c;
        simt::set_runtime_options({.seed = seed});
        must(jcuconv_graph_begin(c.main));
        c.copy();
        must(jcuconv_copy_on_device(c.b, c.a, kBytes, c.main));
        const auto graph = c.end_capture(c.main);
        must(jcuconv_graph_launch(graph, c.main));
        must(jcuconv_graph_launch(graph, c.side));
        must(jcuconv_stream_synchronize(c.side));
        CHECK(jcuconv_fill(c.b, 0, kBytes, c.main) == JCUCONV_OK);  // both launches are known to be over
        c.wait();
        must(jcuconv_graph_launch(graph, c.side));
        CHECK(jcuconv_fill(c.a, 0, kBytes, c.main) == JCUCONV_INVALID_ORDER);
        simt::set_runtime_options({});
    }
}

JCUCONV_TEST(only_events_that_happened_tell_the_time) {
    Capture c;
    const auto never = c.HostProgram::event(), inner = c.HostProgram::event(), outer = c.HostProgram::event();
    std::uint64_t nanoseconds = 7;
    must(jcuconv_event_record(outer, c.main));
    must(jcuconv_graph_begin(c.main));
    must(jcuconv_event_record(inner, c.main));
    c.copy();
    must(jcuconv_graph_destroy(c.end_capture(c.main)));
    for (const auto event : {never, inner}) {
        CHECK(jcuconv_event_elapsed(event, outer, &nanoseconds) == JCUCONV_INVALID_HANDLE && nanoseconds == 0);
        CHECK(jcuconv_event_elapsed(outer, event, &nanoseconds) == JCUCONV_INVALID_HANDLE);
    }
    CHECK(jcuconv_event_elapsed(outer, outer, nullptr) == JCUCONV_INVALID_RESULT);
    must(jcuconv_fill(c.b, 1, kBytes, c.main));
    must(jcuconv_event_record(inner, c.main));
    must(jcuconv_event_elapsed(outer, inner, &nanoseconds));
    CHECK(nanoseconds > 0);
    must(jcuconv_event_elapsed(inner, outer, &nanoseconds));  // never negative
    CHECK(nanoseconds == 0);
}

JCUCONV_TEST(forbidden_calls_break_the_capture) {
    using Call = jcuconv_status (*)(Capture&);
    struct Rule {
        Call call;
        const char* text;
    };
    const Rule rules[] = {
        {[](Capture&) { void* m; return jcuconv_malloc(8, &m); }, "allocating device memory"},
        {[](Capture&) { void* m; return jcuconv_malloc_host(8, &m); }, "allocating pinned memory"},
        {[](Capture& c) { return jcuconv_free(c.b); }, "releasing device memory"},
        {[](Capture& c) { return jcuconv_free_host(c.result); }, "releasing pinned memory"},
        {[](Capture& c) { return jcuconv_stream_synchronize(c.main); }, "synchronising a stream"},
        {[](Capture& c) { return jcuconv_stream_synchronize(c.side); }, "synchronising a stream"},
        {[](Capture& c) { return jcuconv_stream_destroy(c.side); }, "synchronising a stream"},
        {[](Capture& c) { return jcuconv_event_synchronize(c.event); }, "synchronising an event"},
        {[](Capture& c) {
             std::uint64_t nanoseconds;
             jcuconv_event_record(c.event, c.side);
             return jcuconv_event_elapsed(c.event, c.event, &nanoseconds);
         },
         "synchronising an event"},
    };
    for (const Rule& rule : rules) {
        Capture c;
        must(jcuconv_graph_begin(c.main));
        c.copy();
        expect_refusal(rule.call(c), rule.text);
        expect_refusal(jcuconv_copy_to_device(c.a, c.host, kBytes, c.main), (std::string("was broken by ") + rule.text).c_str());
        jcuconv_handle graph = 0;
        expect_refusal(jcuconv_graph_end(c.main, &graph), (std::string("was broken by ") + rule.text).c_str());
        must(jcuconv_graph_begin(c.main));  // a fresh one is whole
        c.copy();
        c.end_capture(c.main);
    }
}

JCUCONV_TEST(waits_across_the_border_of_a_capture_are_refused) {
    Capture c;
    const auto other = c.HostProgram::event(), inner = c.HostProgram::event();
    jcuconv_handle graph = 0;
    must(jcuconv_event_record(other, c.side));
    must(jcuconv_graph_begin(c.main));
    must(jcuconv_stream_wait_event(c.main, c.event));  // never recorded: no wait
    expect_refusal(jcuconv_stream_wait_event(c.main, other), "waiting for an event that was recorded outside");
    expect_refusal(jcuconv_graph_end(c.main, &graph), "was broken by waiting for an event that was recorded outside");

    must(jcuconv_graph_begin(c.main));
    must(jcuconv_event_record(inner, c.main));
    expect_refusal(jcuconv_stream_wait_event(nullptr, inner), "the default stream, which cannot join");
    CHECK(jcuconv_graph_end(c.main, &graph) == JCUCONV_INVALID_CAPTURE);
    expect_refusal(jcuconv_stream_wait_event(c.side, inner), "recorded in a capture that has ended");
    expect_refusal(jcuconv_event_synchronize(inner), "recorded in a capture, where nothing happens");

    must(jcuconv_graph_begin(c.main));
    must(jcuconv_graph_begin(c.side));
    must(jcuconv_event_record(inner, c.side));
    expect_refusal(jcuconv_stream_wait_event(c.main, inner), "waiting for an event of another capture");
    CHECK(jcuconv_graph_end(c.main, &graph) == JCUCONV_INVALID_CAPTURE);
    c.end_capture(c.side);
}

JCUCONV_TEST(beginning_and_ending_have_one_place) {
    Capture c;
    jcuconv_handle graph = 0;
    expect_refusal(jcuconv_graph_begin(nullptr), "the default stream cannot be captured");
    expect_refusal(jcuconv_graph_end(nullptr, &graph), "no capture began");
    expect_refusal(jcuconv_graph_end(c.main, &graph), "no capture began");
    const auto empty = [&] {
        must(jcuconv_graph_begin(c.main));
        return c.end_capture(c.main);
    }();
    must(jcuconv_graph_launch(empty, c.main));
    must(jcuconv_graph_begin(c.main));
    expect_refusal(jcuconv_graph_begin(c.main), "the stream is captured already");
    CHECK(jcuconv_graph_end(c.main, nullptr) == JCUCONV_INVALID_RESULT);
    expect_refusal(jcuconv_stream_destroy(c.main), "cannot be destroyed while it is captured");
    expect_refusal(jcuconv_graph_launch(empty, c.main), "launching a graph during a capture");
    std::thread([&] { expect_refusal(jcuconv_graph_end(c.main, &graph), "must end on the thread that began it"); }).join();
    std::thread([&] { expect_refusal(jcuconv_stream_synchronize(c.main), "a stream that is captured"); }).join();
    CHECK(jcuconv_graph_end(c.main, &graph) == JCUCONV_INVALID_CAPTURE);

    must(jcuconv_graph_begin(c.main));
    c.order(c.main, c.side, c.event);
    expect_refusal(jcuconv_graph_end(c.side, &graph), "no capture began");
    c.end_capture(c.main);
}

JCUCONV_TEST(captured_copies_take_pinned_memory_only) {
    Capture c;
    std::vector<float> pageable(kCount);
    must(jcuconv_graph_begin(c.main));
    expect_refusal(jcuconv_copy_to_device(c.a, pageable.data(), kBytes, c.main), "must be memory of jcuconv_malloc_host");
    expect_refusal(jcuconv_copy_to_host(pageable.data(), c.a, kBytes, c.main), "must be memory of jcuconv_malloc_host");
    expect_refusal(jcuconv_copy_to_device(c.a, c.host + 1, kBytes, c.main), "must be memory of jcuconv_malloc_host");
    c.end_capture(c.main);  // they were refused before they reached the capture
}

JCUCONV_TEST(memory_of_a_graph_stays_until_the_graph_goes) {
    Capture c;
    float* part = c.device(2 * kCount) + kCount;
    must(jcuconv_wrap(part, kBytes));
    must(jcuconv_graph_begin(c.main));
    c.copy();
    must(jcuconv_copy_on_device(part, c.a, kBytes, c.main));
    std::thread([&] {
        CHECK(jcuconv_free(c.a) == JCUCONV_INVALID_MEMORY);  // also while it is captured
        void* other = nullptr;
        CHECK(jcuconv_malloc(kBytes, &other) == JCUCONV_OK);  // the capture concerns its own thread
        CHECK(jcuconv_free(other) == JCUCONV_OK);
    }).join();
    jcuconv_handle graph = 0;
    must(jcuconv_graph_end(c.main, &graph));
    for (const auto status : {jcuconv_free(c.a), jcuconv_free_host(c.host), jcuconv_unwrap(part)}) {
        CHECK(status == JCUCONV_INVALID_MEMORY);
        CHECK_CONTAINS(jcuconv_last_message(), "that a graph or a capture refers to");
    }
    must(jcuconv_graph_launch(graph, c.main));
    must(jcuconv_graph_destroy(graph));  // waits
    CHECK(part[5] == 1.0f);
    CHECK(jcuconv_graph_launch(graph, c.main) == JCUCONV_INVALID_HANDLE);
    CHECK(jcuconv_graph_destroy(graph) == JCUCONV_INVALID_HANDLE);
    must(jcuconv_unwrap(part));
    c.release(c.a);
}

JCUCONV_TEST(a_broken_capture_lets_go_of_its_memory) {
    Capture c;
    must(jcuconv_graph_begin(c.main));
    c.copy();
    CHECK(jcuconv_stream_synchronize(c.main) == JCUCONV_INVALID_CAPTURE);
    jcuconv_handle graph = 0;
    CHECK(jcuconv_graph_end(c.main, &graph) == JCUCONV_INVALID_CAPTURE);
    c.release(c.a);
}
