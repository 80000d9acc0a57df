/**
 * Runs an engine against the fp64 oracle: shape lists in, one verdict per case out. {@link io.github.jcuconv.verify.VerifyRun} serves the command
 * line, {@link io.github.jcuconv.verify.Verifier} the tests; {@link io.github.jcuconv.verify.Bounds} says how far a right result may be off.
 */
@NullMarked
package io.github.jcuconv.verify;

import org.jspecify.annotations.NullMarked;
