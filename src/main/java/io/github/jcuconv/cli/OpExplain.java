package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.Plan;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.verify.Descriptors;
import io.github.jcuconv.verify.ShapeLine;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** What an engine would run for a list of shapes, and why. Plans, and runs nothing. */
final class OpExplain {
    private OpExplain() {}

    static Map<String, Object> run(Command command, Engine engine, String op, String shapes, Precision precision) {
        Names.require("--op", op, Descriptors.names());
        List<Map<String, Object>> rows = new ArrayList<>();
        for (ShapeLine line : Settings.lines(op, shapes, precision)) {
            OpDescriptor descriptor = Descriptors.of(op, line, precision.storage());
            command.say(line.name() + "  " + line.shape());
            for (Pass pass : descriptor.passes()) {
                String name = pass.name().toLowerCase(Locale.ROOT);
                String refusal = engine.refusal(descriptor, pass).orElse("");
                String algorithm = "not run: " + refusal;
                String reason = "";
                if (refusal.isEmpty()) {
                    try (Plan plan = engine.plan(
                            PlanRequest.of(descriptor, pass).layouts(engine.propose(descriptor, pass, Map.of())))) {
                        algorithm = plan.algorithm();
                        reason = plan.reason();
                    }
                }
                command.say("  %-6s %s", name, algorithm);
                if (!reason.isEmpty()) {
                    command.say("         " + reason);
                }
                rows.add(Map.of("shape", line.shape(), "pass", name, "algorithm", algorithm, "reason", reason));
            }
        }
        return Map.of("op", op, "engine", engine.name(), "rows", rows);
    }
}
