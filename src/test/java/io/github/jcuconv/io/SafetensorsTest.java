package io.github.jcuconv.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
    @TempDir
    Path folder;

    private static final float[] VALUES = {1f, -0f, Float.NaN, Float.MIN_VALUE, Float.POSITIVE_INFINITY, 6f};

    private static byte[] sample() {
        List<NamedTensor> tensors = new ArrayList<>();
        tensors.add(NamedTensor.of("conv1.w", FloatBuffer.wrap(VALUES), 2, 3));
        int n = 1;
        for (ElementType type : ElementType.values()) {
            tensors.add(NamedTensor.of("t" + type, type, ByteBuffer.wrap(ramp(type.bytes() * n)), n));
            n++;
        }
        tensors.add(NamedTensor.of("scalar", ElementType.I64, ByteBuffer.wrap(ramp(8))));
        tensors.add(NamedTensor.of("empty", ElementType.F16, ByteBuffer.allocate(0), 3, 0));
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            Safetensors.write(out, Map.of("made by", "a test"), tensors);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return out.toByteArray();
    }

    private static byte[] ramp(int n) {
        byte[] bytes = new byte[n];
        for (int i = 0; i < n; i++) {
            bytes[i] = (byte) (i + n);
        }
        return bytes;
    }

    private Path file(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("x.safetensors"), bytes);
    }

    private static byte[] with(String header, int dataBytes) {
        byte[] text = header.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(8 + text.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(text.length)
                .put(text)
                .array();
    }

    private void assertCorrupt(byte[] bytes, String rule) throws IOException {
        Path file = file(bytes);
        String message = assertThrows(
                        CorruptFileException.class, () -> Safetensors.open(file).close())
                .getMessage();
        assertTrue(message.startsWith(file + ": ") && message.contains(rule), message);
    }

    private static String tensor(String name, String type, String shape, long begin, long end) {
        return "\"" + name + "\":{\"dtype\":\"" + type + "\",\"shape\":[" + shape + "],\"data_offsets\":[" + begin + ","
                + end + "]}";
    }

    @Test
    void everyTypeComesBackBitForBit() throws IOException {
        try (Safetensors file = Safetensors.open(file(sample()))) {
            assertEquals("conv1.w", file.names().get(0));
            assertEquals(List.of(2L, 3L), file.shape("conv1.w"));
            float[] values = file.readFloats("conv1.w");
            for (int i = 0; i < VALUES.length; i++) {
                assertEquals(Float.floatToRawIntBits(VALUES[i]), Float.floatToRawIntBits(values[i]));
            }
            int n = 1;
            for (ElementType type : ElementType.values()) {
                assertEquals(type, file.type("t" + type));
                assertArrayEquals(ramp(type.bytes() * n), file.read("t" + type).array());
                n++;
            }
            assertEquals(List.of(), file.shape("scalar"));
            assertEquals(0, file.byteCount("empty"));
            assertEquals(Map.of("made by", "a test"), file.metadata());
            ByteBuffer slice = ByteBuffer.allocate(4);
            file.read("conv1.w", 20, slice);
            assertEquals(6f, slice.order(ByteOrder.LITTLE_ENDIAN).getFloat(0));
            assertThrows(IllegalArgumentException.class, () -> file.read("conv1.w", 21, ByteBuffer.allocate(4)));
            assertThrows(CorruptFileException.class, () -> file.read("none"));
            assertThrows(CorruptFileException.class, () -> file.readFloats("tF16"));
        }
    }

    @Test
    void theDataStartsAtAMultipleOfEight() {
        byte[] bytes = sample();
        assertEquals(0, ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0) % 8);
    }

    /** The layout that the format's own documentation shows, byte for byte ours to read. */
    @Test
    void readsAFileThatAnotherWriterMade() throws IOException {
        String header = "{\"b\":{\"shape\":[1],\"data_offsets\":[4,6],\"dtype\":\"BF16\"},"
                + tensor("a", "F32", "1,1", 0, 4) + "}   ";
        try (Safetensors file = Safetensors.open(file(with(header, 6)))) {
            assertEquals(List.of("b", "a"), file.names());
            assertEquals(List.of(1L, 1L), file.shape("a"));
        }
    }

    @Test
    void everyTruncation() throws IOException {
        byte[] bytes = sample();
        for (int n = 0; n < bytes.length; n += 1 + n / 64) {
            assertCorrupt(Arrays.copyOf(bytes, n), "");
        }
        assertCorrupt(Arrays.copyOf(bytes, bytes.length + 1), "follow its header");
    }

    @Test
    void headersThatLieAboutTheirLength() throws IOException {
        for (long length : new long[] {-1, Long.MIN_VALUE, (16 << 20) + 1, Long.MAX_VALUE}) {
            byte[] bytes = sample();
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, length);
            assertCorrupt(bytes, "is the limit");
        }
        byte[] bytes = sample();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, bytes.length);
        assertCorrupt(bytes, "within its header");
        assertCorrupt(with("", 0), "must start with {");
        assertCorrupt(with(" {}", 0), "must start with {");
    }

    @Test
    void gapsOverlapsAndMismatchedSizes() throws IOException {
        assertCorrupt(with("{" + tensor("a", "F32", "1", 4, 8) + "}", 8), "without gap or overlap");
        assertCorrupt(
                with("{" + tensor("a", "F32", "1", 0, 4) + "," + tensor("b", "F32", "1", 5, 9) + "}", 9),
                "without gap");
        assertCorrupt(
                with("{" + tensor("a", "F32", "2", 0, 8) + "," + tensor("b", "F32", "2", 4, 12) + "}", 12),
                "without gap");
        assertCorrupt(
                with("{" + tensor("a", "F32", "1", 0, 4) + "," + tensor("b", "F32", "1", 0, 4) + "}", 4),
                "without gap");
        assertCorrupt(with("{" + tensor("a", "F32", "1", 0, 4) + "}", 5), "but 5 follow");
        assertCorrupt(with("{" + tensor("a", "F32", "2", 0, 4) + "}", 4), "needs 8 bytes");
        assertCorrupt(with("{" + tensor("a", "F32", "1", 4, 0) + "}", 4), "needs 4 bytes");
    }

    @Test
    void shapesThatOverflow() throws IOException {
        // 2^32 * 2^32 * 4 is 0 modulo 2^64, and so would fit zero bytes.
        assertCorrupt(with("{" + tensor("a", "F32", "4294967296,4294967296", 0, 0) + "}", 0), "2^63");
        assertCorrupt(with("{" + tensor("a", "I64", "1152921504606846976", 0, 0) + "}", 0), "2^63");
        assertCorrupt(with("{" + tensor("a", "F32", "-1", 0, 0) + "}", 0), "sizes >= 0");
        assertCorrupt(with("{" + tensor("a", "F32", "1.0", 0, 4) + "}", 4), "sizes >= 0");
    }

    @Test
    void entriesOfTheWrongForm() throws IOException {
        assertCorrupt(with("{" + tensor("a", "F64", "1", 0, 8) + "}", 8), "one of the types");
        assertCorrupt(with("{\"a\":1}", 0), "exactly dtype");
        assertCorrupt(with("{\"a\":{\"dtype\":\"F32\",\"shape\":[0]}}", 0), "exactly dtype");
        assertCorrupt(with("{\"__metadata__\":{\"a\":1}}", 0), "object of strings");
        assertCorrupt(
                with("{" + tensor("a", "U8", "0", 0, 0) + "," + tensor("a", "U8", "0", 0, 0) + "}", 0),
                "repeats the key");
    }

    @Test
    void aMissingFile() {
        assertThrows(FileException.class, () -> Safetensors.open(folder.resolve("none"))
                .close());
    }

    @Test
    void writersMistakes() {
        FloatBuffer two = FloatBuffer.allocate(2);
        assertThrows(IllegalArgumentException.class, () -> NamedTensor.of("a", two, 3));
        assertThrows(IllegalArgumentException.class, () -> NamedTensor.of("__metadata__", two, 2));
        assertThrows(
                IllegalArgumentException.class,
                () -> new NamedTensor("a", ElementType.F32, List.of(1L << 32, 1L << 32), out -> {}));
        NamedTensor tensor = NamedTensor.of("a", two, 2);
        assertThrows(
                IllegalArgumentException.class,
                () -> Safetensors.write(new ByteArrayOutputStream(), Map.of(), List.of(tensor, tensor)));
        NamedTensor liar = new NamedTensor("b", ElementType.U8, List.of(3L), out -> out.write(new byte[2]));
        assertThrows(
                IllegalStateException.class,
                () -> Safetensors.write(new ByteArrayOutputStream(), Map.of(), List.of(liar)));
    }

    @Test
    void largeTensorsAreWrittenInChunksWithoutLoss() throws IOException {
        float[] values = new float[100_003];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Safetensors.write(out, Map.of(), List.of(NamedTensor.of("w", FloatBuffer.wrap(values), values.length)));
        try (Safetensors file = Safetensors.open(file(out.toByteArray()))) {
            assertArrayEquals(values, file.readFloats("w"));
        }
    }

    /** The mutator's files are small; these are as large as the limit lets them be. */
    @Test
    void hugeHeadersTakeTimeAndMemoryInProportion() throws IOException {
        long began = cpuNanos();
        assertCorrupt(with("{\"a\":" + "[".repeat(1 << 20), 0), "nested deeper");
        assertCorrupt(with("{\"" + "a".repeat(8 << 20) + "\":1}", 0), "exactly dtype");
        assertCorrupt(with("{" + tensor("a", "F32", "9".repeat(1 << 20), 0, 4) + "}", 4), "");
        assertCorrupt(with("{" + tensor("a", "F32", "1,".repeat(1 << 20) + "2", 0, 4) + "}", 4), "needs 8 bytes");
        StringBuilder header = new StringBuilder("{");
        for (int i = 0; i < 100_000; i++) {
            header.append(i == 0 ? "" : ",").append(tensor("t" + i, "U8", "0", 0, 0));
        }
        try (Safetensors file = Safetensors.open(file(with(header + "}", 0)))) {
            assertEquals(100_000, file.names().size());
        }
        assertTrue(cpuNanos() - began < 10 * MOST_NANOS, "took " + (cpuNanos() - began) + " ns");
    }

    @Test
    void mutatedFilesGiveNothingButCorruptFileException() throws IOException {
        fuzz(5, 20_000);
    }

    @Test
    @Tag("full")
    void manyMutatedFilesGiveNothingButCorruptFileException() throws IOException {
        fuzz(6, 1_000_000);
    }

    private record Memory(byte[] bytes) implements Safetensors.Bytes {
        @Override
        public int read(ByteBuffer target, long position) {
            if (position >= bytes.length) {
                return -1;
            }
            int n = (int) Math.min(target.remaining(), bytes.length - position);
            target.put(bytes, (int) position, n);
            return n;
        }

        @Override
        public long size() {
            return bytes.length;
        }

        @Override
        public void close() {}
    }

    /** For files of about a kilobyte, whatever sizes they claim. */
    private static final long MOST_BYTES = 1 << 20;

    private static final long MOST_NANOS = 1_000_000_000;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private static long allocated() {
        return THREADS.getThreadAllocatedBytes(Thread.currentThread().getId());
    }

    /** Not the clock's time, which the machine's other work lengthens. */
    private static long cpuNanos() {
        return THREADS.getCurrentThreadCpuTime();
    }

    private static void fuzz(long seed, int count) throws IOException {
        byte[] sample = sample();
        Random random = new Random(seed);
        int accepted = 0;
        long longest = 0;
        for (int i = 0; i < count; i++) {
            byte[] mutated = mutate(sample, random);
            long before = allocated();
            long began = cpuNanos();
            try (Safetensors file = Safetensors.open(new Memory(mutated), "fuzz")) {
                for (String name : file.names()) {
                    assertEquals(file.byteCount(name), file.read(name).remaining());
                }
                accepted++;
            } catch (CorruptFileException e) {
                // What a broken file must give.
            }
            long bytes = allocated() - before;
            assertTrue(bytes < MOST_BYTES, "input " + i + " took " + bytes + " B");
            longest = Math.max(longest, cpuNanos() - began);
        }
        assertTrue(longest < MOST_NANOS, "an input took " + longest + " ns");
        assertTrue(
                accepted > 0 && accepted < count * 3 / 4, accepted + " of " + count + " mutated files were accepted");
    }

    /** Flips bits, overwrites, cuts, repeats or removes pieces, mostly in the header. */
    private static byte[] mutate(byte[] sample, Random random) {
        byte[] bytes = sample.clone();
        int edits = 1 + random.nextInt(4);
        for (int e = 0; e < edits && bytes.length > 1; e++) {
            int at = random.nextInt(random.nextInt(4) == 0 ? bytes.length : Math.min(bytes.length, 700));
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) "0123456789{}[]\",:-e.".charAt(random.nextInt(20));
                case 2 -> bytes[at] = (byte) random.nextInt();
                case 3 -> bytes = Arrays.copyOf(bytes, random.nextInt(8) == 0 ? at : bytes.length);
                case 4 -> {
                    int n = Math.min(random.nextInt(20), bytes.length - at);
                    byte[] longer = Arrays.copyOf(bytes, bytes.length + n);
                    System.arraycopy(bytes, at, longer, at + n, bytes.length - at);
                    bytes = longer;
                }
                default -> {
                    int n = Math.min(random.nextInt(20), bytes.length - at);
                    System.arraycopy(bytes, at + n, bytes, at, bytes.length - at - n);
                    bytes = Arrays.copyOf(bytes, bytes.length - n);
                }
            }
        }
        return bytes;
    }
}
