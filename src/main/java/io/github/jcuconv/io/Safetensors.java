package io.github.jcuconv.io;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/**
 * A safetensors file: the header's length as 8 bytes, the header as JSON, then the tensors' bytes without a gap.
 *
 * <p>An open file holds only the header; tensors are read on demand. Safe for use by several threads. Needs the optional
 * library gson.
 */
public final class Safetensors implements AutoCloseable {
    /** The header's key that is no tensor. */
    static final String METADATA = "__metadata__";

    static final int MAX_HEADER = 16 << 20;

    private final String source;
    private final Bytes bytes;
    private final SafetensorsHeader header;

    /** Random access to the file; tests put memory in its place, where millions of broken files cost little. */
    interface Bytes extends Closeable {
        /** As {@link FileChannel#read(ByteBuffer, long)}. */
        int read(ByteBuffer target, long position) throws IOException;

        /** Bytes in all. */
        long size() throws IOException;
    }

    private record FileBytes(FileChannel channel) implements Bytes {
        @Override
        public int read(ByteBuffer target, long position) throws IOException {
            return channel.read(target, position);
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    private Safetensors(String source, Bytes bytes, SafetensorsHeader header) {
        this.source = source;
        this.bytes = bytes;
        this.header = header;
    }

    /**
     * Opens a file and checks its header against its size.
     *
     * @throws FileException if it cannot be read
     * @throws CorruptFileException if its header breaks the format's rules, or the tensors do not fill it exactly
     */
    public static Safetensors open(Path file) {
        try {
            return open(new FileBytes(FileChannel.open(file, StandardOpenOption.READ)), file.toString());
        } catch (IOException e) {
            throw AtomicFiles.unreadable(file, e);
        }
    }

    static Safetensors open(Bytes bytes, String source) throws IOException {
        try {
            return new Safetensors(source, bytes, readHeader(bytes, source));
        } catch (IOException | RuntimeException e) {
            bytes.close();
            throw e;
        }
    }

    private static SafetensorsHeader readHeader(Bytes bytes, String source) throws IOException {
        long size = bytes.size();
        ByteBuffer lengthBytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
        if (size < 8) {
            throw SafetensorsHeader.corrupt(source, "it ends before its header (truncated)");
        }
        readFully(bytes, lengthBytes, 0, source);
        long length = lengthBytes.getLong(0);
        if (length < 0 || length > MAX_HEADER) {
            throw SafetensorsHeader.corrupt(
                    source,
                    "its header declares " + Long.toUnsignedString(length) + " bytes, but " + MAX_HEADER
                            + " is the limit");
        }
        if (length > size - 8) {
            throw SafetensorsHeader.corrupt(source, "it ends within its header (truncated)");
        }
        ByteBuffer json = ByteBuffer.allocate((int) length);
        readFully(bytes, json, 8, source);
        return SafetensorsHeader.parse(json.flip(), 8 + length, size, source);
    }

    private static void readFully(Bytes bytes, ByteBuffer target, long from, String source) throws IOException {
        long position = from;
        while (target.hasRemaining()) {
            int n = bytes.read(target, position);
            if (n < 0) {
                throw SafetensorsHeader.corrupt(source, "it ends early (truncated)");
            }
            position += n;
        }
    }

    /** Names of the tensors, in the order of the header. */
    public List<String> names() {
        return List.copyOf(header.tensors().keySet());
    }

    /** Whether there is a tensor of that name. */
    public boolean has(String name) {
        return header.tensors().containsKey(name);
    }

    /** The free-form text entries of the header. */
    public Map<String, String> metadata() {
        return header.metadata();
    }

    /**
     * The element type of a tensor.
     *
     * @throws CorruptFileException if there is no such tensor
     */
    public ElementType type(String name) {
        return entry(name).type();
    }

    /**
     * The sizes of a tensor, slowest first.
     *
     * @throws CorruptFileException if there is no such tensor
     */
    public List<Long> shape(String name) {
        return entry(name).shape();
    }

    /**
     * Bytes of a tensor.
     *
     * @throws CorruptFileException if there is no such tensor
     */
    public long byteCount(String name) {
        SafetensorsHeader.Entry entry = entry(name);
        return entry.end() - entry.begin();
    }

    private SafetensorsHeader.Entry entry(String name) {
        SafetensorsHeader.Entry entry = header.tensors().get(name);
        if (entry == null) {
            throw SafetensorsHeader.corrupt(source, "it has no tensor \"" + name + "\"");
        }
        return entry;
    }

    /**
     * Reads a tensor's little-endian bytes, filling {@code target} from its position to its limit.
     *
     * @param from first byte within the tensor, so that large tensors can be read in slices
     * @throws CorruptFileException if there is no such tensor, or the file has become shorter
     * @throws IllegalArgumentException if the slice exceeds the tensor
     */
    public void read(String name, long from, ByteBuffer target) {
        SafetensorsHeader.Entry entry = entry(name);
        long count = entry.end() - entry.begin();
        if (from < 0 || from > count || target.remaining() > count - from) {
            throw new IllegalArgumentException("tensor " + name + " has " + count + " bytes, but " + target.remaining()
                    + " are asked for from byte " + from);
        }
        try {
            readFully(bytes, target, header.dataStart() + entry.begin() + from, source);
        } catch (IOException e) {
            throw AtomicFiles.unreadable(Path.of(source), e);
        }
    }

    /**
     * Reads a whole tensor into a new little-endian buffer.
     *
     * @throws CorruptFileException if there is no such tensor
     * @throws IllegalArgumentException if it has 2 GiB or more: read that in slices
     */
    public ByteBuffer read(String name) {
        long count = byteCount(name);
        if (count > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("tensor " + name + " has " + count + " bytes: read it in slices");
        }
        ByteBuffer target = ByteBuffer.allocate((int) count);
        read(name, 0, target);
        return target.flip().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Reads a tensor of type F32.
     *
     * @throws CorruptFileException if there is no such tensor, or it is of another type
     */
    public float[] readFloats(String name) {
        if (type(name) != ElementType.F32) {
            throw SafetensorsHeader.corrupt(source, "tensor \"" + name + "\" is " + type(name) + ", but F32 is needed");
        }
        ByteBuffer raw = read(name);
        float[] values = new float[raw.remaining() / 4];
        raw.asFloatBuffer().get(values);
        return values;
    }

    /**
     * Reads a tensor of type F32 and of this shape.
     *
     * @param shape the sizes that it must have, slowest first
     * @throws CorruptFileException if there is no such tensor, or it is of another type or shape
     */
    public float[] readFloats(String name, List<Long> shape) {
        if (!shape(name).equals(shape)) {
            throw SafetensorsHeader.corrupt(
                    source, "tensor \"" + name + "\" has the shape " + shape(name) + ", but " + shape + " is needed");
        }
        return readFloats(name);
    }

    /** Closes the file; harmless when called again. */
    @Override
    public void close() {
        try {
            bytes.close();
        } catch (IOException e) {
            throw AtomicFiles.unreadable(Path.of(source), e);
        }
    }

    /**
     * Writes tensors in the given order; each one's content is asked for when its turn comes.
     *
     * @param metadata free-form text entries, may be empty
     * @throws IllegalArgumentException if two tensors share a name or the header exceeds 16 MiB
     * @throws IllegalStateException if a tensor writes more or fewer bytes than its shape says
     * @throws IOException if {@code out} fails
     */
    public static void write(OutputStream out, Map<String, String> metadata, List<NamedTensor> tensors)
            throws IOException {
        SafetensorsWriter.write(out, metadata, tensors);
    }

    /** Bytes of a shape; throws ArithmeticException for a negative size or an overflow. */
    static long byteCount(ElementType type, List<Long> shape) {
        long count = 1;
        for (Long size : shape) {
            if (size < 0) {
                throw new ArithmeticException("negative size");
            }
            count = Math.multiplyExact(count, size);
        }
        return Math.multiplyExact(count, (long) type.bytes());
    }
}
