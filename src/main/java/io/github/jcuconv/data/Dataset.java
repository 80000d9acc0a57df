package io.github.jcuconv.data;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A named data set with a training and a test part. Immutable and safe to share between threads.
 *
 * <p>{@code mean} and {@code std} are the constants that {@link Batches} normalises with: (pixel / 255 - mean) / std.
 */
public final class Dataset {
    /** Keeps the draw of {@link #fold} apart from others of the same seed. */
    private static final long FOLDS = 0x464F4C44L;

    private final String name;
    private final Split train;
    private final Split test;
    private final List<String> labels;
    private final float mean;
    private final float std;
    private volatile @Nullable String sha256;

    /**
     * A data set of two parts with equal image shapes.
     *
     * @param name what reports call it, e.g. {@code mnist}
     * @param classes number of classes; every label must be below it
     * @param mean mean of the training pixels, in units of 255
     * @param std standard deviation of the training pixels, in units of 255, above 0
     * @throws IllegalArgumentException if shapes differ or a label is not below {@code classes}
     */
    public Dataset(String name, Split train, Split test, int classes, float mean, float std) {
        this(
                name,
                train,
                test,
                IntStream.range(0, classes).mapToObj(Integer::toString).toList(),
                mean,
                std);
    }

    /** The same with a name for each class, in the order of their numbers. */
    public Dataset(String name, Split train, Split test, List<String> labels, float mean, float std) {
        this.name = Objects.requireNonNull(name, "name");
        this.train = Objects.requireNonNull(train, "train");
        this.test = Objects.requireNonNull(test, "test");
        this.labels = List.copyOf(labels);
        this.mean = mean;
        this.std = std;
        if (train.channels() != test.channels() || train.height() != test.height() || train.width() != test.width()) {
            throw new IllegalArgumentException(name + ": training and test images differ in shape");
        }
        if (labels.isEmpty() || !(std > 0)) {
            throw new IllegalArgumentException(name + ": classes and std must be above 0");
        }
        requireLabelsBelow(train);
        requireLabelsBelow(test);
    }

    private void requireLabelsBelow(Split split) {
        for (int i = 0; i < split.count(); i++) {
            if (split.label(i) >= classes()) {
                throw new IllegalArgumentException(
                        name + ": label " + split.label(i) + " of image " + i + " must be below " + classes());
            }
        }
    }

    /** The name that reports carry. */
    public String name() {
        return name;
    }

    /** The part to train on. */
    public Split train() {
        return train;
    }

    /** The part to test on. */
    public Split test() {
        return test;
    }

    /**
     * One of {@code of} parts of the training images to validate on, the others to train on; the test images are in neither. Which image is in
     * which part follows from the seed, and every image is in exactly one.
     *
     * @param part from 0 to {@code of} - 1
     * @param of at least 2
     */
    public Dataset fold(int part, int of, long seed) {
        if (of < 2 || of > train.count() || part < 0 || part >= of) {
            throw new IllegalArgumentException(
                    name + ": part " + part + " of " + of + " does not exist for " + train.count() + " images");
        }
        int[] order = SplitMix64.of(seed, FOLDS, 0).permutation(train.count());
        return new Dataset(
                name,
                train.select(IntStream.range(0, order.length)
                        .filter(i -> i % of != part)
                        .map(i -> order[i])
                        .toArray()),
                train.select(IntStream.range(0, order.length)
                        .filter(i -> i % of == part)
                        .map(i -> order[i])
                        .toArray()),
                labels,
                mean,
                std);
    }

    /** Number of classes. */
    public int classes() {
        return labels.size();
    }

    /** The names of the classes: their numbers, where they have no other. */
    public List<String> labels() {
        return labels;
    }

    /** Mean of the training pixels in units of 255. */
    public float mean() {
        return mean;
    }

    /** Standard deviation of the training pixels in units of 255. */
    public float std() {
        return std;
    }

    /** SHA-256 (hex) over shapes, labels and pixels of both parts, computed at the first call and then kept. */
    public String sha256() {
        String known = sha256;
        if (known == null) {
            MessageDigest digest = Hashes.sha256();
            for (Split split : new Split[] {train, test}) {
                String shape = split.count() + "x" + split.channels() + "x" + split.height() + "x" + split.width();
                digest.update(shape.getBytes(StandardCharsets.US_ASCII));
                digest.update(ByteBuffer.wrap(split.rawLabels()));
                digest.update(ByteBuffer.wrap(split.rawImages()));
            }
            known = HexFormat.of().formatHex(digest.digest());
            sha256 = known;
        }
        return known;
    }

    @Override
    public String toString() {
        return name + ": " + train.count() + " training and " + test.count() + " test images of " + train.channels()
                + "x" + train.height() + "x" + train.width();
    }
}
