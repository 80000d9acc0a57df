/**
 * The oracle: every operation as the formula of one output element, in fp64, rounded once. Slow on purpose, and read before any fast engine.
 */
@NullMarked
package io.github.jcuconv.reference;

import org.jspecify.annotations.NullMarked;
