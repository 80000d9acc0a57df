// Descriptors: made, filled, destroyed; each kind is counted.
#include <utility>

#include "test/cudnn/stand_in.h"

namespace stand_in {

bool Tensor::same_dims(const Tensor& other) const {
    for (int i = 0; i < 4; ++i) {
        if (dims[i] != other.dims[i]) return false;
    }
    return true;
}

int set_dims(Tensor* t, int format, int type, int n, int c, int h, int w) {
    if (t == nullptr || n < 1 || c < 1 || h < 1 || w < 1) return kBadParam;
    if (format != kNchw && format != kNhwc) return kNotSupported;
    if (type != kFloat && type != kHalf && type != kBfloat16) return kNotSupported;
    t->type = type;
    const int dims[4] = {n, c, h, w};
    const long nchw[4] = {static_cast<long>(c) * h * w, static_cast<long>(h) * w, w, 1};
    const long nhwc[4] = {static_cast<long>(c) * h * w, 1, static_cast<long>(w) * c, c};
    for (int i = 0; i < 4; ++i) {
        t->dims[i] = dims[i];
        t->strides[i] = format == kNchw ? nchw[i] : nhwc[i];
    }
    return kSuccess;
}

namespace {

template <class T>
int create(const char* name, void** pointer, std::uint64_t kind) {
    called((std::string("create ") + name).c_str());
    if (pointer == nullptr) return kBadParam;
    auto* made = new T;
    made->kind = kind;
    *pointer = made;
    return kSuccess;
}

template <class T>
int destroy(const char* name, void* pointer, std::uint64_t kind) {
    called((std::string("destroy ") + name).c_str());
    if (object<T>(pointer, kind) == nullptr) return kBadParam;
    static_cast<T*>(pointer)->kind = kDestroyed;
    delete static_cast<T*>(pointer);
    return kSuccess;
}

}  // namespace

}  // namespace stand_in

using namespace stand_in;

#define DESCRIPTOR(Name, Struct, kind)                                                                                             \
    CUDNN_FUNCTION(int) cudnnCreate##Name##Descriptor(void** made) { return create<Struct>(#Name, made, kind); }                   \
    CUDNN_FUNCTION(int) cudnnDestroy##Name##Descriptor(void* gone) { return destroy<Struct>(#Name, gone, kind); }

DESCRIPTOR(Tensor, Tensor, kTensor)
DESCRIPTOR(Filter, Tensor, kFilter)
DESCRIPTOR(Convolution, Convolution, kConvolution)
DESCRIPTOR(Pooling, Pooling, kPooling)
DESCRIPTOR(Activation, Activation, kActivation)
DESCRIPTOR(LRN, Lrn, kLrn)
DESCRIPTOR(OpTensor, Operation, kOperation)

CUDNN_FUNCTION(int) cudnnSetTensor4dDescriptor(void* t, int format, int type, int n, int c, int h, int w) {
    return tensor(t) == nullptr ? kBadParam : set_dims(static_cast<Tensor*>(t), format, type, n, c, h, w);
}

CUDNN_FUNCTION(int)
cudnnSetTensor4dDescriptorEx(void* t, int type, int n, int c, int h, int w, int n_stride, int c_stride, int h_stride, int w_stride) {
    if (tensor(t) == nullptr) return kBadParam;
    const int status = set_dims(static_cast<Tensor*>(t), kNchw, type, n, c, h, w);
    const long strides[4] = {n_stride, c_stride, h_stride, w_stride};
    for (int i = 0; i < 4; ++i) static_cast<Tensor*>(t)->strides[i] = strides[i];
    return status;
}

CUDNN_FUNCTION(int) cudnnSetFilter4dDescriptor(void* f, int type, int format, int k, int c, int r, int s) {
    return filter(f) == nullptr ? kBadParam : set_dims(static_cast<Tensor*>(f), format, type, k, c, r, s);
}

CUDNN_FUNCTION(int)
cudnnSetConvolution2dDescriptor(void* conv, int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w, int mode,
    int type) {
    if (object<Convolution>(conv, kConvolution) == nullptr || pad_h < 0 || pad_w < 0 || u < 1 || v < 1 || dilation_h < 1 ||
        dilation_w < 1)
        return kBadParam;
    if (mode != 1 || type != kFloat) return kNotSupported;  // cross-correlation with fp32 sums is all that is used
    auto* c = static_cast<Convolution*>(conv);
    *c = {kConvolution, {pad_h, pad_w}, {u, v}, {dilation_h, dilation_w}, 1, 0};
    if (bug("swaps_strides")) std::swap(c->stride[0], c->stride[1]);
    if (bug("swaps_padding")) std::swap(c->pad[0], c->pad[1]);
    if (bug("ignores_dilation")) c->dilation[0] = c->dilation[1] = 1;
    return kSuccess;
}

CUDNN_FUNCTION(int) cudnnSetConvolutionGroupCount(void* conv, int groups) {
    if (object<Convolution>(conv, kConvolution) == nullptr || groups < 1) return kBadParam;
    static_cast<Convolution*>(conv)->groups = groups;
    return kSuccess;
}

CUDNN_FUNCTION(int) cudnnSetConvolutionMathType(void* conv, int math) {
    if (object<Convolution>(conv, kConvolution) == nullptr || math < 0 || math > 3) return kBadParam;
    static_cast<Convolution*>(conv)->math = math;
    return kSuccess;
}

CUDNN_FUNCTION(int)
cudnnSetPooling2dDescriptor(void* pooling, int mode, int nan, int h, int w, int pad_h, int pad_w, int u, int v) {
    if (object<Pooling>(pooling, kPooling) == nullptr || mode < 0 || mode > 3 || h < 1 || w < 1 || pad_h < 0 || pad_w < 0 ||
        u < 1 || v < 1 || pad_h >= h || pad_w >= w)
        return kBadParam;
    *static_cast<Pooling*>(pooling) = {kPooling, mode, nan, {h, w}, {pad_h, pad_w}, {u, v}};
    return kSuccess;
}

CUDNN_FUNCTION(int) cudnnSetActivationDescriptor(void* activation, int mode, int /*nan*/, double /*coefficient*/) {
    if (object<Activation>(activation, kActivation) == nullptr || mode < 0 || mode > 2) return kBadParam;
    static_cast<Activation*>(activation)->mode = mode;
    return kSuccess;
}

CUDNN_FUNCTION(int) cudnnSetLRNDescriptor(void* lrn, unsigned size, double alpha, double beta, double k) {
    if (object<Lrn>(lrn, kLrn) == nullptr || size < 1 || size > 16 || beta < 0.01 || k < 1e-5) return kBadParam;
    *static_cast<Lrn*>(lrn) = {kLrn, size, alpha, beta, k};
    return kSuccess;
}

CUDNN_FUNCTION(int) cudnnSetOpTensorDescriptor(void* operation, int what, int type, int /*nan*/) {
    if (object<Operation>(operation, kOperation) == nullptr || type != kFloat) return kBadParam;
    static_cast<Operation*>(operation)->operation = what;
    return kSuccess;
}
