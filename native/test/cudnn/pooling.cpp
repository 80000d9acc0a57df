// Pooling: maxima, and averages with or without the padding.
#include "test/cudnn/stand_in.h"

using namespace stand_in;

namespace {

enum Mode { kMax = 0, kIncludePadding = 1, kExcludePadding = 2, kMaxDeterministic = 3 };

struct Problem {
    const Pooling* pooling;
    const Tensor *x, *y;

    bool is_max() const { return pooling->mode == kMax || pooling->mode == kMaxDeterministic; }

    bool fits() const {
        if (pooling == nullptr || x == nullptr || y == nullptr || x->type != y->type) return false;
        if (x->dims[0] != y->dims[0] || x->dims[1] != y->dims[1]) return false;
        for (int i = 0; i < 2; ++i) {
            const int out = (x->dims[2 + i] + 2 * pooling->pad[i] - pooling->window[i]) / pooling->stride[i] + 1;
            if (out != y->dims[2 + i]) return false;
        }
        return true;
    }

    // Calls body(row, column) for the pixels of a window, in row-major order; gives their number.
    template <class Body>
    int window(int p, int q, Body body) const {
        int pixels = 0;
        for (int r = 0; r < pooling->window[0]; ++r)
            for (int s = 0; s < pooling->window[1]; ++s) {
                const int row = p * pooling->stride[0] - pooling->pad[0] + r;
                const int column = q * pooling->stride[1] - pooling->pad[1] + s;
                if (row < 0 || row >= x->dims[2] || column < 0 || column >= x->dims[3]) continue;
                ++pixels;
                body(row, column);
            }
        return pooling->mode == kIncludePadding ? pooling->window[0] * pooling->window[1] : pixels;
    }
};

}  // namespace

CUDNN_FUNCTION(int)
cudnnPoolingForward(void* handle, void* pooling, const void* alpha, void* x_descriptor, const void* x, const void* beta,
                    void* y_descriptor, void* y) {
    const Problem p{object<Pooling>(pooling, kPooling), tensor(x_descriptor), tensor(y_descriptor)};
    if (!ready(handle) || !p.fits()) return kBadParam;
    for_each(*p.y, [&](int n, int c, int h, int w) {
        double sum = 0, most = 0;
        bool first = true;
        const int divisor = p.window(h, w, [&](int row, int column) {
            const double v = load(*p.x, x, p.x->offset(n, c, row, column));
            sum += v;
            if (first || v > most || v != v) most = v;
            first = false;
        });
        blend(*p.y, y, p.y->offset(n, c, h, w), p.is_max() ? most : sum / divisor, alpha, beta);
    });
    return kSuccess;
}

CUDNN_FUNCTION(int)
cudnnPoolingBackward(void* handle, void* pooling, const void* alpha, void* y_descriptor, const void* y, void* dy_descriptor,
                     const void* dy, void* x_descriptor, const void* x, const void* beta, void* dx_descriptor, void* dx) {
    const Problem p{object<Pooling>(pooling, kPooling), tensor(x_descriptor), tensor(dy_descriptor)};
    const Tensor *out = tensor(y_descriptor), *to = tensor(dx_descriptor);
    if (!ready(handle) || !p.fits() || out == nullptr || to == nullptr || !out->same_dims(*p.y) || !to->same_dims(*p.x))
        return kBadParam;
    if (p.is_max() && (x == nullptr || y == nullptr)) return kBadParam;
    for_each(*to, [&](int n, int c, int h, int w) {
        double sum = 0;
        for (int q = 0; q < p.y->dims[2]; ++q)
            for (int v = 0; v < p.y->dims[3]; ++v) {
                bool inside = false, found = false, mine = false;
                const double most = p.is_max() ? load(*out, y, out->offset(n, c, q, v)) : 0;
                const int divisor = p.window(q, v, [&](int row, int column) {
                    inside = inside || (row == h && column == w);
                    if (p.is_max() && !found && load(*p.x, x, p.x->offset(n, c, row, column)) == most) {
                        found = true;
                        mine = row == h && column == w;
                    }
                });
                const double gradient = load(*p.y, dy, p.y->offset(n, c, q, v));
                if (p.is_max() ? mine : inside) sum += p.is_max() ? gradient : gradient / divisor;
            }
        blend(*to, dx, to->offset(n, c, h, w), sum, alpha, beta);
    });
    return kSuccess;
}
