package io.github.jcuconv.data;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

/**
 * An IDX file of unsigned bytes, plain or gzipped: a header of big-endian sizes, then the elements.
 *
 * @param dims the sizes, slowest first: {count} for labels, {count, height, width} for images
 * @param data the elements; as many as the product of {@code dims}
 */
record Idx(int[] dims, byte[] data) {
    /** No data set of this library comes near; a larger header is a broken or hostile file. */
    private static final long MAX_BYTES = 1L << 30;

    /** Deflate cannot expand further, so a header that asks for more lies; checked before anything is allocated. */
    private static final long MAX_EXPANSION = 1032;

    private static final String FIX = "delete it and fetch the file again";

    /** Reads images: magic 0x00000803, three sizes. */
    static Idx readImages(Path file) {
        return read(file, 3);
    }

    /** Reads labels: magic 0x00000801, one size. */
    static Idx readLabels(Path file) {
        return read(file, 1);
    }

    private static Idx read(Path file, int rank) {
        try (InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            raw.mark(2);
            boolean gzip = raw.read() == 0x1f && raw.read() == 0x8b;
            raw.reset();
            long onDisk = Files.size(file);
            if (gzip) {
                try (InputStream in = new GZIPInputStream(raw, 1 << 16)) {
                    return parse(file, in, rank, Math.min(MAX_BYTES, onDisk * MAX_EXPANSION));
                }
            }
            return parse(file, raw, rank, Math.min(MAX_BYTES, onDisk));
        } catch (EOFException e) {
            throw corrupt(file, "it ends early (truncated)");
        } catch (ZipException e) {
            throw corrupt(file, "its gzip data is damaged (" + e.getMessage() + ")");
        } catch (IOException e) {
            throw new FileException(file.toString(), "cannot be read: " + reason(e), "name a readable file", e);
        }
    }

    /** @param limit the most element bytes that the file's size on disk can hold */
    private static Idx parse(Path file, InputStream in, int rank, long limit) throws IOException {
        int magic = readInt(in);
        int expected = 0x800 | rank;
        if (magic != expected) {
            throw corrupt(file, String.format("its magic number is 0x%08x, but must be 0x%08x", magic, expected));
        }
        int[] dims = new int[rank];
        long size = 1;
        for (int i = 0; i < rank; i++) {
            dims[i] = readInt(in);
            if (dims[i] < 1) {
                throw corrupt(
                        file,
                        "size " + i + " in its header is " + (dims[i] & 0xffffffffL) + ", but must lie in 1.."
                                + Integer.MAX_VALUE);
            }
            // Stays below 2^61: size <= 2^30 before each product.
            size *= dims[i];
            if (size > MAX_BYTES) {
                throw corrupt(
                        file, "its header declares " + size + " bytes or more, but " + MAX_BYTES + " is the limit");
            }
        }
        if (size > limit) {
            throw corrupt(file, "its header declares " + size + " bytes, more than the file can hold (truncated)");
        }
        byte[] data = new byte[(int) size];
        if (in.readNBytes(data, 0, data.length) < data.length) {
            throw new EOFException();
        }
        if (in.read() != -1) {
            throw corrupt(file, "it goes on after the " + size + " bytes that its header declares");
        }
        return new Idx(dims, data);
    }

    private static int readInt(InputStream in) throws IOException {
        byte[] four = in.readNBytes(4);
        if (four.length < 4) {
            throw new EOFException();
        }
        return ByteBuffer.wrap(four).getInt();
    }

    /** SHA-256 (hex) of the uncompressed file: header and elements. */
    String sha256() {
        ByteBuffer header = ByteBuffer.allocate(4 + 4 * dims.length).putInt(0x800 | dims.length);
        for (int dim : dims) {
            header.putInt(dim);
        }
        MessageDigest digest = Hashes.sha256();
        digest.update(header.flip());
        digest.update(data);
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Joins images with their labels after checking that they belong together. */
    static Split join(Path imageFile, Idx images, Path labelFile, Idx labels, int classes) {
        if (images.dims[0] != labels.dims[0]) {
            throw corrupt(
                    labelFile,
                    "it holds " + labels.dims[0] + " labels, but " + imageFile + " holds " + images.dims[0]
                            + " images");
        }
        for (int i = 0; i < labels.data.length; i++) {
            if ((labels.data[i] & 0xff) >= classes) {
                throw corrupt(
                        labelFile, "label " + i + " is " + (labels.data[i] & 0xff) + ", but must be below " + classes);
            }
        }
        return new Split(images.data, labels.data, 1, images.dims[1], images.dims[2]);
    }

    static CorruptFileException corrupt(Path file, String rule) {
        return new CorruptFileException(file.toString(), rule, FIX);
    }

    /** A reason for people: the JDK's exceptions on files often carry only the path as message. */
    static String reason(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "no such file";
        }
        if (e instanceof UnknownHostException) {
            return "host name not found";
        }
        if (e instanceof FileAlreadyExistsException) {
            return "a file is in the place of a folder";
        }
        if (e instanceof AccessDeniedException) {
            return "access denied";
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Idx o && Arrays.equals(dims, o.dims) && Arrays.equals(data, o.data);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(dims) + Arrays.hashCode(data);
    }

    @Override
    public String toString() {
        return "Idx" + Arrays.toString(dims);
    }
}
