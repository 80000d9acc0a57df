package io.github.jcuconv.data;

import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Walks over a part of a data set in batches and decodes them to float32 NCHW: (pixel / 255 - mean) / std.
 *
 * <p>The order of an epoch is a function of (seed, epoch) alone, so that a run resumed at a {@link Position} sees the
 * batches that the uninterrupted run would have seen. An instance belongs to one thread at a time.
 */
public final class Batches {
    /** The label of padding behind a last partial batch; a loss must ignore it. */
    public static final int NO_LABEL = -1;

    /** Keeps what augmentation draws apart from the order of an epoch. */
    private static final long CHANGES = 0x4155474DL;

    /**
     * Where a walk stands.
     *
     * @param epoch the epoch, from 0
     * @param batch the batch within the epoch that comes next, from 0
     */
    public record Position(long epoch, int batch) {}

    private final Dataset data;
    private final Split split;
    private final float[] table;
    private final int batchSize;
    private final boolean shuffled;
    private final long seed;
    private final int rank;
    private final int ranks;
    private final Augmentation augmentation;
    private long epoch;
    private int batch;
    private int @Nullable [] order;

    private Batches(
            Dataset data, int batchSize, boolean shuffled, long seed, int rank, int ranks, Augmentation augmentation) {
        this.data = data;
        this.split = shuffled ? data.train() : data.test();
        this.table = table(data);
        this.augmentation = augmentation;
        this.batchSize = batchSize;
        this.shuffled = shuffled;
        this.seed = seed;
        this.rank = rank;
        this.ranks = ranks;
        if (batchSize < 1) {
            throw new IllegalArgumentException("batch size " + batchSize + " must be at least 1");
        }
        if (shuffled && batchCount() == 0) {
            throw new IllegalArgumentException("batch size " + batchSize + " is larger than the " + shardCount()
                    + " images to train on; take a smaller batch");
        }
    }

    /**
     * Batches for training: the training part, shuffled anew each epoch, a last partial batch dropped.
     *
     * @throws IllegalArgumentException if {@code batchSize} is below 1 or above the number of images
     */
    public static Batches shuffled(Dataset data, int batchSize, long seed) {
        return new Batches(data, batchSize, true, seed, 0, 1, Augmentation.NONE);
    }

    /**
     * Batches for evaluation: the test part in its own order, a last partial batch kept and padded.
     *
     * @throws IllegalArgumentException if {@code batchSize} is below 1
     */
    public static Batches inOrder(Dataset data, int batchSize) {
        return new Batches(data, batchSize, false, 0, 0, 1, Augmentation.NONE);
    }

    /**
     * The share of {@code rank} among {@code ranks}, from the start: images rank, rank + ranks, ... of the same order.
     * When shuffled, all shares have equal size, so that every rank makes the same number of steps.
     *
     * @throws IllegalArgumentException unless {@code rank} lies in 0 .. ranks - 1 and a share holds a batch
     */
    public Batches shard(int rank, int ranks) {
        if (rank < 0 || rank >= ranks) {
            throw new IllegalArgumentException("rank " + rank + " must lie in 0.." + (ranks - 1));
        }
        return new Batches(data, batchSize, shuffled, seed, rank, ranks, augmentation);
    }

    /** The same with training images changed at random, from the start; images to test on stay as they are. */
    public Batches augmented(Augmentation changes) {
        return new Batches(data, batchSize, shuffled, seed, rank, ranks, shuffled ? changes : Augmentation.NONE);
    }

    /** One entry per pixel value: decoding must cost next to nothing, since it shares the cores with the engine. */
    private static float[] table(Dataset data) {
        float[] table = new float[256];
        for (int i = 0; i < table.length; i++) {
            table[i] = (i / 255f - data.mean()) / data.std();
        }
        return table;
    }

    /** Images of a full batch. */
    public int batchSize() {
        return batchSize;
    }

