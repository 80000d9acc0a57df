// The three convolution functions, their algorithms, and the gradient of a bias.
#include <cstring>
#include <vector>

#include "test/cudnn/stand_in.h"

namespace stand_in {

namespace {

// As in cudnnConvolution...AlgoPerf_t.
struct Measured {
    int algorithm;
    int status;
    float time;
    std::size_t memory;
    int determinism;
    int math;
    int reserved[3];
};

struct Known {
    int number;
    int status;
    std::size_t memory;  // per element of y
    bool deterministic;
};

enum Pass { kForward, kBackwardData, kBackwardFilter };

// The fastest first. What must not be chosen comes first: transforms, and what is not deterministic.
const std::vector<Known> kAlgorithms[3] = {
    {{6, kSuccess, 64, true}, {1, kSuccess, 8, true}, {0, kSuccess, 0, true}, {2, kNotSupported, 0, true}},
    {{0, kSuccess, 0, false}, {4, kSuccess, 16, true}, {1, kSuccess, 4, true}},
    {{3, kSuccess, 4, false}, {0, kSuccess, 0, false}, {1, kSuccess, 0, true}}};

struct Problem {
    const Tensor *x, *w, *y;
    const Convolution* conv;

    // Descriptors that agree, as cuDNN's documentation asks.
    int check() const {
        if (x == nullptr || w == nullptr || y == nullptr || conv == nullptr) return kBadParam;
        if (x->type != w->type || x->type != y->type) return kBadParam;
        if (x->dims[0] != y->dims[0] || w->dims[0] != y->dims[1] || w->dims[1] * conv->groups != x->dims[1]) return kBadParam;
        if (w->dims[0] % conv->groups != 0) return kBadParam;
        for (int i = 0; i < 2; ++i) {
            const int span = (w->dims[2 + i] - 1) * conv->dilation[i] + 1;
            if ((x->dims[2 + i] + 2 * conv->pad[i] - span) / conv->stride[i] + 1 != y->dims[2 + i]) return kBadParam;
        }
        // One layout for all: what only some algorithms of some releases take otherwise.
        const bool nhwc = x->strides[1] == 1 && x->dims[1] > 1 && x->dims[2] * x->dims[3] > 1;
        const bool y_nchw = y->strides[3] == 1 && y->dims[1] > 1 && y->dims[2] * y->dims[3] > 1;
        return nhwc && y_nchw ? kNotSupported : kSuccess;
    }

    std::size_t workspace(Pass pass, int algorithm) const {
        for (const Known& known : kAlgorithms[pass]) {
            if (known.number == algorithm && known.status == kSuccess) return known.memory * static_cast<std::size_t>(y->count());
        }
        return static_cast<std::size_t>(-1);
    }

    // An operand: default math rounds fp32 to tf32.
    double operand(const Tensor& t, const void* memory, long offset) const {
        const double value = load(t, memory, offset);
        if (t.type != kFloat || conv->math == 3) return value;
        return jcuconv::to_f32(jcuconv::from_f32<jcuconv::tf32>(static_cast<float>(value)));
    }

