package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Memory;
import org.bytedeco.dnnl.stream;
import org.jspecify.annotations.Nullable;

/** One piece of a plan, with the mutable state of one execution at a time; each concurrent execution has its own. */
interface Step {
    void run(Arguments args, @Nullable Memory workspace, stream queue);

    /** Releases native state. */
    default void close() {}
}
