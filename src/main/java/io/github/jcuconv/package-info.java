/**
 * The convolution kernel library of the JVM: open an {@link io.github.jcuconv.Engine}, make a {@link io.github.jcuconv.Plan} from a descriptor of
 * {@code io.github.jcuconv.op}, bind {@link io.github.jcuconv.Memory} to its {@link io.github.jcuconv.Arguments}, execute on a
 * {@link io.github.jcuconv.Stream}.
 */
@NullMarked
package io.github.jcuconv;

import org.jspecify.annotations.NullMarked;
