// Tensors of more than 2^31 elements and 2^32 bytes of which only a few pages are touched: the last image of very many, which a few
// blocks compute, or pixels that lie very far apart. An offset that was computed in 32 bits reads zeros, leaves its buffer, or
// leaves the far end unwritten.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <set>
#include <string>

#include "core/plan.h"
#include "simt/executor.h"
#include "test/testing/random.h"
#include "test/testing/tensor.h"

namespace jcuconv::test {

constexpr std::int64_t kFar = std::int64_t{1} << 31;

// Device memory. Below 512 MiB it starts as NaN, above as zeros that take no memory.
class Region {
  public:
    explicit Region(std::uint64_t bytes) : bytes_(bytes) {
        if (bytes > 0) memory_ = memory_or_exit(bytes);
    }
    ~Region() {
        if (memory_ != nullptr && jcuconv_free(memory_) != JCUCONV_OK) report(__FILE__, __LINE__, jcuconv_last_message());
    }
    Region(const Region&) = delete;
    Region& operator=(const Region&) = delete;

    std::byte* begin() const { return static_cast<std::byte*>(memory_); }
    std::byte* last(std::uint64_t bytes) const { return begin() + (bytes_ - bytes); }
    jcuconv_span span() const { return {memory_, bytes_}; }

  private:
    void* memory_ = nullptr;
    std::uint64_t bytes_;
};

// Names of the kernels that ran with a filter.
inline std::set<std::string>& kernels_at_the_far_end() {
    static std::set<std::string> names;
    return names;
}

// Which blocks run: the last ones along x, unless the kernel counts what is far along another axis of its grid.
struct FarBlocks {
    char axis = 'x';
    unsigned count = 8;
    unsigned z_step = 1;  // along z: the last of every so many, since z is group * splits + split
    std::set<std::string> whole = {}, skipped = {};  // kernels that run completely, and not at all
};

class Filtered {
  public:
    explicit Filtered(const FarBlocks& blocks) {
        current() = blocks;
        simt::set_block_filter(&Filtered::chosen);
    }
    ~Filtered() { simt::set_block_filter(nullptr); }
    Filtered(const Filtered&) = delete;
    Filtered& operator=(const Filtered&) = delete;

