// Convolution by its definition: one loop per letter, sums in fp64. Shares no code with the kernels.
#pragma once

#include <cmath>
#include <vector>

#include "jcuconv/problem.h"

namespace jcuconv::test {

struct Conv2dSums {
    std::vector<double> value;      // sum of products
    std::vector<double> magnitude;  // sum of absolute products
    std::vector<double> terms;      // how many there were
};

struct Conv2dShape {
    jcuconv_conv2d c;
    int p() const { return (c.h + c.pad_top + c.pad_bottom - c.dilation_h * (c.r - 1) - 1) / c.stride_h + 1; }
    int q() const { return (c.w + c.pad_left + c.pad_right - c.dilation_w * (c.s - 1) - 1) / c.stride_w + 1; }
    std::size_t x_elements() const { return std::size_t(c.n) * c.h * c.w * c.c; }
    std::size_t w_elements() const { return std::size_t(c.k) * c.r * c.s * (c.c / c.groups); }
    std::size_t y_elements() const { return std::size_t(c.n) * p() * q() * c.k; }
};

// Calls f(x index, w index, y index) for every product of the convolution.
template <class F>
void each_product(const Conv2dShape& shape, F f) {
    const jcuconv_conv2d& c = shape.c;
    const int cg = c.c / c.groups, kg = c.k / c.groups;
    for (int n = 0; n < c.n; ++n)
        for (int p = 0; p < shape.p(); ++p)
            for (int q = 0; q < shape.q(); ++q)
                for (int r = 0; r < c.r; ++r)
                    for (int s = 0; s < c.s; ++s) {
                        const int h = p * c.stride_h - c.pad_top + r * c.dilation_h;
                        const int w = q * c.stride_w - c.pad_left + s * c.dilation_w;
                        if (h < 0 || h >= c.h || w < 0 || w >= c.w) continue;
                        for (int k = 0; k < c.k; ++k)
                            for (int i = 0; i < cg; ++i)
                                f(((std::size_t(n) * c.h + h) * c.w + w) * c.c + std::size_t(k / kg * cg + i),
                                  ((std::size_t(k) * c.r + r) * c.s + s) * cg + i,
                                  ((std::size_t(n) * shape.p() + p) * shape.q() + q) * c.k + k);
                    }
}

inline Conv2dSums conv2d_sums(const Conv2dShape& shape, jcuconv_pass pass, const std::vector<float>& x,
                              const std::vector<float>& w, const std::vector<float>& y) {
    Conv2dSums sums;
    const std::size_t count = pass == JCUCONV_FPROP   ? shape.y_elements()
                              : pass == JCUCONV_DGRAD ? shape.x_elements()
                              : pass == JCUCONV_WGRAD ? shape.w_elements()
                                                      : std::size_t(shape.c.k);
    sums.value.assign(count, 0);
    sums.magnitude.assign(count, 0);
    sums.terms.assign(count, 0);
    const auto add = [&](std::size_t to, double product) {
        sums.value[to] += product;
        sums.magnitude[to] += std::abs(product);
        sums.terms[to] += 1;
    };
    if (pass == JCUCONV_BGRAD) {
        for (std::size_t i = 0; i < y.size(); ++i) add(i % std::size_t(shape.c.k), y[i]);
        return sums;
    }
    each_product(shape, [&](std::size_t xi, std::size_t wi, std::size_t yi) {
        if (pass == JCUCONV_FPROP) add(yi, double(x[xi]) * w[wi]);
        if (pass == JCUCONV_DGRAD) add(xi, double(y[yi]) * w[wi]);
        if (pass == JCUCONV_WGRAD) add(wi, double(x[xi]) * y[yi]);
    });
    return sums;
}

}  // namespace jcuconv::test