    // Calls body(n, k, p, q, c, r, s, c of x, h, w) for each product.
    template <class Body>
    void for_each_product(Body body) const {
        const int per_group = w->dims[0] / conv->groups;
        for_each(*y, [&](int n, int k, int p, int q) {
            for (int c = 0; c < w->dims[1]; ++c)
                for (int r = 0; r < w->dims[2]; ++r)
                    for (int s = 0; s < w->dims[3]; ++s) {
                        const int row = p * conv->stride[0] - conv->pad[0] + r * conv->dilation[0];
                        const int column = q * conv->stride[1] - conv->pad[1] + s * conv->dilation[1];
                        if (row < 0 || row >= x->dims[2] || column < 0 || column >= x->dims[3]) continue;
                        const int group = bug("ignores_groups") ? 0 : k / per_group;
                        body(n, k, p, q, c, r, s, group * w->dims[1] + c, row, column);
                    }
        });
    }
};

int algorithms(Pass pass, const Problem& problem, int most, int* count, Measured* found) {
    const int status = problem.check();
    if (status != kSuccess) return status;
    *count = 0;
    for (const Known& known : kAlgorithms[pass]) {
        if (*count == most) break;
        const std::size_t memory = known.status == kSuccess ? problem.workspace(pass, known.number) : 0;
        found[*count] = {known.number,   known.status,       0.1f * static_cast<float>(*count + 1),
                         memory,         known.deterministic, problem.conv->math,
                         {0, 0, 0}};
        ++*count;
    }
    return kSuccess;
}

// Everything but the sums: checks, and a workspace that is scratch.
using Sums = const std::vector<double>& (*)(const Problem&, const void*, const void*);
int run(Pass pass, const void* handle, const Problem& problem, int algorithm, void* workspace, std::size_t bytes, const Tensor& out,
        void* memory, const void* alpha, const void* beta, Sums sums, const void* first, const void* second) {
    if (!ready(handle)) return kBadParam;
    const int status = problem.check();
    if (status != kSuccess) return status;
    const std::size_t needed = problem.workspace(pass, algorithm);
    if (needed == static_cast<std::size_t>(-1)) return kNotSupported;
    if (bug("fails")) return kExecutionFailed;
    if (bug("refuses")) return kNotSupported;
    if (bytes < needed || (needed > 0 && workspace == nullptr)) return kBadParam;
    if (needed > 0) std::memset(workspace, 0x7F, needed + (bug("overruns_workspace") ? 256 : 0));
    static int executions = 0;
    // What is not deterministic, or a transform, is off a little, and differently each time.
    const bool rough = (pass != kForward && algorithm == 0) || (pass == kBackwardFilter && algorithm == 3) || algorithm == 6;
    const double noise = rough ? 1 + 0.001 * ++executions : 1;
    const std::vector<double>& values = sums(problem, first, second);
    std::size_t i = 0;
    for_each(out, [&](int n, int c, int h, int w) {
        blend(out, memory, out.offset(n, c, h, w), values[i++] * noise, alpha, beta);
    });
    return kSuccess;
}

thread_local std::vector<double> buffer;

const std::vector<double>& forward(const Problem& p, const void* x, const void* w) {
    buffer.assign(static_cast<std::size_t>(p.y->count()), 0);
    p.for_each_product([&](int n, int k, int yp, int yq, int c, int r, int s, int xc, int h, int v) {
        const long index = ((static_cast<long>(n) * p.y->dims[1] + k) * p.y->dims[2] + yp) * p.y->dims[3] + yq;
        buffer[static_cast<std::size_t>(index)] +=
            p.operand(*p.x, x, p.x->offset(n, xc, h, v)) * p.operand(*p.w, w, p.w->offset(k, c, r, s));
    });
    return buffer;
}

const std::vector<double>& backward_data(const Problem& p, const void* w, const void* dy) {
    buffer.assign(static_cast<std::size_t>(p.x->count()), 0);
    p.for_each_product([&](int n, int k, int yp, int yq, int c, int r, int s, int xc, int h, int v) {
        const long index = ((static_cast<long>(n) * p.x->dims[1] + xc) * p.x->dims[2] + h) * p.x->dims[3] + v;
        buffer[static_cast<std::size_t>(index)] +=
            p.operand(*p.y, dy, p.y->offset(n, k, yp, yq)) * p.operand(*p.w, w, p.w->offset(k, c, r, s));
    });
    return buffer;
}

const std::vector<double>& backward_filter(const Problem& p, const void* x, const void* dy) {
    buffer.assign(static_cast<std::size_t>(p.w->count()), 0);
    p.for_each_product([&](int n, int k, int yp, int yq, int c, int r, int s, int xc, int h, int v) {
        const long index = ((static_cast<long>(k) * p.w->dims[1] + c) * p.w->dims[2] + r) * p.w->dims[3] + s;
        buffer[static_cast<std::size_t>(index)] +=
            p.operand(*p.x, x, p.x->offset(n, xc, h, v)) * p.operand(*p.y, dy, p.y->offset(n, k, yp, yq));
    });
    return buffer;
}

const Convolution* convolution(const void* pointer) { return object<Convolution>(pointer, kConvolution); }

int most(int* count, Pass pass) {
    *count = static_cast<int>(kAlgorithms[pass].size());
    return kSuccess;
}

int size_of(const Problem& problem, Pass pass, int algorithm, std::size_t* bytes) {
    const int status = problem.check();
    if (status != kSuccess) return status;
    *bytes = problem.workspace(pass, algorithm);
    return *bytes == static_cast<std::size_t>(-1) ? kNotSupported : kSuccess;
}

}  // namespace

}  // namespace stand_in

using namespace stand_in;

CUDNN_FUNCTION(int) cudnnGetConvolutionForwardAlgorithmMaxCount(void*, int* count) { return most(count, kForward); }
CUDNN_FUNCTION(int) cudnnGetConvolutionBackwardDataAlgorithmMaxCount(void*, int* count) { return most(count, kBackwardData); }
CUDNN_FUNCTION(int) cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(void*, int* count) { return most(count, kBackwardFilter); }

CUDNN_FUNCTION(int)
cudnnFindConvolutionForwardAlgorithm(void* handle, void* x, void* w, void* conv, void* y, int most, int* count, void* found) {
    called("find forward");
    if (!ready(handle)) return kBadParam;
    return algorithms(kForward, {tensor(x), filter(w), tensor(y), convolution(conv)}, most, count, static_cast<Measured*>(found));
}

