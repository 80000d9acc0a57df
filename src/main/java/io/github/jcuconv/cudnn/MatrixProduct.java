package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Products;
import io.github.jcuconv.op.Types;
import java.util.Objects;
import jcuda.cudaDataType;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasComputeType;
import jcuda.jcublas.cublasGemmAlgo;
import jcuda.jcublas.cublasOperation;

/**
 * One of the three matrix products of a dense layer, y[rows, k] = x[rows, c] w[k, c]^T and its gradients, by cublasGemmEx. cuBLAS reads columns
 * first: what lies in memory as [a, b] row by row is to it a matrix of b rows and a columns.
 *
 * @param m rows of the result, as cuBLAS sees it
 * @param n its columns
 * @param depth products per element
 * @param a the left factor
 * @param transposeA whether it is to be read across
 * @param b the right factor
 * @param transposeB likewise
 * @param out the result
 */
record MatrixProduct(int m, int n, int depth, Arg a, boolean transposeA, Arg b, boolean transposeB, Arg out) {
    /** The product of a pass; {@code DBIAS} has none. */
    static MatrixProduct of(Pass pass, int rows, int c, int k) {
        return switch (pass) {
            case FPROP -> new MatrixProduct(k, rows, c, Arg.W, true, Arg.X, false, Arg.Y);
            case DGRAD -> new MatrixProduct(c, rows, k, Arg.W, false, Arg.DY, false, Arg.DX);
            case WGRAD -> new MatrixProduct(c, k, rows, Arg.X, false, Arg.DY, true, Arg.DW);
            default -> throw new IllegalArgumentException(pass + " is no matrix product");
        };
    }

    /** Adds the call. */
    void plan(PlanBuilder builder, Types types) {
        boolean exact = types.storage() == DataType.FP32 && types.products() != Products.TF32;
        int compute = types.storage() == DataType.FP32 && !exact
                ? cublasComputeType.CUBLAS_COMPUTE_32F_FAST_TF32
                : cublasComputeType.CUBLAS_COMPUTE_32F;
        int typeA = type(builder.spec(a).type());
        int typeB = type(builder.spec(b).type());
        int typeOut = type(builder.spec(out).type());
        builder.step(
                exact ? "gemm_ex" : "gemm_ex mma",
                call -> Cublas.call(
                        "cublasGemmEx",
                        () -> JCublas2.cublasGemmEx_new(
                                Objects.requireNonNull(call.handles().blas()),
                                operation(transposeA),
                                operation(transposeB),
                                m,
                                n,
                                depth,
                                DevicePointer.ONE,
                                call.at(a),
                                typeA,
                                transposeA ? depth : m,
                                call.at(b),
                                typeB,
                                transposeB ? n : depth,
                                builder.before(),
                                call.at(out),
                                typeOut,
                                m,
                                compute,
                                cublasGemmAlgo.CUBLAS_GEMM_DEFAULT)));
    }

    private static int operation(boolean transpose) {
        return transpose ? cublasOperation.CUBLAS_OP_T : cublasOperation.CUBLAS_OP_N;
    }

    private static int type(DataType type) {
        return switch (type) {
            case FP32 -> cudaDataType.CUDA_R_32F;
            case FP16 -> cudaDataType.CUDA_R_16F;
            case BF16 -> cudaDataType.CUDA_R_16BF;
            default -> throw new IllegalArgumentException("cuBLAS multiplies floating types only, not " + type);
        };
    }
}
