// What works element by element: adding, scaling, copying between layouts, activations.
#include <cmath>

#include "test/cudnn/stand_in.h"

using namespace stand_in;

namespace {

// A dimension of the smaller tensor is that of the larger one, or 1.
bool spreads(const Tensor& small, const Tensor& large) {
    for (int i = 0; i < 4; ++i) {
        if (small.dims[i] != 1 && small.dims[i] != large.dims[i]) return false;
    }
    return true;
}

long spread(const Tensor& t, int n, int c, int h, int w) {
    return t.offset(t.dims[0] == 1 ? 0 : n, t.dims[1] == 1 ? 0 : c, t.dims[2] == 1 ? 0 : h, t.dims[3] == 1 ? 0 : w);
}

}  // namespace

CUDNN_FUNCTION(int)
cudnnAddTensor(void* handle, const void* alpha, void* a_descriptor, const void* a, const void* beta, void* c_descriptor,
    void* out) {
    const Tensor *from = tensor(a_descriptor), *to = tensor(c_descriptor);
    if (!ready(handle) || from == nullptr || to == nullptr || from->type != to->type || !spreads(*from, *to)) return kBadParam;
    for_each(*to, [&](int n, int c, int h, int w) {
        blend(*to, out, to->offset(n, c, h, w), load(*from, a, spread(*from, n, c, h, w)), alpha, beta);
    });
    return kSuccess;
}

CUDNN_FUNCTION(int)
cudnnOpTensor(void* handle, void* operation, const void* alpha1, void* a_descriptor, const void* a, const void* alpha2,
              void* b_descriptor, const void* b, const void* beta, void* c_descriptor, void* out) {
    const auto* what = object<Operation>(operation, kOperation);
    const Tensor *first = tensor(a_descriptor), *second = tensor(b_descriptor), *to = tensor(c_descriptor);
    if (!ready(handle) || what == nullptr || first == nullptr || second == nullptr || to == nullptr) return kBadParam;
    if (first->type != to->type || second->type != to->type || !first->same_dims(*to) || !spreads(*second, *to)) return kBadParam;
    if (what->operation > 1) return kNotSupported;
    const float one = 1;
    for_each(*to, [&](int n, int c, int h, int w) {
        const double x = factor(alpha1) * load(*first, a, first->offset(n, c, h, w));
        const double y = factor(alpha2) * load(*second, b, spread(*second, n, c, h, w));
        blend(*to, out, to->offset(n, c, h, w), what->operation == 0 ? x + y : x * y, &one, beta);
    });
    return kSuccess;
}

CUDNN_FUNCTION(int)
cudnnTransformTensor(void* handle, const void* alpha, void* x_descriptor, const void* x, const void* beta, void* y_descriptor,
    void* y) {
    const Tensor *from = tensor(x_descriptor), *to = tensor(y_descriptor);
    if (!ready(handle) || from == nullptr || to == nullptr || from->type != to->type || !from->same_dims(*to)) return kBadParam;
    for_each(*to, [&](int n, int c, int h, int w) {
        blend(*to, y, to->offset(n, c, h, w), load(*from, x, from->offset(n, c, h, w)), alpha, beta);
    });
    return kSuccess;
}

CUDNN_FUNCTION(int) cudnnScaleTensor(void* handle, void* descriptor, void* y, const void* alpha) {
    const Tensor* to = tensor(descriptor);
    if (!ready(handle) || to == nullptr) return kBadParam;
    for_each(*to, [&](int n, int c, int h, int w) {
        const long i = to->offset(n, c, h, w);
        store(*to, y, i, factor(alpha) * load(*to, y, i));
    });
    return kSuccess;
}

CUDNN_FUNCTION(int)
cudnnActivationForward(void* handle, void* activation, const void* alpha, void* x_descriptor, const void* x, const void* beta,
                       void* y_descriptor, void* y) {
    const auto* a = object<Activation>(activation, kActivation);
    const Tensor *from = tensor(x_descriptor), *to = tensor(y_descriptor);
    if (!ready(handle) || a == nullptr || from == nullptr || to == nullptr || from->type != to->type || !from->same_dims(*to))
        return kBadParam;
    for_each(*to, [&](int n, int c, int h, int w) {
        const double v = load(*from, x, from->offset(n, c, h, w));
        const double value = a->mode == 0 ? 1 / (1 + std::exp(-v)) : a->mode == 1 ? (v > 0 || v != v ? v : 0) : std::tanh(v);
        blend(*to, y, to->offset(n, c, h, w), value, alpha, beta);
    });
    return kSuccess;
}

CUDNN_FUNCTION(int)
cudnnActivationBackward(void* handle, void* activation, const void* alpha, void* y_descriptor, const void* y, void* dy_descriptor,
                        const void* dy, void* x_descriptor, const void* x, const void* beta, void* dx_descriptor, void* dx) {
    const auto* a = object<Activation>(activation, kActivation);
    const Tensor *out = tensor(y_descriptor), *gradient = tensor(dy_descriptor), *in = tensor(x_descriptor), *to =
        tensor(dx_descriptor);
    if (!ready(handle) || a == nullptr || out == nullptr || gradient == nullptr || in == nullptr || to == nullptr) return kBadParam;
    if (x == nullptr || !out->same_dims(*to) || !gradient->same_dims(*to) || !in->same_dims(*to)) return kBadParam;
    for_each(*to, [&](int n, int c, int h, int w) {
        const double v = load(*out, y, out->offset(n, c, h, w));
        const double slope =
            a->mode == 0 ? v * (1 - v) : a->mode == 1 ? (load(*in, x, in->offset(n, c, h, w)) > 0 ? 1 : 0) : 1 - v * v;
        blend(*to, dx, to->offset(n, c, h, w), slope * load(*gradient, dy, gradient->offset(n, c, h, w)), alpha, beta);
    });
    return kSuccess;
}
