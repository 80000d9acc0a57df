/**
 * Data sets for training: IDX files, the drawn {@code digits}, image files, shuffled batches and a background loader.
 *
 * <p>Images stay uint8 in plain NCHW until a batch is decoded, because a whole set in float32 would be four times as
 * large. Nothing here knows an engine: batches are decoded into buffers that the caller owns.
 */
@NullMarked
package io.github.jcuconv.data;

import org.jspecify.annotations.NullMarked;
