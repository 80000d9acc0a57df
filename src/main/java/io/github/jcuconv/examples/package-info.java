/** The questions of a CNN textbook, each answered by a short program that measures. Prints nothing: the command line shows findings. */
@NullMarked
package io.github.jcuconv.examples;

import org.jspecify.annotations.NullMarked;
