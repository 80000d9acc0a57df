// Launches: for every layer of shapes/layers.csv, every pass, type, alignment and legal algorithm, a block fits every
// architecture and the grid fits its limits.
#include <algorithm>
#include <fstream>
#include <sstream>

#include "core/arithmetic.h"
#include "core/conv2d.h"
#include "core/types.h"
#include "heuristics/architecture.h"
#include "heuristics/conv2d_launch.h"
#include "heuristics/kernel_budget.h"
#include "test/check.h"

using namespace jcuconv;

namespace {

struct Layer {
    std::string op, name;
    int n, h, w, c, k, r, s, stride, pad_top, pad_bottom, pad_left, pad_right, dilation, groups, p, q;

    bool convolution() const { return op == "conv" || op == "gconv" || op == "dwconv" || op == "deconv"; }
};

std::vector<Layer> layers() {
    std::vector<Layer> result;
    std::ifstream file(JCUCONV_SHAPES "/layers.csv");
    std::string line;
    std::getline(file, line);  // the names of the columns
    while (std::getline(file, line)) {
        std::stringstream cells(line);
        std::string cell;
        Layer layer;
        std::getline(cells, cell, ',');
        std::getline(cells, layer.op, ',');
        std::getline(cells, layer.name, ',');
        for (int* number : {&layer.n, &layer.h, &layer.w, &layer.c, &layer.k, &layer.r, &layer.s, &layer.stride, &layer.pad_top,
                            &layer.pad_bottom, &layer.pad_left, &layer.pad_right, &layer.dilation, &layer.groups, &layer.p,
                            &layer.q}) {
            std::getline(cells, cell, ',');
            *number = std::stoi(cell);
        }
        result.push_back(layer);
    }
    return result;
}

// The convolution of a layer; a transposed one is run by the kernels of its adjoint.
Conv2dGeometry geometry_of(const Layer& l) {
    jcuconv_conv2d c{};
    const bool adjoint = l.op == "deconv";
    c.n = l.n, c.r = l.r, c.s = l.s, c.groups = l.groups;
    c.h = adjoint ? l.p : l.h, c.w = adjoint ? l.q : l.w, c.c = adjoint ? l.k : l.c, c.k = adjoint ? l.c : l.k;
    c.pad_top = l.pad_top, c.pad_bottom = l.pad_bottom, c.pad_left = l.pad_left, c.pad_right = l.pad_right;
    c.stride_h = c.stride_w = l.stride, c.dilation_h = c.dilation_w = l.dilation;
    Conv2dGeometry g;
    const Outcome outcome = conv2d_geometry(c, &g);
    if (!outcome.ok()) test::report(__FILE__, __LINE__, l.name + ": " + outcome.text);
    // With a stride, several input sizes share one output size, so the adjoint's image need not be the smallest one.
    CHECK(g.p == (adjoint ? l.h : l.p) && g.q == (adjoint ? l.w : l.q));
    return g;
}

void check_launch(const std::string& name, const LaunchShape& launch) {
    const auto fail = [&](const std::string& what) { test::report(__FILE__, __LINE__, name + ": " + what); };
    if (launch.grid_x < 1 || launch.grid_x > kMaxGridX) fail("grid x = " + std::to_string(launch.grid_x));
    if (launch.grid_y < 1 || launch.grid_y > kMaxGridYz) fail("grid y = " + std::to_string(launch.grid_y));
    if (launch.grid_z < 1 || launch.grid_z > kMaxGridYz) fail("grid z = " + std::to_string(launch.grid_z));
    if (launch.threads < 32 || launch.threads % 32 != 0) fail("threads = " + std::to_string(launch.threads));
    if (launch.registers < 16 || launch.registers > kMaxThreadRegisters) fail("registers = " + std::to_string(launch.registers));
    if (launch.registers * launch.threads > kRegisters) fail("more registers than a block has");
    for (const Architecture& a : kArchitectures)
        if (resident_blocks(a, launch) < 1) fail("no block fits on sm_" + std::to_string(a.number));
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
                        check_launch(layer.name, conv2d_launch(g, pass, choose_conv2d(task)));
                        for (const Conv2dAlgorithm algorithm : kConv2dAlgorithms) {
                            if (!conv2d_legal(algorithm, task)) continue;
                            const Conv2dConfig config = configure_conv2d(algorithm, task);
                            CHECK(config.algorithm == algorithm && config.split.workspace_bytes <= limit);
                            check_launch(layer.name + " " + describe(config), conv2d_launch(g, pass, config));
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
