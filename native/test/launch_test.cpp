// Launches: for every layer of shapes/layers.csv, every pass, type, alignment and legal algorithm, a block fits every
// architecture and the grid fits its limits.
#include <algorithm>

#include "core/arithmetic.h"
#include "core/conv2d.h"
#include "core/types.h"
#include "heuristics/architecture.h"
#include "heuristics/conv2d_launch.h"
#include "heuristics/kernel_budget.h"
#include "test/check.h"
#include "test/testing/layers.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

// `architecture`: the only one that the kernel is for, or any.
void check_launch(const std::string& name, const LaunchShape& launch, int architecture = 0) {
    const auto fail = [&](const std::string& what) { test::report(__FILE__, __LINE__, name + ": " + what); };
    if (launch.grid_x < 1 || launch.grid_x > kMaxGridX) fail("grid x = " + std::to_string(launch.grid_x));
    if (launch.grid_y < 1 || launch.grid_y > kMaxGridYz) fail("grid y = " + std::to_string(launch.grid_y));
    if (launch.grid_z < 1 || launch.grid_z > kMaxGridYz) fail("grid z = " + std::to_string(launch.grid_z));
    if (launch.threads < 32 || launch.threads % 32 != 0) fail("threads = " + std::to_string(launch.threads));
    if (launch.registers < 16 || launch.registers > kMaxThreadRegisters) fail("registers = " + std::to_string(launch.registers));
    if (launch.registers * launch.threads > kRegisters) fail("more registers than a block has");
    for (const Architecture& a : kArchitectures)
        if ((architecture == 0 || architecture == a.number) && resident_blocks(a, launch) < 1) fail("no block fits on sm_" + std::to_string(a.number));
}

}  // namespace

JCUCONV_TEST(every_layer_has_legal_launches_on_every_architecture) {
    constexpr std::size_t kLimits[] = {0, std::size_t{64} << 20, SIZE_MAX};
    int launches = 0;
    for (const Layer& layer : layers()) {
        if (!layer.convolution()) continue;
        const Conv2dGeometry g = geometry_of(layer);
        for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD})
            for (const jcuconv_type type : {JCUCONV_F32, JCUCONV_F16})
                for (const int alignment : {16, static_cast<int>(size_of(type))})
                    for (const std::size_t limit : kLimits) {
                        // Asked for, fp32 goes to the tensor cores too.
                        const jcuconv_math math = limit == 0 ? JCUCONV_MATH_EXACT : limit == SIZE_MAX ? JCUCONV_MATH_TF32 : JCUCONV_MATH_TF32X3;
                        const Conv2dTask task{g, type, pass, alignment, limit, math};
                        const auto only = [](const Conv2dConfig& c) { return c.algorithm == Conv2dAlgorithm::kWgmmaGemm ? 90 : 0; };
                        const Conv2dConfig chosen = choose_conv2d(task);
                        check_launch(layer.name, conv2d_launch(g, pass, chosen), only(chosen));
                        for (const Conv2dAlgorithm algorithm : kConv2dAlgorithms) {
                            if (!conv2d_legal(algorithm, task)) continue;
                            const Conv2dConfig config = configure_conv2d(algorithm, task);
                            CHECK(config.algorithm == algorithm && config.split.workspace_bytes <= limit);
                            check_launch(layer.name + " " + describe(config), conv2d_launch(g, pass, config), only(config));
                            ++launches;
                        }
                    }
        check_launch(layer.name, split_sums_launch(g.filter_elements()));
    }
    CHECK(launches > 106 * 3 * 2 * 2 * 3);
}

// Everything that is no convolution runs one thread per element or fewer, in blocks of 256.
JCUCONV_TEST(every_other_layer_fits_a_grid_of_items) {
    int others = 0;
    for (const Layer& l : layers()) {
        if (l.convolution()) continue;
        const std::int64_t elements = std::int64_t{l.n} * std::max(l.h * l.w, l.p * l.q) * l.c;
        CHECK(ceil_div<std::int64_t>(elements, 256) <= kMaxGridX);
        ++others;
    }
    CHECK(others == 17);
}

JCUCONV_TEST(architectures_hold_the_blocks_that_their_tables_promise) {
    for (const Architecture& a : kArchitectures) {
        CHECK(a.block_shared + a.reserved <= a.shared);
        LaunchShape launch;
        launch.threads = 32, launch.registers = 32;
        CHECK(resident_blocks(a, launch) == std::min(a.blocks, a.threads / 32));
        launch.threads = 256, launch.registers = 168;
        CHECK(resident_blocks(a, launch) == 1);
        launch.registers = 128;
        CHECK(resident_blocks(a, launch) == 2);
        launch.shared_bytes = a.block_shared;
        CHECK(resident_blocks(a, launch) == 1);
        launch.shared_bytes = a.block_shared + 1;
        CHECK(resident_blocks(a, launch) == 0);
    }
}

JCUCONV_TEST(a_launch_that_does_not_fit_is_seen) {
    LaunchShape launch;
    launch.threads = 1024, launch.registers = 168;
    for (const Architecture& a : kArchitectures) CHECK(resident_blocks(a, launch) == 0);
    launch.threads = 1056, launch.registers = 16;
    for (const Architecture& a : kArchitectures) CHECK(resident_blocks(a, launch) == 0);
}
