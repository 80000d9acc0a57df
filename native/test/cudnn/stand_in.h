// What the stand-in for cuDNN is made of: statuses, descriptors, and tensors seen through them. Numbers of enums are cuDNN's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "primitives/host/types.h"

namespace stand_in {

enum Status { kSuccess = 0, kBadParam = 2000, kNotSupported = 3000, kExecutionFailed = 5000 };
enum Type { kFloat = 0, kHalf = 2, kBfloat16 = 9 };
enum Format { kNchw = 0, kNhwc = 1 };

// Whether the environment asks for this mistake.
bool bug(const char* name);

// Counts a call, for the report at the end of the process.
void called(const char* name);

// Every object that a create function gives out begins with its kind, so that a wrong or a destroyed pointer is noticed.
struct Object {
    std::uint64_t kind;
};
enum Kind : std::uint64_t {
    kHandle = 0xC0DE0001,
    kTensor,
    kFilter,
    kConvolution,
    kPooling,
    kActivation,
    kLrn,
    kOperation,
    kDestroyed = 0xDEAD
};

struct Handle {
    std::uint64_t kind = kHandle;
    void* stream = nullptr;
};

// Tensors and filters: n c h w, or k c r s.
struct Tensor {
    std::uint64_t kind;
    int type = -1;
    int dims[4] = {};
    long strides[4] = {};

    long offset(int n, int c, int h, int w) const { return n * strides[0] + c * strides[1] + h * strides[2] + w * strides[3]; }
    long count() const { return static_cast<long>(dims[0]) * dims[1] * dims[2] * dims[3]; }
    bool same_dims(const Tensor& other) const;
};

struct Convolution {
    std::uint64_t kind = kConvolution;
    int pad[2], stride[2], dilation[2], groups, math;
};

struct Pooling {
    std::uint64_t kind = kPooling;
    int mode, nan, window[2], pad[2], stride[2];
};

struct Activation {
    std::uint64_t kind = kActivation;
    int mode;
};

struct Lrn {
    std::uint64_t kind = kLrn;
    unsigned size;
    double alpha, beta, k;
};

struct Operation {
    std::uint64_t kind = kOperation;
    int operation;
};

// The object behind a pointer that came from outside; null if it is none of this kind.
template <class T>
const T* object(const void* pointer, std::uint64_t kind) {
    const auto* found = static_cast<const T*>(pointer);
    return found != nullptr && found->kind == kind ? found : nullptr;
}
inline const Tensor* tensor(const void* pointer) { return object<Tensor>(pointer, kTensor); }
inline const Tensor* filter(const void* pointer) { return object<Tensor>(pointer, kFilter); }

// A handle that work may be queued on.
bool ready(const void* handle);

int set_dims(Tensor* t, int format, int type, int n, int c, int h, int w);

// Elements of memory as numbers; stores round once, to nearest even.
double load(const Tensor& t, const void* memory, long offset);
void store(const Tensor& t, void* memory, long offset, double value);

// y = alpha * value + beta * y; y is not read where beta is 0.
void blend(const Tensor& t, void* memory, long offset, double value, const void* alpha, const void* beta);
inline double factor(const void* pointer) { return *static_cast<const float*>(pointer); }

// Calls body(n, c, h, w) for each element.
template <class Body>
void for_each(const Tensor& t, Body body) {
    for (int n = 0; n < t.dims[0]; ++n)
        for (int c = 0; c < t.dims[1]; ++c)
            for (int h = 0; h < t.dims[2]; ++h)
                for (int w = 0; w < t.dims[3]; ++w) body(n, c, h, w);
}

}  // namespace stand_in

#define CUDNN_FUNCTION(type) extern "C" __attribute__((visibility("default"))) type
