package io.github.jcuconv.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.HostBuffer;
import io.github.jcuconv.Memory;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.testing.Engines;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a training step and an inference really write, tensor by tensor, against the plan. Every tensor has a place of its own with a gap behind it.
 * The program runs twice, over two different fillings: a byte that keeps both was never written.
 */
class ExtentTest {
    private static final int GAP = 4096;
    private static final byte[] FILLINGS = {0x11, 0x22};
    /** A library's scratch has holes; it must not reach beyond its end. */
    private static final Set<Part> WITH_HOLES = EnumSet.of(Part.WORKSPACE);

    /** A tensor's place in the arena; {@code holes}: it need not be written everywhere. */
    private record Placed(String name, int offset, int bytes, boolean holes) {
        static Placed of(Value v, Memory arena) {
            boolean padded = v.request().paddingBytes() > v.gapBytes;
            int offset = Math.toIntExact(v.memory().address() - arena.address());
            return new Placed(v.name, offset, Math.toIntExact(v.bytes()), WITH_HOLES.contains(v.part) || padded);
        }
    }

    static Stream<Arguments> engines() {
        return TrainerTest.engines().map(Arguments::of);
    }

    static Stream<Arguments> enginesAndModels() {
        return TrainerTest.engines()
                .flatMap(e -> Stream.of("mnist-cnn", "peer-cnn", "lenet5").map(m -> Arguments.of(e, m)));
    }

    @ParameterizedTest
    @MethodSource("engines")
    void every_tensor_is_written_exactly_as_far_as_planned(String engineName) {
        for (Precision precision : Precision.values()) {
            requireExtents(engineName, TrainerTest.everything(), precision);
            requireExtents(engineName, TrainerTest.small(), precision);
        }
    }

    @Tag("full")
    @ParameterizedTest
    @MethodSource("enginesAndModels")
    void so_it_is_in_the_models_for_digits(String engineName, String model) {
        for (Precision precision : Precision.values()) {
            requireExtents(engineName, Models.get(model), precision);
        }
    }

    @Test
    void a_byte_behind_a_tensor_and_a_last_byte_left_out_are_seen() {
        byte[] written = new byte[64];
        byte[] again = new byte[64];
        Arrays.fill(written, FILLINGS[0]);
        Arrays.fill(again, FILLINGS[1]);
        Arrays.fill(written, 8, 24, (byte) 7);
        Arrays.fill(again, 8, 24, (byte) 7);
        assertEquals(List.of(), faults(List.of(new Placed("t", 8, 16, false)), written, again));
        assertNotEquals(List.of(), faults(List.of(new Placed("t", 8, 17, false)), written, again));
        assertNotEquals(List.of(), faults(List.of(new Placed("t", 8, 15, false)), written, again));
        assertNotEquals(List.of(), faults(List.of(new Placed("t", 9, 15, false)), written, again));
    }

    private static void requireExtents(String engineName, Network network, Precision precision) {
        List<byte[]> arenas = new ArrayList<>();
        List<Placed> tensors = List.of();
        for (byte filling : FILLINGS) {
            TrainerConfig config =
                    new TrainerConfig(2, precision, Optimizer.adam(), new Schedule.Constant(1e-3f), 10, 7);
            try (Engine engine = Engines.open(engineName);
                    Program program = Program.training(network, engine, config)) {
                Memory arena = program.allocateApart(GAP, filling);
                run(program, network);
                arenas.add(contents(engine, program, arena));
                tensors =
                        program.values().stream().map(v -> Placed.of(v, arena)).toList();
            }
        }
        assertTrue(tensors.size() > 20, "tensors of a training");
        assertEquals(
                List.of(),
                faults(tensors, arenas.get(0), arenas.get(1)),
                engineName + " " + network.name() + " " + precision);
    }

    /** As a trainer does: initial weights, a step, then an inference. */
    private static void run(Program program, Network network) {
        Transfer transfer = new Transfer(program);
        int index = 0;
        for (Weights.Entry entry : program.weights.entries().values()) {
            transfer.write(entry.master, entry.parameter.initial(7, index++));
        }
        transfer.refreshCopy();
        Objects.requireNonNull(program.control).begin(program.link());
        float[] x = new float[(int) network.input().withN(program.batch).count()];
        for (int i = 0; i < x.length; i++) {
            x[i] = (i * 37 % 101) / 101f;
        }
        Value labels = Objects.requireNonNull(program.labels);
        program.link().write(Objects.requireNonNull(program.input).memory(), x);
        program.link().write(labels.memory(), new int[(int) labels.dims.count()]);
        program.launch(program.step);
        program.link().write(program.inferenceInput.memory(), x);
        program.launch(program.inference);
        program.stream().synchronize();
    }

    private static byte[] contents(Engine engine, Program program, Memory arena) {
        byte[] all = new byte[(int) arena.bytes()];
        try (HostBuffer host = engine.newHostBuffer(arena.bytes())) {
            ByteBuffer buffer = host.buffer();
            program.stream().download(arena, buffer);
            program.stream().synchronize();
            buffer.get(0, all);
        }
        return all;
    }

    /** Tensors that were not written to their last byte, and bytes written outside all of them. */
    private static List<String> faults(List<Placed> tensors, byte[] first, byte[] second) {
        List<String> faults = new ArrayList<>();
        boolean[] inside = new boolean[first.length];
        for (Placed tensor : tensors) {
            int untouched = 0;
            for (int at = tensor.offset; at < tensor.offset + tensor.bytes; at++) {
                inside[at] = true;
                untouched += isUntouched(first[at], second[at]) ? 1 : 0;
            }
            if (untouched > 0 && !tensor.holes) {
                faults.add(tensor.name + ": " + untouched + " of " + tensor.bytes + " B never written");
            }
        }
        for (int at = 0; at < first.length; at++) {
            if (!inside[at] && !isUntouched(first[at], second[at])) {
                faults.add("byte " + at + " lies in no tensor and was written");
                break;
            }
        }
        return faults;
    }

    private static boolean isUntouched(byte first, byte second) {
        return first == FILLINGS[0] && second == FILLINGS[1];
    }
}
