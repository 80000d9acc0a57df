package io.github.jcuconv.cudnn;

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
    /** Why cuDNN cannot do this very operation. */
    Optional<String> refusal(T op, Pass pass);

    /** A layout for each argument. */
    default Map<Arg, Layout> propose(T op, Pass pass, Map<Arg, Layout> known) {
        return Layouts.alike(op, pass, known);
    }

    /** Adds the calls. */
    void plan(PlanBuilder b, T op, Pass pass);
}
