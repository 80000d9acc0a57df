package io.github.jcuconv.op;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.testing.Engines;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Chains of steps as in a training, and what a skipped step leaves alone. */
class StepControlTest {
    private static final int RATES = 5;
    private static final int GROWTH = 3;
    private static final float[] BETA1 = {0.9f, 0.5f};
    private static final float BETA2 = 0.999f;

    static java.util.stream.Stream<String> engines() {
        return Engines.availableAndLate().stream();
    }

    /** Memory of an engine that this test reads and writes through copies. */
    private record Region(Memory memory, Stream stream) {
        static Region of(Engine engine, Stream stream, long bytes) {
            return new Region(engine.allocate(bytes), stream);
        }

        private static ByteBuffer direct(long bytes) {
            return ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.nativeOrder());
        }

        void write(int... words) {
            ByteBuffer buffer = direct(memory.bytes());
            buffer.asIntBuffer().put(words);
            stream.upload(buffer, memory);
            stream.synchronize();
        }

        void write(float... numbers) {
            int[] words = new int[numbers.length];
            for (int i = 0; i < words.length; i++) {
                words[i] = Float.floatToRawIntBits(numbers[i]);
            }
            write(words);
        }

        ByteBuffer read() {
            ByteBuffer buffer = direct(memory.bytes());
            stream.download(memory, buffer);
            stream.synchronize();
            return buffer;
        }
    }

    /** Forty steps with overflows, among them the first two, from just before the carry into the high halves. */
    @ParameterizedTest
    @MethodSource("engines")
    void a_chain_of_steps_counts_like_a_ledger(String name) {
        StepControl op = new StepControl(RATES, 2, true, GROWTH);
        Random random = new Random(3);
        try (Engine engine = Engines.open(name);
                Stream stream = engine.newStream();
                Plan plan = engine.plan(PlanRequest.of(op, Pass.UPDATE))) {
            Region flag = Region.of(engine, stream, 4);
            Region rates = Region.of(engine, stream, 4 * RATES);
            Region counters = Region.of(engine, stream, 4 * StepControl.COUNTERS);
            Region scale = Region.of(engine, stream, 4);
            Region seed = Region.of(engine, stream, 16);
            Region hyper = Region.of(engine, stream, 8 * Hyper.COUNT);
            Arguments args = new Arguments()
                    .set(Arg.FLAG, flag.memory())
                    .set(Arg.RATES, rates.memory())
                    .set(Arg.COUNTERS, counters.memory())
                    .set(Arg.LOSS_SCALE, scale.memory())
                    .set(Arg.SEED, seed.memory())
                    .set(Arg.HYPER, hyper.memory());
            rates.write(0.5f, 0.4f, 0.3f, 0.2f, 0.1f);
            for (long start : new long[] {0, 0xFFFFFFF0L}) {
                long updates = start;
                int good = 0;
                double expectedScale = 4;
                counters.write((int) start, 0, (int) start, 0, 0, 2, 0, 77);
                scale.write(4f);
                seed.write(11, 12, (int) start, 0);
                hyper.write(rows());
                for (long step = start; step < start + 40; step++) {
                    boolean overflow = step < start + 2 || random.nextInt(6) == 0;
                    flag.write(overflow ? 1 : 0);
                    plan.execute(args, null, stream);
                    updates += overflow ? 0 : 1;
                    double used = expectedScale;
                    good = overflow ? 0 : good + 1;
                    if (overflow) {
                        expectedScale = Math.max(1, expectedScale / 2);
                    } else if (good == GROWTH) {
                        expectedScale *= 2;
                        good = 0;
                    }
                    long next = step + 1;
                    ByteBuffer c = counters.read();
                    String at = name + " step " + step;
                    assertEquals(next, c.getInt(0) & 0xFFFFFFFFL | (long) c.getInt(4) << 32, at);
                    assertEquals(updates, c.getInt(8) & 0xFFFFFFFFL | (long) c.getInt(12) << 32, at);
                    assertEquals(good, c.getInt(16), at);
                    assertEquals(2, c.getInt(20), at + ": the ranks stay");
                    assertEquals(overflow ? 0 : 1, c.getInt(24), at);
                    assertEquals(77, c.getInt(28), at + ": the reserved counter stays");
                    assertEquals(expectedScale, scale.read().getFloat(0), at);
                    ByteBuffer s = seed.read();
                    assertEquals(11, s.getInt(0), at);
                    assertEquals(12, s.getInt(4), at);
                    assertEquals((int) next, s.getInt(8), at);
                    assertEquals((int) (next >>> 32), s.getInt(12), at);
                    ByteBuffer h = hyper.read();
                    for (int row = 0; row < 2; row++) {
                        requireRow(at, h, row, step, updates, used, overflow);
                    }
                }
            }
        }
    }

    private static float[] rows() {
        float[] all = new float[2 * Hyper.COUNT];
        java.util.Arrays.fill(all, 42f);
        for (int row = 0; row < 2; row++) {
            all[row * Hyper.COUNT + Hyper.MOMENTUM] = BETA1[row];
            all[row * Hyper.COUNT + Hyper.BETA2] = BETA2;
        }
        return all;
    }

    private static void requireRow(
            String at, ByteBuffer h, int row, long step, long updates, double scale, boolean overflow) {
        int from = 4 * row * Hyper.COUNT;
        float[] table = {0.5f, 0.4f, 0.3f, 0.2f, 0.1f};
        assertEquals(table[(int) Math.min(step, RATES - 1)], h.getFloat(from), at);
        assertEquals((float) (1 / (2 * scale)), h.getFloat(from + 4 * Hyper.GRADIENT_SCALE), at);
        assertEquals(42f, h.getFloat(from + 4 * Hyper.WEIGHT_DECAY), at);
        assertEquals(BETA1[row], h.getFloat(from + 4 * Hyper.MOMENTUM), at);
        assertEquals(BETA2, h.getFloat(from + 4 * Hyper.BETA2), at);
        assertEquals(42f, h.getFloat(from + 4 * Hyper.EPS), at);
        double ulp = 0x1p-24;
        assertEquals(correction(BETA1[row], updates), h.getFloat(from + 4 * Hyper.CORRECTION1), ulp, at);
        assertEquals(correction(BETA2, updates), h.getFloat(from + 4 * Hyper.CORRECTION2), ulp, at);
        assertEquals(overflow ? 0f : 1f, h.getFloat(from + 4 * Hyper.APPLY), at);
    }

    /** By multiplication for few updates; beyond, the power has vanished. */
    private static double correction(float beta, long updates) {
        if (updates > 100_000) {
            return 1;
        }
        double power = 1;
        for (long i = 0; i < updates; i++) {
            power *= beta;
        }
        return 1 - power;
    }

    /** Numbers that no arithmetic returns as they were: NaN with a payload, a signalling NaN, -0, infinity, a subnormal. */
    @ParameterizedTest
    @MethodSource("engines")
    void a_skipped_update_changes_no_bit_of_weights_and_state(String name) {
        int[] odd = {0x7FC12345, 0x7F812345, 0x80000000, 0xFF800000, 1, 0x3F8ABCDE, 0x00700000};
        int count = 3000;
        int[] words = new int[count];
        for (int i = 0; i < count; i++) {
            words[i] = odd[i % odd.length];
        }
        for (OpDescriptor op : new OpDescriptor[] {
            new Sgd(count, false, DataType.FP32),
            new Sgd(count, true, DataType.BF16),
            new Adam(count, DataType.FP32),
            new Adam(count, DataType.BF16)
        }) {
            try (Engine engine = Engines.open(name);
                    Stream stream = engine.newStream();
                    Plan plan = engine.plan(PlanRequest.of(op, Pass.UPDATE))) {
                Arguments args = new Arguments();
                for (ArgSpec spec : op.arguments(Pass.UPDATE)) {
                    Region region = Region.of(
                            engine, stream, spec.dims().count() * spec.type().bytes());
                    args.set(spec.arg(), region.memory());
                    if (spec.arg() == Arg.HYPER) {
                        region.write(0.1f, 0.5f, 0.01f, 0.9f, 0.999f, 1e-8f, 0f, 0f, 0f);
                    } else if (spec.access() != ArgSpec.Access.OUT) {
                        region.write(words);
                    }
                }
                plan.execute(args, null, stream);
                for (ArgSpec spec : op.arguments(Pass.UPDATE)) {
                    ByteBuffer after = new Region(args.get(spec.arg()), stream).read();
                    if (spec.arg() == Arg.W_STORAGE) {
                        assertEquals((short) 0x3F8B, after.getShort(2 * 5), name + ": the rounded copy is written");
                    } else if (spec.arg() != Arg.HYPER) {
                        int[] found = new int[count];
                        after.asIntBuffer().get(found);
                        assertArrayEquals(words, found, name + " " + op.name() + " " + spec.arg());
                    }
                }
            }
        }
    }

    @Test
    void impossible_sizes_are_refused() {
        assertThrows(IllegalArgumentException.class, () -> new StepControl(0, 1, true, 1));
        assertThrows(IllegalArgumentException.class, () -> new StepControl(1, 0, true, 1));
        assertThrows(IllegalArgumentException.class, () -> new StepControl(1, StepControl.MOST_ROWS + 1, true, 1));
        assertThrows(IllegalArgumentException.class, () -> new StepControl(1, 1, true, 0));
    }
}
