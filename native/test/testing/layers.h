// The layers of shapes/layers.csv, which the benchmarks use too.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/conv2d.h"
#include "test/check.h"

namespace jcuconv::test {

struct Layer {
    std::string op, name;
    int n, h, w, c, k, r, s, stride, pad_top, pad_bottom, pad_left, pad_right, dilation, groups, p, q;

    bool convolution() const { return op == "conv" || op == "gconv" || op == "dwconv" || op == "deconv"; }
};

inline std::vector<Layer> layers() {
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
inline Conv2dGeometry geometry_of(const Layer& l) {
    jcuconv_conv2d c{};
    const bool adjoint = l.op == "deconv";
    c.n = l.n, c.r = l.r, c.s = l.s, c.groups = l.groups;
    c.h = adjoint ? l.p : l.h, c.w = adjoint ? l.q : l.w, c.c = adjoint ? l.k : l.c, c.k = adjoint ? l.c : l.k;
    c.pad_top = l.pad_top, c.pad_bottom = l.pad_bottom, c.pad_left = l.pad_left, c.pad_right = l.pad_right;
    c.stride_h = c.stride_w = l.stride, c.dilation_h = c.dilation_w = l.dilation;
    Conv2dGeometry g;
    const Outcome outcome = conv2d_geometry(c, &g);
    if (!outcome.ok()) report(__FILE__, __LINE__, l.name + ": " + outcome.text);
    // With a stride, several input sizes share one output size, so the adjoint's image need not be the smallest one.
    CHECK(g.p == (adjoint ? l.h : l.p) && g.q == (adjoint ? l.w : l.q));
    return g;
}

}  // namespace jcuconv::test
