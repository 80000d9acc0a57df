package peers;

import java.io.DataInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.zip.GZIPInputStream;

/**
 * One half (train or test) of an MNIST-like data set: 28x28 grey images and their labels, read from gzipped IDX files.
 */
public final class Idx {
    /** Pixels per image. */
    public static final int PIXELS = 28 * 28;

    private static final int IMAGES_MAGIC = 0x803;
    private static final int LABELS_MAGIC = 0x801;

    private final byte[] pixels;
    private final byte[] labels;

    private Idx(byte[] pixels, byte[] labels) {
        this.pixels = pixels;
        this.labels = labels;
    }

    /** Reads {@code train-*.gz} or {@code t10k-*.gz} of a folder. */
    public static Idx read(Path folder, String prefix) throws IOException {
        byte[] pixels = payload(folder.resolve(prefix + "-images-idx3-ubyte.gz"), IMAGES_MAGIC);
        byte[] labels = payload(folder.resolve(prefix + "-labels-idx1-ubyte.gz"), LABELS_MAGIC);
        if (pixels.length != labels.length * PIXELS) {
            throw new IOException(folder + ": " + prefix + " has " + pixels.length + " pixels for " + labels.length
                    + " labels; each label needs " + PIXELS);
        }
        return new Idx(pixels, labels);
    }

    private static byte[] payload(Path file, int magic) throws IOException {
        if (!Files.isReadable(file)) {
            throw new IOException(
                    file + " is missing; give the folder of the four gzipped IDX files with --data DIR, or "
                            + "install the Debian package dataset-fashion-mnist");
        }
        try (DataInputStream in = new DataInputStream(new GZIPInputStream(Files.newInputStream(file), 1 << 16))) {
            int found = in.readInt();
            if (found != magic) {
                throw new IOException(String.format(
                        "%s: magic number 0x%x, expected 0x%x: not the IDX file it claims", file, found, magic));
            }
            int size = in.readInt();
            if (magic == IMAGES_MAGIC) {
                size = Math.multiplyExact(size, Math.multiplyExact(in.readInt(), in.readInt()));
            }
            byte[] bytes = in.readNBytes(size);
            if (bytes.length != size) {
                throw new IOException(file + ": " + bytes.length + " bytes where the header promises " + size);
            }
            return bytes;
        }
    }

    public int size() {
        return labels.length;
    }

    /** The order of one epoch: a Fisher-Yates shuffle, the same in every peer for the same seed. */
    public int[] shuffled(long seed) {
        Random random = new Random(seed);
        int[] order = inOrder();
        for (int i = order.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int swap = order[i];
            order[i] = order[j];
            order[j] = swap;
        }
        return order;
    }

    public int[] inOrder() {
        int[] order = new int[labels.length];
        for (int i = 0; i < order.length; i++) {
            order[i] = i;
        }
        return order;
    }

    /**
     * Copies images {@code order[from..from+count)} scaled to [0, 1] into {@code x} and their labels into {@code y}.
     */
    public void batch(int[] order, int from, int count, float[] x, int[] y) {
        for (int i = 0; i < count; i++) {
            int image = order[from + i];
            y[i] = labels[image];
            for (int p = 0; p < PIXELS; p++) {
                x[i * PIXELS + p] = (pixels[image * PIXELS + p] & 0xff) * (1f / 255f);
            }
        }
    }
}
