/**
 * Operations as values. A descriptor is an immutable record that is validated once; {@link io.github.jcuconv.op.OpDescriptor#arguments} lists
 * the tensors of each pass; a {@link io.github.jcuconv.op.PlanRequest} adds layouts and limits. Knows no engine.
 */
@NullMarked
package io.github.jcuconv.op;

import org.jspecify.annotations.NullMarked;