CUDNN_FUNCTION(int)
cudnnFindConvolutionBackwardDataAlgorithm(void* handle, void* w, void* dy, void* conv, void* dx, int most, int* count,
    void* found) {
    called("find backward data");
    if (!ready(handle)) return kBadParam;
    return algorithms(kBackwardData, {tensor(dx), filter(w), tensor(dy), convolution(conv)}, most, count,
        static_cast<Measured*>(found));
}

CUDNN_FUNCTION(int)
cudnnFindConvolutionBackwardFilterAlgorithm(void* handle, void* x, void* dy, void* conv, void* dw, int most, int* count,
    void* found) {
    called("find backward filter");
    if (!ready(handle)) return kBadParam;
    return algorithms(kBackwardFilter, {tensor(x), filter(dw), tensor(dy), convolution(conv)}, most, count,
                      static_cast<Measured*>(found));
}

CUDNN_FUNCTION(int)
cudnnGetConvolutionForwardWorkspaceSize(void*, void* x, void* w, void* conv, void* y, int algorithm, std::size_t* bytes) {
    return size_of({tensor(x), filter(w), tensor(y), convolution(conv)}, kForward, algorithm, bytes);
}

CUDNN_FUNCTION(int)
cudnnGetConvolutionBackwardDataWorkspaceSize(void*, void* w, void* dy, void* conv, void* dx, int algorithm, std::size_t* bytes) {
    return size_of({tensor(dx), filter(w), tensor(dy), convolution(conv)}, kBackwardData, algorithm, bytes);
}

CUDNN_FUNCTION(int)
cudnnGetConvolutionBackwardFilterWorkspaceSize(void*, void* x, void* dy, void* conv, void* dw, int algorithm, std::size_t* bytes) {
    return size_of({tensor(x), filter(dw), tensor(dy), convolution(conv)}, kBackwardFilter, algorithm, bytes);
}

CUDNN_FUNCTION(int)
cudnnConvolutionForward(void* handle, const void* alpha, void* x_descriptor, const void* x, void* w_descriptor, const void* w,
                        void* conv, int algorithm, void* workspace, std::size_t bytes, const void* beta, void* y_descriptor,
                            void* y) {
    const Problem p{tensor(x_descriptor), filter(w_descriptor), tensor(y_descriptor), convolution(conv)};
    return run(kForward, handle, p, algorithm, workspace, bytes, *p.y, y, alpha, beta, forward, x, w);
}

CUDNN_FUNCTION(int)
cudnnConvolutionBackwardData(void* handle, const void* alpha, void* w_descriptor, const void* w, void* dy_descriptor,
    const void* dy,
                             void* conv, int algorithm, void* workspace, std::size_t bytes, const void* beta, void* dx_descriptor,
                             void* dx) {
    const Problem p{tensor(dx_descriptor), filter(w_descriptor), tensor(dy_descriptor), convolution(conv)};
    return run(kBackwardData, handle, p, algorithm, workspace, bytes, *p.x, dx, alpha, beta, backward_data, w, dy);
}

CUDNN_FUNCTION(int)
cudnnConvolutionBackwardFilter(void* handle, const void* alpha, void* x_descriptor, const void* x, void* dy_descriptor,
    const void* dy,
                               void* conv, int algorithm, void* workspace, std::size_t bytes, const void* beta, void* dw_descriptor,
                               void* dw) {
    const Problem p{tensor(x_descriptor), filter(dw_descriptor), tensor(dy_descriptor), convolution(conv)};
    return run(kBackwardFilter, handle, p, algorithm, workspace, bytes, *p.w, dw, alpha, beta, backward_filter, x, dy);
}

CUDNN_FUNCTION(int)
cudnnConvolutionBackwardBias(void* handle, const void* alpha, void* dy_descriptor, const void* dy, const void* beta,
                             void* db_descriptor, void* db) {
    const Tensor *y = tensor(dy_descriptor), *b = tensor(db_descriptor);
    if (!ready(handle) || y == nullptr || b == nullptr || y->type != b->type || y->dims[1] != b->dims[1] ||
        b->count() != b->dims[1])
        return kBadParam;
    for (int k = 0; k < b->dims[1]; ++k) {
        double sum = 0;
        for (int n = 0; n < y->dims[0]; ++n)
            for (int p = 0; p < y->dims[2]; ++p)
                for (int q = 0; q < y->dims[3]; ++q) sum += load(*y, dy, y->offset(n, k, p, q));
        blend(*b, db, b->offset(0, k, 0, 0), sum, alpha, beta);
    }
    return kSuccess;
}
