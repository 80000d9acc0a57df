/**
 * Memory planned before it is allocated: tensors with lifetimes, packed into one arena whose size is the prediction; and the way between it and
 * the host's arrays.
 */
@NullMarked
package io.github.jcuconv.memory;

import org.jspecify.annotations.NullMarked;
