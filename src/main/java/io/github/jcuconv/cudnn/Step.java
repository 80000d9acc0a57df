package io.github.jcuconv.cudnn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.op.Arg;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnHandle;

/** One call of cuDNN in a plan. */
@FunctionalInterface
interface Step {
    /** Queues the call. */
    void run(Call call);

    /**
     * An execution.
     *
     * @param handles the libraries, bound to the stream
     * @param args the memory
     * @param workspace address of the scratch memory, 0 for none
     * @param stream the engine's name of the stream
     */
    record Call(Handles.Pair handles, Arguments args, long workspace, long stream) {
        cudnnHandle dnn() {
            return handles.dnn();
        }

        Pointer at(Arg arg) {
            return new DevicePointer(args.get(arg).address());
        }

        Pointer scratch() {
            return new DevicePointer(workspace);
        }
    }
}
