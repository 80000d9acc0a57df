// Local response normalization and batch normalization.
#include <algorithm>
#include <cmath>

#include "test/cudnn/stand_in.h"

using namespace stand_in;

namespace {

constexpr int kSpatial = 1;

double scale(const Lrn& lrn, const Tensor& t, const void* x, int n, int c, int h, int w) {
    const int before = (static_cast<int>(lrn.size) - 1) / 2;
    double sum = 0;
    for (int i = std::max(0, c - before); i <= std::min(t.dims[1] - 1, c - before + static_cast<int>(lrn.size) - 1); ++i) {
        const double v = load(t, x, t.offset(n, i, h, w));
        sum += v * v;
    }
    return lrn.k + lrn.alpha / lrn.size / (bug("divides_alpha_twice") ? lrn.size : 1) * sum;
}

bool is_vector_of(const Tensor* t, const Tensor& x) { return t != nullptr && t->type == kFloat && t->dims[1] == x.dims[1] &&
    t->count() == x.dims[1]; }

// Mean and biased variance of a channel.
void statistics(const Tensor& t, const void* x, int c, double* mean, double* variance) {
    const double count = static_cast<double>(t.count()) / t.dims[1];
    double sum = 0, squares = 0;
    for (int pass = 0; pass < 2; ++pass) {
        for (int n = 0; n < t.dims[0]; ++n)
            for (int h = 0; h < t.dims[2]; ++h)
                for (int w = 0; w < t.dims[3]; ++w) {
                    const double v = load(t, x, t.offset(n, c, h, w));
                    pass == 0 ? sum += v : squares += (v - sum / count) * (v - sum / count);
                }
    }
    *mean = sum / count;
    *variance = squares / count;
}

}  // namespace

CUDNN_FUNCTION(int)
cudnnLRNCrossChannelForward(void* handle, void* lrn, int mode, const void* alpha, void* x_descriptor, const void* x,
    const void* beta,
                            void* y_descriptor, void* y) {
    const auto* d = object<Lrn>(lrn, kLrn);
    const Tensor *from = tensor(x_descriptor), *to = tensor(y_descriptor);
    if (!ready(handle) || d == nullptr || mode != 0 || from == nullptr || to == nullptr || !from->same_dims(*to)) return kBadParam;
    for_each(*to, [&](int n, int c, int h, int w) {
        const double v = load(*from, x, from->offset(n, c, h, w)) * std::pow(scale(*d, *from, x, n, c, h, w), -d->beta);
        blend(*to, y, to->offset(n, c, h, w), v, alpha, beta);
    });
    return kSuccess;
}

CUDNN_FUNCTION(int)
cudnnLRNCrossChannelBackward(void* handle, void* lrn, int mode, const void* alpha, void* y_descriptor, const void* y,
                             void* dy_descriptor, const void* dy, void* x_descriptor, const void* x, const void* beta,
                             void* dx_descriptor, void* dx) {
    const auto* d = object<Lrn>(lrn, kLrn);
    const Tensor *out = tensor(y_descriptor), *gradient = tensor(dy_descriptor), *in = tensor(x_descriptor), *to =
        tensor(dx_descriptor);
    if (!ready(handle) || d == nullptr || mode != 0 || out == nullptr || gradient == nullptr || in == nullptr || to == nullptr)
        return kBadParam;
    if (!out->same_dims(*to) || !gradient->same_dims(*to) || !in->same_dims(*to)) return kBadParam;
    const int before = (static_cast<int>(d->size) - 1) / 2;
    for_each(*to, [&](int n, int c, int h, int w) {
        double sum = 0;
        for (int i = std::max(0, c - before); i <= std::min(to->dims[1] - 1, c + before); ++i) {
            sum += load(*gradient, dy, gradient->offset(n, i, h, w)) * load(*out, y, out->offset(n, i, h, w)) /
                   scale(*d, *in, x, n, i, h, w);
        }
        const double v = load(*gradient, dy, gradient->offset(n, c, h, w)) * std::pow(scale(*d, *in, x, n, c, h, w), -d->beta) -
                         2 * d->alpha / d->size * d->beta * load(*in, x, in->offset(n, c, h, w)) * sum;
        blend(*to, dx, to->offset(n, c, h, w), v, alpha, beta);
    });
    return kSuccess;
}

CUDNN_FUNCTION(int) cudnnDeriveBNTensorDescriptor(void* derived, void* x_descriptor, int mode) {
    const Tensor* x = tensor(x_descriptor);
    if (tensor(derived) == nullptr || x == nullptr || mode != kSpatial) return kBadParam;
    return set_dims(static_cast<Tensor*>(derived), kNchw, kFloat, 1, x->dims[1], 1, 1);
}

