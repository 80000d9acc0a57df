// A small training loop as a host program would write it: uploads from two pinned slots on a stream of their own, the step on a
// second stream, the loss beside it on a third, the update on a fourth. Each mistake of async_bugs.h is one change of it.
#pragma once

#include "test/async_bugs.h"
#include "test/testing/host_program.h"

namespace jcuconv::test {

constexpr int kRows = 8, kInputs = 4, kClasses = 4, kSteps = 7;
constexpr std::size_t kBatch = kRows * kInputs, kWeights = kClasses * kInputs, kLogits = kRows * kClasses, kHyper = 9;

struct Numbers {
    std::vector<float> losses, weights;
    bool operator==(const Numbers& other) const {
        const auto same = [](const std::vector<float>& a, const std::vector<float>& b) {
            return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
        };
        return same(losses, other.losses) && same(weights, other.weights);
    }
};

inline float input(int step, std::size_t i) { return static_cast<float>((step * 7 + static_cast<int>(i) * 5) % 11 - 5) / 4.0f; }
inline float rate(int step) { return 0.25f / static_cast<float>(1 + step); }
inline float first_weight(std::size_t i) { return static_cast<float>(static_cast<int>(i) % 5 - 2) / 8.0f; }
inline int label(int row) { return row * 3 % kClasses; }

inline void write_batch(int step, float* x, float* hyper) {
    for (std::size_t i = 0; i < kBatch; ++i) x[i] = input(step, i);
    const float numbers[kHyper] = {rate(step), 1.0f, 0.0f, 0.0f, 0.0f, 0.0f, 1.0f, 1.0f, 1.0f};
    std::memcpy(hyper, numbers, sizeof numbers);
}

struct AsyncProgram : HostProgram {
    explicit AsyncProgram(AsyncBug bug) : bug_(bug) {
        jcuconv_dense dense{};
        dense.n = kRows, dense.c = kInputs, dense.k = kClasses;
        const jcuconv_softmax_cross_entropy loss{kRows, kClasses, -1, JCUCONV_F32, 0};
        forward_ = plan(jcuconv_dense_plan, dense, JCUCONV_FPROP);
        weight_gradient_ = plan(jcuconv_dense_plan, dense, JCUCONV_WGRAD);
        loss_ = plan(jcuconv_softmax_cross_entropy_plan, loss, JCUCONV_FPROP);
        loss_gradient_ = plan(jcuconv_softmax_cross_entropy_plan, loss, JCUCONV_DGRAD);
        update_ = plan(jcuconv_optimizer_plan, jcuconv_optimizer{kWeights, JCUCONV_SGD, JCUCONV_F32}, JCUCONV_FPROP);
        for (int slot = 0; slot < 2; ++slot) {
            x_host_[slot] = pinned(kBatch), hyper_host_[slot] = pinned(kHyper);
            x_[slot] = device(kBatch), hyper_[slot] = device(kHyper);
        }
        std::vector<float> staging(kWeights);
        for (std::size_t i = 0; i < kWeights; ++i) staging[i] = first_weight(i);
        must(jcuconv_copy_to_device(w_, staging.data(), kWeights * sizeof(float), step_stream_));
        if (!has(AsyncBug::kHostBufferReused)) must(jcuconv_stream_synchronize(step_stream_));
        for (int row = 0; row < kRows; ++row) {
            const std::int32_t value = label(row);
            std::memcpy(&staging[static_cast<std::size_t>(row)], &value, sizeof value);
        }
        must(jcuconv_copy_to_device(labels_, staging.data(), kRows * sizeof(float), step_stream_));
        const float one = 1.0f;
        must(jcuconv_copy_to_device(one_, &one, sizeof one, step_stream_));
        must(jcuconv_stream_synchronize(step_stream_));
    }

    bool has(AsyncBug bug) const { return bug == bug_; }

    Numbers train() {
        Numbers numbers{std::vector<float>(kSteps), std::vector<float>(kWeights)};
        for (int step = 0; step < kSteps; ++step) {
            const int slot = step % 2;
            upload(step, slot);
            if (!has(AsyncBug::kWaitMissing) && !has(AsyncBug::kWaitBeforeRecord))
                must(jcuconv_stream_wait_event(step_stream_, uploaded_[slot]));
            train_step(slot);
            must(jcuconv_event_record(used_[slot], step_stream_));
            float* loss = &numbers.losses[static_cast<std::size_t>(step)];
            must(jcuconv_copy_to_host(loss, loss_value_, sizeof(float), loss_stream_));
            if (has(AsyncBug::kPoisonedDownload)) *loss = 0.0f;
            order(loss_stream_, step_stream_, lossed_);
            if (has(AsyncBug::kFreeInFlight) && step == 3) {
                release(x_[slot]);
                x_[slot] = device(kBatch);
            }
        }
        must(jcuconv_copy_to_host(numbers.weights.data(), w_, kWeights * sizeof(float), step_stream_));
        if (has(AsyncBug::kResultReadEarly)) return numbers;
        must(jcuconv_stream_synchronize(has(AsyncBug::kWrongStreamSynchronised) ? upload_stream_ : step_stream_));
        return numbers;
    }

