package io.github.jcuconv.cuda;

import org.jspecify.annotations.Nullable;

/**
 * Plans of the C API. Each operation's native takes the fields of its problem struct (native/include/jcuconv/problem.h) in their order, channel
 * pitches and alignments at their defaults, and gives a plan or a negative status. An epilogue is packed: step i of the list in bits 4i .. 4i+3.
 */
final class PlanNatives {
    private PlanNatives() {}

    static native long conv2d(
            int library,
            int pass,
            long workspaceLimit,
            int n,
            int h,
            int w,
            int c,
            int k,
            int r,
            int s,
            int padTop,
            int padBottom,
            int padLeft,
            int padRight,
            int strideH,
            int strideW,
            int dilationH,
            int dilationW,
            int groups,
            int type,
            int epilogue,
            boolean dbias,
            boolean accumulate,
            int products,
            int poolH,
            int poolW,
            boolean yF32,
            int choice);

    static native long convTranspose2d(
            int library,
            int pass,
            long workspaceLimit,
            int n,
            int h,
            int w,
            int c,
            int k,
            int r,
            int s,
            int padTop,
            int padBottom,
            int padLeft,
            int padRight,
            int strideH,
            int strideW,
            int dilationH,
            int dilationW,
            int extraH,
            int extraW,
            int groups,
            int type,
            int epilogue,
            boolean dbias,
            boolean accumulate,
            int products,
            int choice);

    static native long dense(
            int library,
            int pass,
            long workspaceLimit,
            int n,
            int c,
            int k,
            int type,
            int epilogue,
            boolean dbias,
            boolean accumulate,
            int products,
            boolean yF32,
            int choice);

    static native long pool2d(
            int library,
            int pass,
            long workspaceLimit,
            boolean max,
            int n,
            int h,
            int w,
            int c,
            int r,
            int s,
            int padTop,
            int padBottom,
            int padLeft,
            int padRight,
            int strideH,
            int strideW,
            int dilationH,
            int dilationW,
            boolean ceil,
            boolean argmax,
            boolean countPadding,
            int type);

    static native long lrn(
            int library,
            int pass,
            long workspaceLimit,
            long pixels,
            int c,
            int size,
            float alpha,
            float beta,
            float k,
            boolean alphaOverSize,
            boolean save,
            int type);

    static native long batchNorm(
            int library,
            int pass,
            long workspaceLimit,
            long pixels,
            int c,
            float eps,
            float momentum,
            boolean training,
            int type);

    static native long dropout(
            int library, int pass, long workspaceLimit, int n, int c, int pixels, float rate, int layer, int type);

    static native long activation(int library, int pass, long workspaceLimit, long count, int kind, int type);

    static native long softmaxCrossEntropy(
            int library, int pass, long workspaceLimit, long rows, int classes, int ignoreLabel, int type);

    static native long add(int library, long workspaceLimit, long count, int type);

    static native long concat(
            int library, int pass, long workspaceLimit, long pixels, int c, int channels, int offset, int type);

    static native long channelScale(int library, int pass, long workspaceLimit, int n, int c, int pixels, int type);

    static native long reorder(
            int library, long workspaceLimit, int n, int pixels, int c, int xLayout, int yLayout, int xType, int yType);

    static native long finiteCheck(int library, long workspaceLimit, long count, int type);

    static native long optimizer(int library, long workspaceLimit, long count, int kind, int storage);

    static native long stepControl(
            int library, long workspaceLimit, int rates, int rows, boolean lossScaling, int growthInterval);

    /** Bytes of workspace, or the negative status. */
    static native long workspace(int library, long plan);

    /** What the plan runs, empty if there is no such plan. */
    static native String describe(int library, long plan);

    /** Why the plan runs this kernel, empty if there is no such plan or one kernel only. */
    static native String explain(int library, long plan);

    /** How many choices the plan's problem has, or the negative status. */
    static native long choices(int library, long plan);

    /** Queues a plan; {@code table} holds address and bytes of every argument in the order of jcuconv_arg. */
    static native int execute(
            int library, long plan, long @Nullable [] table, long workspace, long workspaceBytes, long stream);

    static native int destroy(int library, long plan);
}
