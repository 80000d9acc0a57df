/**
 * The engines {@code cuda} and {@code emulated}: our own kernels on a GPU, and the same kernels run by the CPU. One Java code over two builds of
 * one C API; the only public class is {@link io.github.jcuconv.cuda.JCudaInterop}.
 *
 * <p>Memory of these engines is not visible to the host: fill and read it through a {@link io.github.jcuconv.Stream}. Activations are NHWC and
 * filters KRSC; {@link io.github.jcuconv.op.Reorder} takes and gives both plain layouts. Executions are queued and return at once.
 */
@NullMarked
package io.github.jcuconv.cuda;

import org.jspecify.annotations.NullMarked;
