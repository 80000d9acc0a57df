package io.github.jcuconv.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Writes arrays as NumPy's {@code .npy}, version 1.0, little-endian and row-major. */
public final class Npy {
    private Npy() {}

    /**
     * Writes float32.
     *
     * @throws IllegalArgumentException if the product of {@code shape} is not the number of values
     * @throws io.github.jcuconv.FileException if the file cannot be written
     */
    public static void write(Path file, float[] values, long... shape) {
        write(file, FloatBuffer.wrap(values), shape);
    }

    /** Writes the float32 from position to limit of a buffer; see {@link #write(Path, float[], long...)}. */
    public static void write(Path file, FloatBuffer values, long... shape) {
        byte[] header = header("<f4", values.remaining(), shape);
        NamedTensor data = NamedTensor.of("npy", values, shape);
        AtomicFiles.write(file, out -> {
            out.write(header);
            data.content().writeTo(out);
        });
    }

    /** Writes float64; see {@link #write(Path, float[], long...)}. */
    public static void write(Path file, double[] values, long... shape) {
        byte[] header = header("<f8", values.length, shape);
        AtomicFiles.write(file, out -> {
            out.write(header);
            writeDoubles(out, values);
        });
    }

    private static void writeDoubles(OutputStream out, double[] values) throws IOException {
        ByteBuffer eight = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        for (double value : values) {
            out.write(eight.putDouble(0, value).array());
        }
    }

    /** Magic, version, header length, header; padded so that the data starts at a multiple of 64 bytes. */
    private static byte[] header(String type, long count, long[] shape) {
        long product = 1;
        for (long size : shape) {
            product = Math.multiplyExact(product, size);
        }
        if (product != count) {
            throw new IllegalArgumentException(
                    "shape " + Arrays.toString(shape) + " has " + product + " elements, but " + count + " are given");
        }
        // Python writes a tuple of one as (3,).
        String sizes = Arrays.stream(shape).mapToObj(size -> size + ",").collect(Collectors.joining(" ", "(", ")"));
        String text = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + sizes + ", }";
        int length = (10 + text.length() + 1 + 63) / 64 * 64 - 10;
        ByteBuffer bytes = ByteBuffer.allocate(10 + length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.put((byte) 0x93)
                .put("NUMPY".getBytes(StandardCharsets.US_ASCII))
                .put((byte) 1)
                .put((byte) 0);
        bytes.putShort((short) length);
        bytes.put((text + " ".repeat(length - 1 - text.length()) + "\n").getBytes(StandardCharsets.US_ASCII));
        return bytes.array();
    }
}
