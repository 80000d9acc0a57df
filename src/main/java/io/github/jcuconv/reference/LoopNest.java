package io.github.jcuconv.reference;

import io.github.jcuconv.op.OpDescriptor;

/**
 * A pass as a whole, for operations whose outputs share sums.
 *
 * @param <D> the operation
 */
@FunctionalInterface
interface LoopNest<D extends OpDescriptor> {
    void run(D op, Views t);
}
