// Mistakes that a host program makes when it forgets that the device runs late. Each is one change of the program in async_test.cpp;
// in the order `late` every one must be caught: by a status, or because the program's numbers are wrong.
#pragma once

namespace jcuconv::test {

enum class AsyncBug {
    kNone,
    kWaitMissing,             // the step reads the batch on its stream without waiting for the upload's event
    kEventTooEarly,           // the upload's event is recorded before the upload
    kWaitBeforeRecord,        // the step waits for the upload's event before this batch's record: for the batch before, or for nothing
    kFreeInFlight,            // a batch's device buffer is released while the step that reads it is queued
    kHostBufferReused,        // the next batch is written into host memory whose upload has not run
    kPinnedSlotWithoutEvent,  // two slots, but nobody waits for the event behind a slot's last upload
    kSlotIndexOffByOne,       // the upload takes the other slot of the two
    kDeviceBufferOverwritten,  // the upload of batch n + 2 does not wait for the step that reads batch n from the same buffer
    kResultReadEarly,         // the losses are read before the stream was synchronised
    kWrongStreamSynchronised,  // the upload's stream is synchronised, the losses come from the step's
    kWorkspaceShared,         // two plans on two streams use one workspace
    kUpdateBeforeGradient,    // the update runs on a stream that did not wait for the gradient
    kHyperUpdatedByHost,      // the learning rate is overwritten for the next step while this step's upload of it is queued
    kPoisonedDownload,        // the host clears the place for a loss after it has queued the download
    kCaptureWithSynchronise,  // the captured step waits for its stream
    kCaptureWithAllocation,   // the captured step allocates its workspace
    kCaptureNotJoined,        // the captured step forks a stream and does not wait for it
    kGraphParameterUpdated,   // the slot that the captured upload reads is expected to alternate on replay
    kGraphMemoryReleased,     // a graph is launched after the memory that it refers to was released
    kGraphSlotOverwritten,    // the pinned slot that a graph reads is written again before the launch has run
    kCount
};

constexpr const char* kAsyncBugs[] = {
    "none", "wait_missing", "event_too_early", "wait_before_record", "free_in_flight", "host_buffer_reused",
    "pinned_slot_without_event", "slot_index_off_by_one", "device_buffer_overwritten", "result_read_early",
    "wrong_stream_synchronised", "workspace_shared", "update_before_gradient", "hyper_updated_by_host", "poisoned_download",
    "capture_with_synchronise", "capture_with_allocation", "capture_not_joined", "graph_parameter_updated", "graph_memory_released",
    "graph_slot_overwritten"};
static_assert(sizeof kAsyncBugs / sizeof *kAsyncBugs == static_cast<unsigned>(AsyncBug::kCount), "one name each");

}  // namespace jcuconv::test