  private:
    static FarBlocks& current() {
        static FarBlocks blocks;
        return blocks;
    }
    static simt::Blocks chosen(const char* kernel, simt::Dim3 grid) {
        const FarBlocks& far = current();
        if (far.skipped.contains(kernel)) return {{0, 0, 0}, {0, 0, 0}};
        kernels_at_the_far_end().insert(kernel);
        simt::Blocks blocks{{0, 0, 0}, grid};
        if (far.whole.contains(kernel)) return blocks;
        const auto first = [&](unsigned size) { return size > far.count ? size - far.count : 0; };
        if (far.axis == 'x') blocks.first.x = first(grid.x);
        if (far.axis == 'y') blocks.first.y = first(grid.y);
        if (far.axis == 'z') blocks.first.z = far.z_step - 1, blocks.z_step = far.z_step;
        return blocks;
    }
};

// Small integers in the element type that this argument has; window offsets and labels are zeros.
inline void fill_integers(jcuconv_arg arg, jcuconv_type type, std::byte* to, std::uint64_t bytes, Random& random) {
    constexpr jcuconv_arg kWhole[] = {JCUCONV_ARG_ARGMAX, JCUCONV_ARG_LABELS, JCUCONV_ARG_SEED, JCUCONV_ARG_COUNTERS};
    constexpr jcuconv_arg kSingle[] = {JCUCONV_ARG_BIAS, JCUCONV_ARG_HYPER, JCUCONV_ARG_LOSS_SCALE, JCUCONV_ARG_GAMMA, JCUCONV_ARG_BETA,
                                       JCUCONV_ARG_M, JCUCONV_ARG_V, JCUCONV_ARG_DW, JCUCONV_ARG_SAVED};
    if (std::find(std::begin(kWhole), std::end(kWhole), arg) != std::end(kWhole)) {
        std::memset(to, 0, bytes);
        return;
    }
    const bool single = type == JCUCONV_F32 || std::find(std::begin(kSingle), std::end(kSingle), arg) != std::end(kSingle);
    for (std::uint64_t at = 0; at < bytes; at += single ? 4 : 2) {
        const auto value = static_cast<float>(random.between(1, 3));
        const f16 half = from_f32<f16>(value);
        const bf16 brain = from_f32<bf16>(value);
        if (single) {
            std::memcpy(to + at, &value, 4);
        } else if (type == JCUCONV_F16) {
            std::memcpy(to + at, &half, 2);
        } else {
            std::memcpy(to + at, &brain, 2);
        }
    }
}

inline bool all_written(const std::byte* memory, std::uint64_t bytes, std::size_t element) {
    for (std::uint64_t at = 0; at < bytes; at += element) {
        bool poison = true;
        for (std::size_t b = 0; b < element; ++b) poison = poison && memory[at + b] == std::byte{0xFF};
        if (poison) return false;
    }
    return true;
}

// Runs a plan of `many` images (or pixels, or elements) of which the last `some` hold data, only those blocks that compute them, and
// compares these in every output, bit for bit, with a plan of `some` images. That this one is right is what the other tests show.
template <class Problem, class Count>
void far_image(const std::string& name, jcuconv_status (*create)(const Problem*, jcuconv_pass, uint64_t, jcuconv_handle*), Problem problem,
               Count Problem::*images, std::int64_t some, std::int64_t many, jcuconv_pass pass, const FarBlocks& blocks = {}) {
    jcuconv_handle handles[2] = {};
    problem.*images = static_cast<Count>(some);
    jcuconv_status status = create(&problem, pass, UINT64_MAX, &handles[0]);
    problem.*images = static_cast<Count>(many);
    if (status == JCUCONV_OK) status = create(&problem, pass, UINT64_MAX, &handles[1]);
    if (status != JCUCONV_OK) return report(__FILE__, __LINE__, name + ": " + jcuconv_last_message());
    const auto one = open_plan(handles[0]), all = open_plan(handles[1]);
    jcuconv_type type = JCUCONV_F32;
    if constexpr (requires { problem.type; }) type = static_cast<jcuconv_type>(problem.type);
    if constexpr (requires { problem.x_type; }) type = static_cast<jcuconv_type>(problem.x_type);

    Random random(5);
    std::vector<std::unique_ptr<Region>> near, far;
    Arguments near_spans{}, far_spans{};
    bool large = false;
    for (std::size_t i = 0; i < one->arguments.size(); ++i) {
        const Argument& argument = one->arguments[i];
        const std::uint64_t bytes = argument.bytes, all_bytes = all->arguments[i].bytes;
        CHECK(all_bytes == bytes || all_bytes / static_cast<std::uint64_t>(many) == bytes / static_cast<std::uint64_t>(some));
        large = large || all_bytes > std::uint64_t{1} << 32;
        near.push_back(std::make_unique<Region>(bytes));
        far.push_back(std::make_unique<Region>(all_bytes));
        constexpr jcuconv_arg kStates[] = {JCUCONV_ARG_W, JCUCONV_ARG_M, JCUCONV_ARG_V};
        if (argument.writes && std::find(std::begin(kStates), std::end(kStates), argument.arg) == std::end(kStates)) {
            std::memset(near[i]->begin(), 0xFF, bytes);
        } else {
            fill_integers(argument.arg, type, near[i]->begin(), bytes, random);
        }
        std::memcpy(far[i]->last(bytes), near[i]->begin(), bytes);
        near_spans[argument.arg] = near[i]->span(), far_spans[argument.arg] = far[i]->span();
    }
    CHECK(large);
    const Region near_workspace(one->workspace_bytes), far_workspace(all->workspace_bytes);
    const auto run = [&](jcuconv_handle handle, const Arguments& spans, const Region& workspace) {
        status = jcuconv_execute(handle, spans.data(), JCUCONV_ARG_COUNT, workspace.span(), nullptr);
        if (status == JCUCONV_OK) status = jcuconv_stream_synchronize(nullptr);
        if (status != JCUCONV_OK) report(__FILE__, __LINE__, name + ": " + jcuconv_last_message());
    };
    run(handles[0], near_spans, near_workspace);
    {
        const Filtered filtered(blocks);
        run(handles[1], far_spans, far_workspace);
    }
    for (std::size_t i = 0; i < one->arguments.size(); ++i) {
        const Argument& argument = one->arguments[i];
        if (!argument.writes) continue;
        const std::size_t element = argument.arg == JCUCONV_ARG_ARGMAX ? 1 : type == JCUCONV_F32 ? 4 : 2;
        if (!all_written(near[i]->begin(), argument.bytes, element)) report(__FILE__, __LINE__, name + ": an element was not written");
        if (std::memcmp(near[i]->begin(), far[i]->last(argument.bytes), argument.bytes) != 0)
            report(__FILE__, __LINE__, name + ": the last " + std::to_string(some) + " of " + std::to_string(many) +
                                           " are not what they are alone");
    }
    for (const jcuconv_handle handle : handles) CHECK(jcuconv_plan_destroy(handle) == JCUCONV_OK);
}

// The same problem with its pixels `pitch` elements apart and side by side, in 16-bit storage: all outputs must have the same bits.
template <class Problem>
void far_pitch(const std::string& name, jcuconv_status (*create)(const Problem*, jcuconv_pass, uint64_t, jcuconv_handle*), Problem problem,
               std::int64_t pitch, jcuconv_pass pass) {
    jcuconv_handle handles[2] = {};
    problem.x_pitch = problem.y_pitch = 0;
    jcuconv_status status = create(&problem, pass, UINT64_MAX, &handles[0]);
    problem.x_pitch = problem.y_pitch = pitch;
    if (status == JCUCONV_OK) status = create(&problem, pass, UINT64_MAX, &handles[1]);
    if (status != JCUCONV_OK) return report(__FILE__, __LINE__, name + ": " + jcuconv_last_message());
    const auto dense = open_plan(handles[0]), wide = open_plan(handles[1]);
    const auto type = static_cast<jcuconv_type>(problem.type);
    const std::uint64_t pixel_bytes = std::uint64_t(problem.c) * 2, step = std::uint64_t(pitch) * 2;
    Random random(6);
    std::vector<std::unique_ptr<Region>> near, far;
    Arguments spans[2]{};
    for (std::size_t i = 0; i < dense->arguments.size(); ++i) {
        const Argument& argument = dense->arguments[i];
        near.push_back(std::make_unique<Region>(argument.bytes));
        far.push_back(std::make_unique<Region>(wide->arguments[i].bytes));
        if (argument.writes) {
            std::memset(near[i]->begin(), 0xFF, argument.bytes);
        } else {
            fill_integers(argument.arg, type, near[i]->begin(), argument.bytes, random);
        }
        const bool apart = wide->arguments[i].bytes != argument.bytes;
        for (std::uint64_t at = 0; at < argument.bytes; at += pixel_bytes)
            std::memcpy(far[i]->begin() + (apart ? at / pixel_bytes * step : at), near[i]->begin() + at, std::min(pixel_bytes, argument.bytes - at));
        spans[0][argument.arg] = near[i]->span(), spans[1][argument.arg] = far[i]->span();
    }
    const Filtered filtered({.count = ~0u / 2});
    for (int i = 0; i < 2; ++i) {
        status = jcuconv_execute(handles[i], spans[i].data(), JCUCONV_ARG_COUNT, {}, nullptr);
        if (status == JCUCONV_OK) status = jcuconv_stream_synchronize(nullptr);
        if (status != JCUCONV_OK) report(__FILE__, __LINE__, name + ": " + jcuconv_last_message());
    }
    for (std::size_t i = 0; i < dense->arguments.size(); ++i) {
        const Argument& argument = dense->arguments[i];
        if (!argument.writes) continue;
        const bool apart = wide->arguments[i].bytes != argument.bytes;
        bool same = all_written(near[i]->begin(), argument.bytes, argument.arg == JCUCONV_ARG_ARGMAX ? 1 : 2);
        for (std::uint64_t at = 0; at < argument.bytes; at += pixel_bytes)
            same = same && std::memcmp(far[i]->begin() + (apart ? at / pixel_bytes * step : at), near[i]->begin() + at,
                                       std::min(pixel_bytes, argument.bytes - at)) == 0;
        if (!same) report(__FILE__, __LINE__, name + ": pixels far apart give other results than neighbours");
    }
    for (const jcuconv_handle handle : handles) CHECK(jcuconv_plan_destroy(handle) == JCUCONV_OK);
}

}  // namespace jcuconv::test
