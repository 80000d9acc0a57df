package io.github.jcuconv.data;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPOutputStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The way from a gzipped IDX file to decoded batches of 128, over 10,000 drawn digits of 28x28. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class LoadingBenchmark {
    private static final int IMAGES = 10_000;
    private static final int BATCH = 128;
    private static final int IDX_IMAGES = 0x803;

    private Dataset digits;
    private Batches batches;
    private Path file;
    private long epoch;
    private Prefetch prefetch;

    /** Draws the digits, and writes them as the IDX file to read. */
    @Setup
    public void draw() throws IOException {
        digits = Digits.make(1, IMAGES, BATCH);
        batches = Batches.shuffled(digits, BATCH, 1);
        file = Files.createTempFile("jmh", "-images-idx3-ubyte.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
            ByteBuffer header = ByteBuffer.allocate(16).putInt(IDX_IMAGES).putInt(IMAGES);
            out.write(header.putInt(Images.SIZE).putInt(Images.SIZE).array());
            byte[] image = new byte[Images.SIZE * Images.SIZE];
            for (int i = 0; i < IMAGES; i++) {
                digits.train().image(i).get(image);
                out.write(image);
            }
        }
    }

    /** One file of 10,000 images, from disk (cached) to bytes. */
    @Benchmark
    public Object decode_idx() {
        return Idx.readImages(file);
    }

    /** One batch decoded to float in the calling thread; a new epoch begins when one ends. */
    @Benchmark
    public FloatBuffer decode_batch(Buffers into) {
        if (!batches.hasNext()) {
            batches.startEpoch(++epoch);
        }
        batches.next(into.x, into.labels);
        return into.x;
    }

    /** One batch taken from the thread that decodes ahead, by a consumer who does nothing else. */
    @Benchmark
    public Prefetch.Batch prefetch() {
        Prefetch.Batch batch = prefetch == null ? null : prefetch.next();
        while (batch == null) {
            close();
            batches.startEpoch(++epoch);
            prefetch = new Prefetch(batches, FloatBuffer::allocate);
            batch = prefetch.next();
        }
        return batch;
    }

    /** Ends the thread that decodes ahead. */
    @TearDown
    public void tearDown() throws IOException {
        close();
        Files.delete(file);
    }

    private void close() {
        if (prefetch != null) {
            prefetch.close();
        }
    }

    /** Where a batch is decoded to. */
    @State(Scope.Thread)
    public static class Buffers {
        private final FloatBuffer x = FloatBuffer.allocate(BATCH * Images.SIZE * Images.SIZE);
        private final IntBuffer labels = IntBuffer.allocate(BATCH);
    }
}
