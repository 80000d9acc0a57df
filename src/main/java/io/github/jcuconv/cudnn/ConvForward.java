package io.github.jcuconv.cudnn;

import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnConvolutionFwdAlgo;
import jcuda.jcudnn.cudnnConvolutionFwdAlgoPerf;
import jcuda.jcudnn.cudnnHandle;

/** y from x and w: fprop of a convolution, dgrad of a transposed one. */
final class ConvForward implements ConvFunction {
    @Override
    public String name() {
        return "convolution forward";
    }

    @Override
    public List<Algorithm> find(cudnnHandle handle, Problem p) {
        int[] count = new int[1];
        Cudnn.call(
                name() + ": count algorithms", () -> JCudnn.cudnnGetConvolutionForwardAlgorithmMaxCount(handle, count));
        cudnnConvolutionFwdAlgoPerf[] found = new cudnnConvolutionFwdAlgoPerf[count[0]];
        for (int i = 0; i < found.length; i++) {
            found[i] = new cudnnConvolutionFwdAlgoPerf();
        }
        Cudnn.call(
                name() + ": find algorithms",
                () -> JCudnn.cudnnFindConvolutionForwardAlgorithm(
                        handle, p.x(), p.w(), p.conv(), p.y(), found.length, count, found));
        List<Algorithm> algorithms = new ArrayList<>();
        for (int i = 0; i < count[0]; i++) {
            cudnnConvolutionFwdAlgoPerf a = found[i];
            if (a.status == 0) {
                String text = cudnnConvolutionFwdAlgo.stringFor(a.algo);
                algorithms.add(Algorithm.of(a.algo, text, a.memory, a.determinism, a.time));
            }
        }
        return algorithms;
    }

    @Override
    public long workspaceBytes(cudnnHandle handle, Problem p, int algorithm) {
        long[] bytes = new long[1];
        Cudnn.call(
                name() + ": size of the workspace",
                () -> JCudnn.cudnnGetConvolutionForwardWorkspaceSize(
                        handle, p.x(), p.w(), p.conv(), p.y(), algorithm, bytes));
        return bytes[0];
    }

    @Override
    public void run(
            cudnnHandle handle,
            Problem p,
            Tensors t,
            int algorithm,
            Pointer workspace,
            long workspaceBytes,
            Pointer before) {
        Cudnn.call(
                name(),
                () -> JCudnn.cudnnConvolutionForward(
                        handle,
                        DevicePointer.ONE,
                        p.x(),
                        t.x(),
                        p.w(),
                        t.w(),
                        p.conv(),
                        algorithm,
                        workspace,
                        workspaceBytes,
                        before,
                        p.y(),
                        t.y()));
    }
}
