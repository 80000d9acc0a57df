package io.github.jcuconv.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * A tensor to be written: its data is asked for only while it is written, so that no second copy of a model is held.
 *
 * @param name unique within a file and not {@code __metadata__}
 * @param type element type
 * @param shape sizes, slowest first; empty for a scalar
 * @param content writes the elements, little-endian and in row-major order, exactly {@link #byteCount} bytes
 */
public record NamedTensor(String name, ElementType type, List<Long> shape, Content content) {
    /** Writes the elements of a tensor. */
    @FunctionalInterface
    public interface Content {
        /** Writes exactly the tensor's bytes. */
        void writeTo(OutputStream out) throws IOException;
    }

    /**
     * Checks name and shape.
     *
     * @throws IllegalArgumentException if the name is taken by the format, a size is negative or the bytes exceed 2^63
     */
    public NamedTensor {
        shape = List.copyOf(shape);
        if (name.equals(Safetensors.METADATA)) {
            throw new IllegalArgumentException("a tensor must not be called " + name);
        }
        byteCount(name, type, shape);
    }

    /** A tensor of float32 whose values are taken from position to limit of {@code data} when it is written. */
    public static NamedTensor of(String name, FloatBuffer data, long... shape) {
        NamedTensor tensor = new NamedTensor(name, ElementType.F32, sizes(shape), out -> write(data, out));
        requireBytes(tensor, 4L * data.remaining());
        return tensor;
    }

    /** A tensor whose little-endian bytes are taken from position to limit of {@code data} when it is written. */
    public static NamedTensor of(String name, ElementType type, ByteBuffer data, long... shape) {
        NamedTensor tensor = new NamedTensor(name, type, sizes(shape), out -> write(data, out));
        requireBytes(tensor, data.remaining());
        return tensor;
    }

    /** Bytes of all elements. */
    public long byteCount() {
        return byteCount(name, type, shape);
    }

    private static List<Long> sizes(long[] shape) {
        return Arrays.stream(shape).boxed().toList();
    }

    private static void requireBytes(NamedTensor tensor, long bytes) {
        if (tensor.byteCount() != bytes) {
            throw new IllegalArgumentException("tensor " + tensor.name + ": shape " + tensor.shape + " of "
                    + tensor.type + " needs " + tensor.byteCount() + " bytes, but its data has " + bytes);
        }
    }

    private static long byteCount(String name, ElementType type, List<Long> shape) {
        try {
            return Safetensors.byteCount(type, shape);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "tensor " + name + ": shape " + shape + " is no shape of fewer than 2^63 bytes", e);
        }
    }

    private static void write(FloatBuffer data, OutputStream out) throws IOException {
        ByteBuffer chunk = ByteBuffer.allocate(1 << 14).order(ByteOrder.LITTLE_ENDIAN);
        FloatBuffer floats = data.duplicate();
        while (floats.hasRemaining()) {
            int n = Math.min(floats.remaining(), chunk.capacity() / 4);
            chunk.clear();
            chunk.asFloatBuffer().put(floats.duplicate().limit(floats.position() + n));
            floats.position(floats.position() + n);
            out.write(chunk.array(), 0, 4 * n);
        }
    }

    private static void write(ByteBuffer data, OutputStream out) throws IOException {
        byte[] chunk = new byte[1 << 14];
        ByteBuffer bytes = data.duplicate();
        while (bytes.hasRemaining()) {
            int n = Math.min(bytes.remaining(), chunk.length);
            bytes.get(chunk, 0, n);
            out.write(chunk, 0, n);
        }
    }
}
