package io.github.jcuconv.reference;

/** Which window of an axis sees an input element. */
final class RefWindow {
    private RefWindow() {}

    /** The window whose element r lies on input row h, -1 if there is none: p * stride - before + r * dilation = h. */
    static int output(int h, int r, int stride, int dilation, int before, int outputs) {
        int start = h + before - r * dilation;
        return start >= 0 && start % stride == 0 && start / stride < outputs ? start / stride : -1;
    }
}