    // The same steps as two graphs, one per slot, because a graph keeps the addresses that it was captured with.
    Numbers train_captured() {
        Numbers numbers{std::vector<float>(kSteps), std::vector<float>(kWeights)};
        jcuconv_handle graphs[2];
        float* loss_host = pinned(2);
        for (int slot = 0; slot < 2; ++slot) {
            const int source = has(AsyncBug::kGraphParameterUpdated) ? 0 : slot;
            must(jcuconv_graph_begin(step_stream_));
            must(jcuconv_copy_to_device(x_[slot], x_host_[source], kBatch * sizeof(float), step_stream_));
            must(jcuconv_copy_to_device(hyper_[slot], hyper_host_[source], kHyper * sizeof(float), step_stream_));
            if (has(AsyncBug::kCaptureWithAllocation)) device(kRows);
            train_step(slot);
            if (has(AsyncBug::kCaptureWithSynchronise)) must(jcuconv_stream_synchronize(step_stream_));
            must(jcuconv_copy_to_host(loss_host + slot, loss_value_, sizeof(float), loss_stream_));
            if (!has(AsyncBug::kCaptureNotJoined)) order(loss_stream_, step_stream_, lossed_);
            graphs[slot] = end_capture(step_stream_);
        }
        close_plans();
        if (has(AsyncBug::kGraphMemoryReleased)) release(hyper_[1]);
        for (int step = 0; step < kSteps + 2; ++step) {
            const int slot = step % 2;
            if (!has(AsyncBug::kGraphSlotOverwritten)) must(jcuconv_event_synchronize(used_[slot]));
            if (step >= 2) numbers.losses[static_cast<std::size_t>(step - 2)] = loss_host[slot];
            if (step >= kSteps) continue;
            write_batch(step, x_host_[slot], hyper_host_[slot]);
            must(jcuconv_graph_launch(graphs[slot], step_stream_));
            must(jcuconv_event_record(used_[slot], step_stream_));
        }
        must(jcuconv_copy_to_host(numbers.weights.data(), w_, kWeights * sizeof(float), step_stream_));
        must(jcuconv_stream_synchronize(step_stream_));
        return numbers;
    }

  private:
    void upload(int step, int slot) {
        if (!has(AsyncBug::kPinnedSlotWithoutEvent)) must(jcuconv_event_synchronize(uploaded_[slot]));
        write_batch(step, x_host_[slot], hyper_host_[slot]);
        if (has(AsyncBug::kWaitBeforeRecord)) must(jcuconv_stream_wait_event(step_stream_, uploaded_[slot]));
        if (!has(AsyncBug::kDeviceBufferOverwritten)) must(jcuconv_stream_wait_event(upload_stream_, used_[slot]));
        if (has(AsyncBug::kEventTooEarly)) must(jcuconv_event_record(uploaded_[slot], upload_stream_));
        const int source = has(AsyncBug::kSlotIndexOffByOne) ? 1 - slot : slot;
        must(jcuconv_copy_to_device(x_[slot], x_host_[source], kBatch * sizeof(float), upload_stream_));
        must(jcuconv_copy_to_device(hyper_[slot], hyper_host_[slot], kHyper * sizeof(float), upload_stream_));
        if (!has(AsyncBug::kEventTooEarly)) must(jcuconv_event_record(uploaded_[slot], upload_stream_));
        if (has(AsyncBug::kHyperUpdatedByHost)) hyper_host_[slot][0] = rate(step + 1);
    }

    void train_step(int slot) {
        Call().with(JCUCONV_ARG_X, x_[slot], kBatch).with(JCUCONV_ARG_W, w_, kWeights).with(JCUCONV_ARG_Y, y_, kLogits)
            .run(forward_, step_stream_);
        order(step_stream_, loss_stream_, forwarded_);
        Call().with(JCUCONV_ARG_X, y_, kLogits).with(JCUCONV_ARG_LABELS, labels_, kRows).with(JCUCONV_ARG_LOSS, loss_value_, 1)
            .workspace(loss_workspace_, kRows).run(loss_, loss_stream_);
        Call().with(JCUCONV_ARG_X, y_, kLogits).with(JCUCONV_ARG_LABELS, labels_, kRows).with(JCUCONV_ARG_LOSS_SCALE, one_, 1)
            .with(JCUCONV_ARG_DX, dy_, kLogits)
            .workspace(has(AsyncBug::kWorkspaceShared) ? loss_workspace_ : gradient_workspace_, kRows).run(loss_gradient_, step_stream_);
        Call().with(JCUCONV_ARG_X, x_[slot], kBatch).with(JCUCONV_ARG_DY, dy_, kLogits).with(JCUCONV_ARG_DW, dw_, kWeights)
            .run(weight_gradient_, step_stream_);
        must(jcuconv_event_record(has_gradient_, step_stream_));
        if (!has(AsyncBug::kUpdateBeforeGradient)) must(jcuconv_stream_wait_event(update_stream_, has_gradient_));
        Call().with(JCUCONV_ARG_W, w_, kWeights).with(JCUCONV_ARG_DW, dw_, kWeights).with(JCUCONV_ARG_HYPER, hyper_[slot], kHyper)
            .run(update_, update_stream_);
        order(update_stream_, step_stream_, updated_);
    }

    AsyncBug bug_;
    jcuconv_handle forward_, weight_gradient_, loss_, loss_gradient_, update_;
    float *x_host_[2], *hyper_host_[2], *x_[2], *hyper_[2];
    jcuconv_stream upload_stream_ = stream(), step_stream_ = stream(), loss_stream_ = stream(), update_stream_ = stream();
    jcuconv_handle uploaded_[2] = {event(), event()}, used_[2] = {event(), event()};
    jcuconv_handle forwarded_ = event(), lossed_ = event(), has_gradient_ = event(), updated_ = event();
    float *w_ = device(kWeights), *labels_ = device(kRows), *one_ = device(1), *y_ = device(kLogits), *dy_ = device(kLogits),
          *dw_ = device(kWeights), *loss_value_ = device(1), *loss_workspace_ = device(kRows), *gradient_workspace_ = device(kRows);
};

}  // namespace jcuconv::test
