package io.github.jcuconv.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Window;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ReferenceConvTest {
    private static final Dims X = new Dims(1, 1, 3, 3);

    private static Memory floats(Engine engine, float... values) {
        Memory memory = engine.allocate(values.length * 4L);
        memory.buffer().asFloatBuffer().put(values);
        return memory;
    }

    private static float[] floats(Memory memory) {
        float[] values = new float[(int) (memory.bytes() / 4)];
        memory.buffer().asFloatBuffer().get(values);
        return values;
    }

    @Test
    void correlatesWithoutFlippingTheFilter() {
        Conv2d op = Conv2d.of(X, 1, Window.of(2, 2)).epilogue(Epilogue.BIAS);
        try (Engine engine = Engine.open("reference");
                Stream stream = engine.newStream();
                Plan plan = engine.plan(PlanRequest.of(op, Pass.FPROP))) {
            Memory y = floats(engine, new float[4]);
            Arguments args = new Arguments()
                    .set(Arg.X, floats(engine, 1, 2, 3, 4, 5, 6, 7, 8, 9))
                    .set(Arg.W, floats(engine, 1, 0, 0, 10))
                    .set(Arg.BIAS, floats(engine, 0.5f))
                    .set(Arg.Y, y);
            plan.execute(args, null, stream);
            stream.synchronize();
            assertArrayEquals(new float[] {51.5f, 62.5f, 84.5f, 95.5f}, floats(y));
        }
    }

    @Test
    void storesTheMaximumOfEachWholeWindow() {
        Conv2d op = Conv2d.of(X, 1, Window.of(1, 1)).epilogue(Epilogue.BIAS).maxPool(2, 1);
        try (Engine engine = Engine.open("reference");
                Stream stream = engine.newStream();
                Plan plan = engine.plan(PlanRequest.of(op, Pass.FPROP))) {
            Memory y = floats(engine, new float[3]);
            Arguments args = new Arguments()
                    .set(Arg.X, floats(engine, 1, 9, 3, 4, 5, Float.NaN, 7, 8, 9))
                    .set(Arg.W, floats(engine, 2))
                    .set(Arg.BIAS, floats(engine, 0.5f))
                    .set(Arg.Y, y);
            plan.execute(args, null, stream);
            stream.synchronize();
            assertArrayEquals(new float[] {8.5f, 18.5f, Float.NaN}, floats(y));
        }
    }

    @Test
    void poolsBehindStepsThatKeepTheOrderAndForwardAlone() {
        Conv2d op = Conv2d.of(X, 1, Window.of(1, 1)).maxPool(3, 2);
        assertEquals(List.of(Pass.FPROP), op.passes());
        assertEquals(new Dims(1, 1, 1, 1), op.y());
        assertThrows(IllegalArgumentException.class, () -> PlanRequest.of(op, Pass.DGRAD));
        assertThrows(IllegalArgumentException.class, () -> op.maxPool(4, 1));
        assertThrows(IllegalArgumentException.class, () -> op.maxPool(0, 1));
        for (Epilogue.Step step : List.of(Epilogue.Step.RESIDUAL, Epilogue.Step.TANH, Epilogue.Step.SCALE)) {
            assertThrows(IllegalArgumentException.class, () -> op.epilogue(Epilogue.BIAS.then(step)));
        }
        Epilogue reversed = Epilogue.NONE.then(Epilogue.Step.RELU).then(Epilogue.Step.BIAS);
        assertThrows(IllegalArgumentException.class, () -> op.epilogue(reversed));
    }

    @Test
    void padsOnlyTheSidesThatAreNamed() {
        Conv2d op = Conv2d.of(X, 1, Window.of(2, 2).stride(2, 1).pad(new Padding(0, 1, 0, 1)));
        try (Engine engine = Engine.open("reference");
                Stream stream = engine.newStream();
                Plan plan = engine.plan(PlanRequest.of(op, Pass.FPROP))) {
            Memory y = floats(engine, new float[6]);
            plan.execute(
                    new Arguments()
                            .set(Arg.X, floats(engine, 1, 2, 3, 4, 5, 6, 7, 8, 9))
                            .set(Arg.W, floats(engine, 1, 1, 1, 1))
                            .set(Arg.Y, y),
                    null,
                    stream);
            assertArrayEquals(new float[] {12, 16, 9, 15, 17, 9}, floats(y));
        }
    }

    @Test
    void refusesAForeignLayoutAndNamesTheArgument() {
        try (Engine engine = Engine.open("reference")) {
            PlanRequest request = PlanRequest.of(Conv2d.of(X, 1, Window.of(2, 2)), Pass.FPROP)
                    .layouts(Map.of(Arg.W, new Layout.Opaque("other", new Dims(1, 1, 2, 2), "blocked", 8)));
            String text = assertThrows(UnsupportedException.class, () -> engine.plan(request))
                    .getMessage();
            assertEquals(true, text.contains("W has the layout other:blocked"), text);
        }
    }
}
