/**
 * The engine {@code onednn}: oneDNN on the CPU through JavaCPP's preset, and a few Java kernels for what oneDNN lacks or is too small for it.
 *
 * <p>{@link io.github.jcuconv.onednn.OnednnEngine} holds the table from (operation, pass) to a factory. A factory asks oneDNN for its own
 * layouts when it proposes, and fills a {@link io.github.jcuconv.onednn.PlanBuilder} with steps when it plans. fp16 is a storage format here:
 * a step converts to fp32 scratch in the workspace and back. bf16 runs natively where the CPU and the primitive have it, the same way otherwise.
 *
 * <p>Where oneDNN differs from the library's conventions: max-pool does not let NaN win over numbers in every implementation.
 */
@NullMarked
package io.github.jcuconv.onednn;

import org.jspecify.annotations.NullMarked;
