/**
 * The whole contract between operations and engines: {@link io.github.jcuconv.spi.EngineProvider} finds an engine,
 * {@link io.github.jcuconv.spi.EngineSpi} proposes layouts, plans and allocates, {@link io.github.jcuconv.spi.PlanSpi} runs.
 *
 * <p>Decisions that are costly to change:
 *
 * <ul>
 *   <li>A plan is an immutable value-keyed object without per-execution memory. Scratch is one region given by the caller.
 *   <li>{@code propose} takes the layouts that are settled already and answers with one layout per argument. (A ranked list was considered:
 *       engines rank by what the neighbours hold, which is just what the settled layouts tell them.)
 *   <li>An opaque layout names its engine, its shape and its padded size; types are apart from layouts, so that the 16-bit and the fp32 form of
 *       one arrangement share a layout. A channel pitch, once an engine needs one, is a further kind of layout.
 *   <li>Arguments are roles ({@link io.github.jcuconv.op.Arg}); memory comes as {@link io.github.jcuconv.Memory}, checked once when it was
 *       allocated or wrapped. Engines read its address or its host buffer.
 *   <li>dgrad, wgrad and dbias are separate plans; overwrite or accumulate is said in the request; wgrad also writes dbias where the
 *       descriptor's epilogue has a bias, since one pass over dy serves both.
 *   <li>Numbers that change from step to step (learning rate, loss scale, seeds) are read from memory, not from the plan.
 * </ul>
 */
@NullMarked
package io.github.jcuconv.spi;

import org.jspecify.annotations.NullMarked;
