/** A thin training loop over operations and engines: networks as values, layouts settled once, one arena, three calls a step. */
@NullMarked
package io.github.jcuconv.nn;

import org.jspecify.annotations.NullMarked;
