package io.github.jcuconv.nn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.op.Arg;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One plan with the tensors that it works on. */
final class Step {
    final String name;
    final Plan plan;
    final Map<Arg, Value> bindings;
    final @Nullable Value workspace;
    private final Arguments arguments = new Arguments();
    private @Nullable Memory workspaceMemory;

    Step(String name, Plan plan, Map<Arg, Value> bindings, @Nullable Value workspace) {
        this.name = name;
        this.plan = plan;
        this.bindings = bindings;
        this.workspace = workspace;
    }

    void bind() {
        bindings.forEach((arg, value) -> arguments.set(arg, value.memory()));
        workspaceMemory = workspace == null ? null : workspace.memory();
    }

    void run(Stream stream) {
        plan.execute(arguments, workspaceMemory, stream);
    }
}
