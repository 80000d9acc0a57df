package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Memory;
import org.bytedeco.dnnl.stream;
import org.jspecify.annotations.Nullable;

/** One piece of a plan, with the mutable state of one execution at a time; each concurrent execution has its own. */
interface Step {
    /** Works on one slice of the batch; most plans have just slice 0. */
    void run(Arguments args, @Nullable Memory workspace, stream queue, int slice);

    /**
     * This step for the first slice of the batch only: what it makes serves all slices.
     */
    static Step once(Step step) {
        return new Once(step);
    }

    /** See {@link #once}. */
    record Once(Step step) implements Step {
        @Override
        public void run(Arguments args, @Nullable Memory workspace, stream queue, int slice) {
            if (slice == 0) {
                step.run(args, workspace, queue, 0);
            }
        }

        @Override
        public void close() {
            step.close();
        }
    }

    /** Releases native state. */
    default void close() {}
}