    /** Elements that a full batch decodes to: batch size x channels x height x width. */
    public int batchElements() {
        return Math.multiplyExact(batchSize, split.imageSize());
    }

    /** Batches of one epoch. */
    public int batchCount() {
        int n = shardCount();
        return shuffled ? n / batchSize : (int) (((long) n + batchSize - 1) / batchSize);
    }

    /** Images that one epoch visits, without padding. */
    public int imageCount() {
        return shuffled ? batchCount() * batchSize : shardCount();
    }

    private int shardCount() {
        return shuffled ? split.count() / ranks : (split.count() - rank + ranks - 1) / ranks;
    }

    /** Whether the epoch has another batch. */
    public boolean hasNext() {
        return batch < batchCount();
    }

    /** Where the walk stands now. */
    public Position position() {
        return new Position(epoch, batch);
    }

    /**
     * Goes to a position that {@link #position} gave, of this or of an equal walk.
     *
     * @throws IllegalArgumentException if the epoch has no such batch
     */
    public void seek(Position position) {
        if (position.epoch() < 0 || position.batch() < 0 || position.batch() > batchCount()) {
            throw new IllegalArgumentException(
                    position + " does not exist: an epoch has " + batchCount() + " batches of " + batchSize);
        }
        if (position.epoch() != epoch) {
            order = null;
        }
        epoch = position.epoch();
        batch = position.batch();
    }

    /** Goes to the first batch of epoch {@code epoch}, counted from 0. */
    public void startEpoch(long epoch) {
        seek(new Position(epoch, 0));
    }

    /**
     * Decodes the next batch to the start of the caller's buffers, whose positions and limits stay as they are.
     *
     * @param x float32 NCHW, room for {@link #batchElements}; padding images are filled with 0
     * @param labels room for {@link #batchSize}; padding images get {@link #NO_LABEL}
     * @return the number of real images, the batch size except in a last partial batch
     * @throws IllegalStateException if the epoch is over
     * @throws IllegalArgumentException if a buffer is too small
     */
    public int next(FloatBuffer x, IntBuffer labels) {
        if (!hasNext()) {
            throw new IllegalStateException("epoch " + epoch + " is over: call startEpoch or seek");
        }
        if (x.limit() < batchElements() || labels.limit() < batchSize) {
            throw new IllegalArgumentException("a batch needs " + batchElements() + " floats and " + batchSize
                    + " labels, but the buffers hold " + x.limit() + " and " + labels.limit());
        }
        int[] indices = order();
        int start = batch * batchSize;
        int real = Math.min(batchSize, indices.length - start);
        int size = split.imageSize();
        byte[] images = split.rawImages();
        boolean changed = !augmentation.equals(Augmentation.NONE);
        for (int i = 0; i < real; i++) {
            int index = indices[start + i];
            int from = index * size;
            int to = i * size;
            if (changed) {
                SplitMix64 random = SplitMix64.of(seed ^ CHANGES, epoch, index);
                augmentation.apply(images, from, split, random, data, x, to);
            } else {
                for (int p = 0; p < size; p++) {
                    x.put(to + p, table[images[from + p] & 0xff]);
                }
            }
            labels.put(i, split.label(index));
        }
        for (int p = real * size; p < batchElements(); p++) {
            x.put(p, 0f);
        }
        for (int i = real; i < batchSize; i++) {
            labels.put(i, NO_LABEL);
        }
        batch++;
        return real;
    }

    /** The images of this share in this epoch's order. */
    int[] order() {
        int[] known = order;
        if (known == null) {
            int[] all = shuffled
                    ? SplitMix64.of(seed, 0x5348554646L, epoch).permutation(split.count())
                    : IntStream.range(0, split.count()).toArray();
            known = new int[shardCount()];
            for (int i = 0; i < known.length; i++) {
                known[i] = all[i * ranks + rank];
            }
            order = known;
        }
        return known;
    }
}
