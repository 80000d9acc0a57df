// The estimate of every layer in shapes/layers.csv, pass by pass, as it stands in shapes/estimates.csv. To write that file anew after a change
// of the heuristics: JCUCONV_WRITE_ESTIMATES=1 estimate_test, and look at what changed.
#include "heuristics/conv2d_estimate.h"

#include <cstdio>
#include <cstdlib>

#include "test/testing/layers.h"

using namespace jcuconv;
using namespace jcuconv::test;

namespace {

constexpr const char* kFile = JCUCONV_SHAPES "/estimates.csv";
constexpr const char* kPassNames[] = {"fprop", "dgrad", "wgrad"};

struct Row {
    std::string text;
    Conv2dEstimate estimate;
};

std::vector<Row> rows() {
    std::vector<Row> result;
    for (const Layer& layer : layers()) {
        if (!layer.convolution()) continue;
        const Conv2dGeometry g = geometry_of(layer);
        for (const jcuconv_pass pass : {JCUCONV_FPROP, JCUCONV_DGRAD, JCUCONV_WGRAD}) {
            const Conv2dTask task{g, JCUCONV_F16, pass, 16, std::size_t{64} << 20};
            const Conv2dConfig config = choose_conv2d(task);
            const Conv2dEstimate e = estimate_conv2d(task, config);
            char text[256];
            std::snprintf(text, sizeof text, "%s,%s,%s,%.3f,%.2f,%s,%.2f,%.1f,%.1f,%.2f", layer.name.c_str(), kPassNames[pass],
                          describe(config).c_str(), e.flop / 1e9, e.bytes / 1e6, e.memory_bound ? "memory" : "math", e.waves, e.floor_us,
                          e.expected_us, e.part());
            result.push_back({text, e});
        }
    }
    return result;
}

}  // namespace

JCUCONV_TEST(no_estimate_beats_its_floor) {
    for (const Row& row : rows()) {
        const Conv2dEstimate& e = row.estimate;
        if (!(e.expected_us >= e.floor_us && e.floor_us > 0 && e.waves > 0)) report(__FILE__, __LINE__, row.text);
    }
}

JCUCONV_TEST(the_written_estimates_are_those_of_the_heuristics) {
    const std::string header = "layer,pass,configuration,GFLOP,MB,bound,waves,floor us,expected us,part of roofline";
    if (std::getenv("JCUCONV_WRITE_ESTIMATES") != nullptr) {
        std::ofstream out(kFile);
        out << header << '\n';
        for (const Row& row : rows()) out << row.text << '\n';
    }
    std::ifstream file(kFile);
    std::string line;
    std::getline(file, line);
    CHECK(line == header);
    for (const Row& row : rows()) {
        if (!std::getline(file, line)) line = "the end";
        if (line != row.text) return report(__FILE__, __LINE__, "the file has \"" + line + "\", the heuristics \"" + row.text + "\"");
    }
    CHECK(!std::getline(file, line));
}
