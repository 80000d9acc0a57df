// libcublas.so.12 in the same spirit: matrix products of columns, and nothing else.
#include <cstdlib>
#include <cstring>

#include "test/cudnn/stand_in.h"

using namespace stand_in;

namespace {

enum CublasStatus { kInvalidValue = 7, kNotSupportedHere = 15 };
enum Compute { kFp32 = 68, kTf32 = 77 };
constexpr int kDisallowReducedPrecision = 16;

struct Blas {
    std::uint64_t kind = kHandle;
    void* stream = nullptr;
    int math = 0;
};

// Numbers of cudaDataType.
int type_of(int type) { return type == 0 ? kFloat : type == 2 ? kHalf : type == 14 ? kBfloat16 : -1; }

}  // namespace

CUDNN_FUNCTION(int) cublasCreate_v2(void** handle) {
    *handle = new Blas;
    return kSuccess;
}

CUDNN_FUNCTION(int) cublasDestroy_v2(void* handle) {
    if (object<Blas>(handle, kHandle) == nullptr) return kInvalidValue;
    static_cast<Blas*>(handle)->kind = kDestroyed;
    delete static_cast<Blas*>(handle);
    return kSuccess;
}

CUDNN_FUNCTION(int) cublasSetStream_v2(void* handle, void* stream) {
    if (object<Blas>(handle, kHandle) == nullptr) return kInvalidValue;
    static_cast<Blas*>(handle)->stream = stream;
    return kSuccess;
}

CUDNN_FUNCTION(int) cublasSetMathMode(void* handle, int math) {
    if (object<Blas>(handle, kHandle) == nullptr) return kInvalidValue;
    static_cast<Blas*>(handle)->math = math;
    return kSuccess;
}

CUDNN_FUNCTION(const char*) cublasGetStatusName(int status) { return status == kSuccess ? "stand-in: success" : "stand-in: failure"; }

CUDNN_FUNCTION(const char*) cublasGetStatusString(int status) {
    return status == kInvalidValue ? "stand-in: invalid value" : "stand-in: some status";
}

CUDNN_FUNCTION(int)
cublasGemmEx(void* handle, int transpose_a, int transpose_b, int m, int n, int depth, const void* alpha, const void* a, int type_a,
             int lda, const void* b, int type_b, int ldb, const void* beta, void* c, int type_c, int ldc, int compute, int) {
    const auto* blas = object<Blas>(handle, kHandle);
    if (blas == nullptr || blas->stream == nullptr || m < 1 || n < 1 || depth < 1) return kInvalidValue;
    if (lda < (transpose_a ? depth : m) || ldb < (transpose_b ? n : depth) || ldc < m) return kInvalidValue;
    if (compute != kFp32 && compute != kTf32) return kNotSupportedHere;
    Tensor left{kTensor, type_of(type_a)}, right{kTensor, type_of(type_b)}, out{kTensor, type_of(type_c)};
    if (left.type < 0 || left.type != right.type || (out.type != left.type && out.type != kFloat)) return kNotSupportedHere;
    const auto operand = [&](const Tensor& t, const void* memory, long offset) -> double {
        const double value = load(t, memory, offset);
        // Sums of halves may be formed in halves where that is not disallowed.
        if (t.type != kFloat && blas->math != kDisallowReducedPrecision) return value * (1 + 1e-3);
        if (t.type != kFloat || (compute == kFp32 && !bug("ignores_compute_type"))) return value;
        return jcuconv::to_f32(jcuconv::from_f32<jcuconv::tf32>(static_cast<float>(value)));
    };
    for (long j = 0; j < n; ++j)
        for (long i = 0; i < m; ++i) {
            double sum = 0;
            for (long k = 0; k < depth; ++k) {
                sum += operand(left, a, transpose_a ? i * lda + k : k * lda + i) *
                       operand(right, b, transpose_b ? k * ldb + j : j * ldb + k);
            }
            blend(out, c, j * ldc + i, sum, alpha, beta);
        }
    return kSuccess;
}
