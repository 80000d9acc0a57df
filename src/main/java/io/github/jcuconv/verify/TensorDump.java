package io.github.jcuconv.verify;

import io.github.jcuconv.reference.Tensor;

/** Takes the tensors of a verified case, to look at them elsewhere. */
@FunctionalInterface
public interface TensorDump {
    /**
     * Takes one tensor.
     *
     * @param name case, role and origin: {@code conv2d-fprop-fp32-name-exact-y-engine}
     * @param tensor plain NCHW; a null type means fp64
     */
    void write(String name, Tensor tensor);
}
