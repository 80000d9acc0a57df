package io.github.jcuconv.onednn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.OutOfMemoryException;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Arenas above the 2 GiB that a buffer of the JVM holds. */
class LargeMemoryTest {
    private static final long BYTES = (1L << 31) + (1 << 20);
    private static final int SLACK = 256;

    @BeforeEach
    void oneDnnIsHere() {
        assumeTrue(new OnednnProvider().unavailable().isEmpty(), "not run: oneDNN is not available here");
    }

    @Test
    void tensors_beyond_2_gib_are_read_and_written_where_they_lie() {
        Dims dims = new Dims(1, 3, 5, 7);
        int count = (int) dims.count();
        try (Engine engine = Engine.open("onednn")) {
            long before = Pointer.totalBytes();
            Memory arena = engine.allocate(BYTES);
            assertEquals(BYTES + SLACK, engine.ledger().liveBytes());
            assertEquals(BYTES + SLACK, Pointer.totalBytes() - before, "JavaCPP's own counter");
            assertEquals(0, arena.address() % SLACK);
            assertFalse(arena.isHostVisible());
            long far = BYTES - 4L * count;
            Memory x = arena.slice(0, 4L * count);
            Memory x2 = arena.slice(1 << 20, 4L * count);
            Memory y = arena.slice(1 << 20, BYTES - (1 << 20)).slice(far - (1 << 20), 4L * count);
            assertEquals(arena.address() + far, y.address());
            for (int i = 0; i < count; i++) {
                assertEquals(0, y.buffer().asFloatBuffer().get(i), "zeroed");
                x.buffer().asFloatBuffer().put(i, i);
                x2.buffer().asFloatBuffer().put(i, 1000 * i);
            }
            try (Plan plan = engine.plan(PlanRequest.of(Add.of(dims), Pass.FWD));
                    Stream stream = engine.newStream()) {
                plan.execute(new Arguments().set(Arg.X, x).set(Arg.X2, x2).set(Arg.Y, y), null, stream);
                stream.synchronize();
            }
            for (int i = 0; i < count; i++) {
                assertEquals(1001 * i, y.buffer().asFloatBuffer().get(i));
                assertEquals(i, x.buffer().asFloatBuffer().get(i));
            }
            long with = Pointer.totalBytes();
            arena.close();
            assertEquals(0, engine.ledger().liveBytes());
            assertEquals(with - BYTES - SLACK, Pointer.totalBytes());
            assertThrows(IllegalStateException.class, y::buffer);
        }
    }

    @Test
    void too_much_is_an_answer_and_the_engine_goes_on() {
        assumeTrue(Pointer.maxBytes() > 0, "not run: JavaCPP has no limit here");
        long tooMuch = Pointer.maxBytes() + (1L << 31);
        try (Engine engine = Engine.open("onednn")) {
            OutOfMemoryException e = assertThrows(OutOfMemoryException.class, () -> engine.allocate(tooMuch));
            assertEquals(tooMuch + SLACK, e.requestedBytes());
            assertTrue(e.availableBytes() >= 0 && e.availableBytes() <= Pointer.maxBytes());
            assertTrue(e.getMessage().contains("javacpp.maxBytes"), e.getMessage());
            assertEquals(0, engine.ledger().liveBytes());
            engine.allocate(64).close();
        }
    }
}