CUDNN_FUNCTION(int)
cudnnBatchNormalizationForwardTraining(void* handle, int mode, const void* alpha, const void* beta, void* x_descriptor,
    const void* x,
                                       void* y_descriptor, void* y, void* vector, const void* gamma, const void* shift,
                                       double averaging, void* running_mean, void* running_variance, double epsilon,
                                           void* save_mean,
                                       void* save_inverse) {
    const Tensor *from = tensor(x_descriptor), *to = tensor(y_descriptor), *v = tensor(vector);
    if (!ready(handle) || mode != kSpatial || from == nullptr || to == nullptr || !from->same_dims(*to) || !is_vector_of(v, *from))
        return kBadParam;
    if ((running_mean == nullptr) != (running_variance == nullptr) || (save_mean == nullptr) != (save_inverse == nullptr))
        return kBadParam;
    const double count = static_cast<double>(from->count()) / from->dims[1];
    for (int c = 0; c < from->dims[1]; ++c) {
        double mean, variance;
        statistics(*from, x, c, &mean, &variance);
        const double inverse = 1 / std::sqrt(variance + epsilon);
        if (running_mean != nullptr) {
            const double unbiased = bug("leaves_variance_biased") ? variance : variance * count / (count - 1);
            store(*v, running_mean, c, averaging * mean + (1 - averaging) * load(*v, running_mean, c));
            store(*v, running_variance, c, averaging * unbiased + (1 - averaging) * load(*v, running_variance, c));
        }
        if (save_mean != nullptr) {
            store(*v, save_mean, c, mean);
            store(*v, save_inverse, c, inverse);
        }
        for (int n = 0; n < to->dims[0]; ++n)
            for (int h = 0; h < to->dims[2]; ++h)
                for (int w = 0; w < to->dims[3]; ++w) {
                    const double normal = (load(*from, x, from->offset(n, c, h, w)) - mean) * inverse;
                    blend(*to, y, to->offset(n, c, h, w), load(*v, gamma, c) * normal + load(*v, shift, c), alpha, beta);
                }
    }
    return kSuccess;
}

CUDNN_FUNCTION(int)
cudnnBatchNormalizationForwardInference(void* handle, int mode, const void* alpha, const void* beta, void* x_descriptor,
    const void* x,
                                        void* y_descriptor, void* y, void* vector, const void* gamma, const void* shift,
                                        const void* mean, const void* variance, double epsilon) {
    const Tensor *from = tensor(x_descriptor), *to = tensor(y_descriptor), *v = tensor(vector);
    if (!ready(handle) || mode != kSpatial || from == nullptr || to == nullptr || !from->same_dims(*to) || !is_vector_of(v, *from))
        return kBadParam;
    for_each(*to, [&](int n, int c, int h, int w) {
        const double normal =
            (load(*from, x, from->offset(n, c, h, w)) - load(*v, mean, c)) / std::sqrt(load(*v, variance, c) + epsilon);
        blend(*to, y, to->offset(n, c, h, w), load(*v, gamma, c) * normal + load(*v, shift, c), alpha, beta);
    });
    return kSuccess;
}

CUDNN_FUNCTION(int)
cudnnBatchNormalizationBackward(void* handle, int mode, const void* alpha, const void* beta, const void* alpha_parameters,
                                const void* beta_parameters, void* x_descriptor, const void* x, void* dy_descriptor, const void* dy,
                                void* dx_descriptor, void* dx, void* vector, const void* gamma, void* dgamma, void* dshift,
                                double epsilon, const void* saved_mean, const void* saved_inverse) {
    const Tensor *in = tensor(x_descriptor), *gradient = tensor(dy_descriptor), *to = tensor(dx_descriptor), *v = tensor(vector);
    if (!ready(handle) || mode != kSpatial || in == nullptr || gradient == nullptr || to == nullptr || !is_vector_of(v, *in))
        return kBadParam;
    if (!in->same_dims(*to) || !gradient->same_dims(*to) || (saved_mean == nullptr) != (saved_inverse == nullptr)) return kBadParam;
    const double count = static_cast<double>(in->count()) / in->dims[1];
    for (int c = 0; c < in->dims[1]; ++c) {
        double mean, variance;
        statistics(*in, x, c, &mean, &variance);
        double inverse = 1 / std::sqrt(variance + epsilon);
        if (saved_mean != nullptr) {
            mean = load(*v, saved_mean, c);
            inverse = load(*v, saved_inverse, c);
        }
        double sum = 0, product = 0;
        const auto each = [&](auto body) {
            for (int n = 0; n < to->dims[0]; ++n)
                for (int h = 0; h < to->dims[2]; ++h)
                    for (int w = 0; w < to->dims[3]; ++w)
                        body(n, h, w, load(*gradient, dy, gradient->offset(n, c, h, w)),
                             (load(*in, x, in->offset(n, c, h, w)) - mean) * inverse);
        };
        each([&](int, int, int, double d, double normal) { sum += d, product += d * normal; });
        each([&](int n, int h, int w, double d, double normal) {
            const double value = load(*v, gamma, c) * inverse * (d - sum / count - normal * product / count);
            blend(*to, dx, to->offset(n, c, h, w), value, alpha, beta);
        });
        blend(*v, dgamma, c, product, alpha_parameters, beta_parameters);
        blend(*v, dshift, c, sum, alpha_parameters, beta_parameters);
    }
    return kSuccess;
}
