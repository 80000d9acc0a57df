/** The command line: one class per command, a base class with the common options, and {@link io.github.jcuconv.cli.TrainRun} apart from printing. */
@NullMarked
package io.github.jcuconv.cli;

import org.jspecify.annotations.NullMarked;
