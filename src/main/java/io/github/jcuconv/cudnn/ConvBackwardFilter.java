package io.github.jcuconv.cudnn;

import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnConvolutionBwdFilterAlgo;
import jcuda.jcudnn.cudnnConvolutionBwdFilterAlgoPerf;
import jcuda.jcudnn.cudnnHandle;

/** w from x and y: wgrad of both kinds of convolution. */
final class ConvBackwardFilter implements ConvFunction {
    @Override
    public String name() {
        return "convolution backward filter";
    }

    @Override
    public List<Algorithm> find(cudnnHandle handle, Problem p) {
        int[] count = new int[1];
        Cudnn.call(
                name() + ": count algorithms",
                () -> JCudnn.cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(handle, count));
        cudnnConvolutionBwdFilterAlgoPerf[] found = new cudnnConvolutionBwdFilterAlgoPerf[count[0]];
        for (int i = 0; i < found.length; i++) {
            found[i] = new cudnnConvolutionBwdFilterAlgoPerf();
        }
        Cudnn.call(
                name() + ": find algorithms",
                () -> JCudnn.cudnnFindConvolutionBackwardFilterAlgorithm(
                        handle, p.x(), p.y(), p.conv(), p.w(), found.length, count, found));
        List<Algorithm> algorithms = new ArrayList<>();
        for (int i = 0; i < count[0]; i++) {
            cudnnConvolutionBwdFilterAlgoPerf a = found[i];
            if (a.status == 0) {
                String text = cudnnConvolutionBwdFilterAlgo.stringFor(a.algo);
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
                () -> JCudnn.cudnnGetConvolutionBackwardFilterWorkspaceSize(
                        handle, p.x(), p.y(), p.conv(), p.w(), algorithm, bytes));
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
                () -> JCudnn.cudnnConvolutionBackwardFilter(
                        handle,
                        DevicePointer.ONE,
                        p.x(),
                        t.x(),
                        p.y(),
                        t.y(),
                        p.conv(),
                        algorithm,
                        workspace,
                        workspaceBytes,
                        before,
                        p.w(),
                        t.w()));
    }
}
