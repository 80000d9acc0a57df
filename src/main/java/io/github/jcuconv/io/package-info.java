/**
 * Files that outlive a run: JSON, safetensors, npy, atomic replacement and checkpoints made of them.
 *
 * <p>Readers trust no byte: every broken file ends in {@link io.github.jcuconv.CorruptFileException}. Writers never leave
 * a half-written file under its final name.
 */
@NullMarked
package io.github.jcuconv.io;

import org.jspecify.annotations.NullMarked;
