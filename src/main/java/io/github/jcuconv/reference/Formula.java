package io.github.jcuconv.reference;

import io.github.jcuconv.op.OpDescriptor;

/**
 * One element of an output as the textbook writes it.
 *
 * @param <D> the operation
 */
@FunctionalInterface
public interface Formula<D extends OpDescriptor> {
    /** The value at (n, c, h, w) of the output, not rounded. */
    double at(D op, Views t, int n, int c, int h, int w);
}
