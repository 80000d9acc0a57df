package io.github.jcuconv.onednn;

import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import java.util.Map;
import java.util.Optional;

/**
 * What the engine's table holds for an operation.
 *
 * @param <T> the operation
 */
interface Factory<T extends OpDescriptor> {
    /** Why this very operation cannot be planned. */
    default Optional<String> refusal(T op, Pass pass) {
        return Optional.empty();
    }

    /** A layout for each argument; those left out are plain. */
    Map<Arg, Layout> propose(OnednnEngine engine, T op, Pass pass, Map<Arg, Layout> known);

    /** Adds the steps. */
    void plan(PlanBuilder builder, T op, Pass pass);
}
