package io.github.jcuconv.op;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.testing.Engines;
import io.github.jcuconv.testing.ShapeLists;
import io.github.jcuconv.verify.Descriptors;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@code supports} says is what {@code plan} does. */
class FeatureMatrixTest {
    static Stream<String> engines() {
        return Engines.availableAndLate().stream();
    }

    private static List<OpDescriptor> oneOfEach() {
        return Descriptors.names().stream()
                .map(name -> Descriptors.of(
                        name,
                        ShapeLists.read(ShapeLists.BY_OPERATION.get(name).get(0))
                                .get(1),
                        DataType.FP32))
                .toList();
    }

    @Test
    void everyOperationHasAListAndAnExample() {
        assertEquals(new TreeSet<>(Descriptors.names()), new TreeSet<>(ShapeLists.BY_OPERATION.keySet()));
        Set<Class<?>> classes = new HashSet<>(List.of(OpDescriptor.class.getPermittedSubclasses()));
        oneOfEach().forEach(op -> classes.remove(op.getClass()));
        assertEquals(Set.of(), classes, "operations that no test can name");
    }

    @Test
    void theReferenceRunsEverything() {
        try (Engine engine = Engine.open("reference")) {
            for (OpDescriptor op : oneOfEach()) {
                for (Pass pass : Pass.values()) {
                    assertEquals(
                            op.passes().contains(pass), engine.supports(op.getClass(), pass), op.name() + " " + pass);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void whatIsNotSupportedIsRefusedWithAReasonAndTheRestIsPlanned(String name) {
        try (Engine engine = Engines.open(name)) {
            for (OpDescriptor op : oneOfEach()) {
                for (Pass pass : op.passes()) {
                    PlanRequest request = PlanRequest.of(op, pass);
                    String what = name + " " + request;
                    if (engine.refusal(op, pass).isEmpty()) {
                        assertTrue(engine.supports(op.getClass(), pass), what);
                        PlanRequest proposed = request.layouts(engine.propose(op, pass, java.util.Map.of()));
                        try (var plan = engine.plan(proposed)) {
                            assertEquals(0, plan.workspaceBytes() % 256, what);
                            assertFalse(plan.algorithm().isBlank(), what);
                        }
                    } else {
                        UnsupportedException e = assertThrows(
                                UnsupportedException.class,
                                () -> engine.plan(request).close(),
                                what);
                        assertEquals(name, e.engine(), what);
                        assertFalse(e.rule().isBlank(), what);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void proposalsNameEveryArgumentAndNothingElse(String name) {
        try (Engine engine = Engines.open(name)) {
            for (OpDescriptor op : oneOfEach()) {
                for (Pass pass : op.passes()) {
                    if (engine.refusal(op, pass).isEmpty()) {
                        Set<Arg> named = new TreeSet<>(
                                engine.propose(op, pass, java.util.Map.of()).keySet());
                        Set<Arg> arguments = new TreeSet<>();
                        op.arguments(pass).forEach(spec -> arguments.add(spec.arg()));
                        assertEquals(arguments, named, name + " " + op.name() + " " + pass);
                    }
                }
            }
        }
    }
}
