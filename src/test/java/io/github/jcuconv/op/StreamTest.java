package io.github.jcuconv.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Event;
import io.github.jcuconv.Graph;
import io.github.jcuconv.HostBuffer;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.testing.Engines;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Copies, events and graphs on every engine. */
class StreamTest {
    private static final int BYTES = 1 << 12;
    private static final Add SUM = Add.of(new Dims(1, 1, 1, BYTES / 4)).types(Types.of(DataType.FP32));

    static java.util.stream.Stream<String> engines() {
        return Engines.availableAndLate().stream();
    }

    private static byte[] read(Stream stream, Memory from) {
        ByteBuffer to = ByteBuffer.allocateDirect((int) from.bytes());
        stream.download(from, to);
        stream.synchronize();
        byte[] bytes = new byte[to.capacity()];
        to.get(0, bytes);
        return bytes;
    }

    private static byte[] numbers(int begin, int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) (begin + i * 7);
        }
        return bytes;
    }

    @ParameterizedTest
    @MethodSource("engines")
    void copiesMoveExactlyWhatRemainsAndKeepPositions(String name) {
        try (Engine engine = Engines.open(name);
                Stream stream = engine.newStream();
                Memory a = engine.allocate(1000);
                Memory b = engine.allocate(1500);
                HostBuffer host = engine.newHostBuffer(1200)) {
            ByteBuffer source = host.buffer();
            source.put(0, numbers(3, 1200)).position(100).limit(900);
            stream.fill(a, (byte) 0x11);
            stream.fill(b, (byte) 0x22);
            stream.upload(source, a.slice(50, 950));
            stream.copy(a, b.slice(256, 1244));
            byte[] bytes = read(stream, b);
            assertEquals(100, source.position());
            assertEquals(900, source.limit());
            for (int i = 0; i < 1500; i++) {
                int at = i - 256;
                int expected = at < 0 || at >= 1000 ? 0x22 : at < 50 || at >= 850 ? 0x11 : (byte) (3 + (at + 50) * 7);
                assertEquals(expected, bytes[i], "byte " + i);
            }
            ByteBuffer part = host.buffer().position(1000).limit(1010);
            stream.download(b.slice(256 + 50, 20), part);
            stream.synchronize();
            assertEquals(1000, part.position());
            byte[] ten = new byte[10];
            host.buffer().get(1000, ten);
            assertArrayEquals(numbers(3 + 100 * 7, 10), ten);
            byte[] beside = new byte[190];
            host.buffer().get(1010, beside);
            assertArrayEquals(numbers(3 + 1010 * 7, 190), beside);
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void wrongCopiesAreRefused(String name) {
        try (Engine engine = Engines.open(name);
                Engine other = Engines.open(name);
                Stream stream = engine.newStream();
                Memory a = engine.allocate(100);
                Memory foreign = other.allocate(100)) {
            ByteBuffer direct = ByteBuffer.allocateDirect(101);
            refused("must be direct", () -> stream.upload(ByteBuffer.allocate(4), a));
            refused("must be direct", () -> stream.download(a, ByteBuffer.allocate(4)));
            refused(
                    "read-only",
                    () -> stream.download(a, direct.asReadOnlyBuffer().limit(4)));
            refused("do not fit", () -> stream.upload(direct, a));
            refused("do not fit", () -> stream.download(a, direct));
            refused("do not fit", () -> stream.copy(a, a.slice(0, 99)));
            refused("overlap", () -> stream.copy(a.slice(0, 40), a.slice(39, 40)));
            refused("another engine", () -> stream.fill(foreign, (byte) 0));
            refused("another engine", () -> stream.copy(a, foreign.slice(0, 100)));
            refused("1 B to 2 GiB", () -> engine.newHostBuffer(0));
        }
    }

    private static void refused(String rule, Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(String.valueOf(message).contains(rule), message);
    }

    /** Sums on one stream what another one uploads later than it is asked for. */
    @ParameterizedTest
    @MethodSource("engines")
    void anEventOrdersTwoStreams(String name) {
        try (Engine engine = Engines.open(name);
                Sum sum = new Sum(engine);
                Stream loader = engine.newStream();
                Event loaded = engine.newEvent();
                Event read = engine.newEvent()) {
            for (int round = 1; round <= 3; round++) {
                loader.waitFor(read); // Not recorded in the first round: nothing to wait for.
                loader.upload(sum.constant(round), sum.x);
                loaded.record(loader);
                sum.stream.waitFor(loaded);
                sum.queue();
                read.record(sum.stream);
                assertEquals(round + 10, sum.firstOfY());
            }
            read.await();
            loader.synchronize();
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void eventsTellTheTimeBetweenThem(String name) {
        try (Engine engine = Engines.open(name);
                Engine other = Engines.open(name);
                Sum sum = new Sum(engine);
                Event begin = engine.newEvent();
                Event end = engine.newEvent();
                Event foreign = other.newEvent();
                Stream elsewhere = other.newStream()) {
            assertThrows(IllegalStateException.class, () -> end.secondsSince(begin));
            sum.stream.upload(sum.constant(1), sum.x);
            begin.record(sum.stream);
            sum.queue();
            assertThrows(IllegalStateException.class, () -> end.secondsSince(begin));
            end.record(sum.stream);
            double seconds = end.secondsSince(begin);
            assertTrue(seconds > 0 && seconds < 60, seconds + " s");
            assertEquals(seconds, end.secondsSince(begin));
            assertEquals(0, begin.secondsSince(end));
            foreign.record(elsewhere);
            assertThrows(IllegalArgumentException.class, () -> end.secondsSince(foreign));
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void aGraphRepeatsItsWorkOnWhatTheMemoryHoldsNow(String name) {
        try (Engine engine = Engines.open(name);
                Sum sum = new Sum(engine)) {
            if (!engine.capturesGraphs()) {
                assertThrows(UnsupportedException.class, () -> sum.stream.capture(() -> {}));
                return;
            }
            sum.stream.upload(sum.constant(1), sum.x);
            sum.stream.fill(sum.y, (byte) 0);
            sum.stream.synchronize();
            Graph graph = sum.stream.capture(sum::queue);
            assertEquals(0, sum.firstOfY(), "capture runs nothing");
            for (int round = 1; round <= 3; round++) {
                sum.stream.upload(sum.constant(round), sum.x);
                graph.launch(sum.stream);
                assertEquals(round + 10, sum.firstOfY());
            }
            sum.plan.close();
            sum.x2.close();
            graph.launch(sum.stream);
            assertEquals(13, sum.firstOfY(), "a graph keeps what it uses");
            graph.close();
            graph.close();
            assertThrows(IllegalStateException.class, () -> graph.launch(sum.stream));
        }
    }

    /** y = x + 10. */
    private static final class Sum implements AutoCloseable {
        final Plan plan;
        final Stream stream;
        final Memory x;
        final Memory x2;
        final Memory y;

        Sum(Engine engine) {
            plan = engine.plan(PlanRequest.of(SUM, Pass.FWD).layouts(engine.propose(SUM, Pass.FWD, Map.of())));
            stream = engine.newStream();
            x = engine.allocate(BYTES);
            x2 = engine.allocate(BYTES);
            y = engine.allocate(BYTES);
            stream.upload(constant(10), x2);
            stream.synchronize();
            assertEquals(0, plan.workspaceBytes());
        }

        ByteBuffer constant(float value) {
            ByteBuffer buffer = ByteBuffer.allocateDirect(BYTES).order(ByteOrder.nativeOrder());
            for (int i = 0; i < BYTES; i += 4) {
                buffer.putFloat(i, value);
            }
            return buffer;
        }

        void queue() {
            plan.execute(new Arguments().set(Arg.X, x).set(Arg.X2, x2).set(Arg.Y, y), null, stream);
        }

        float firstOfY() {
            byte[] bytes = read(stream, y);
            return ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getFloat(0);
        }

        @Override
        public void close() {
            stream.close();
            plan.close();
            x.close();
            x2.close();
            y.close();
        }
    }
}
