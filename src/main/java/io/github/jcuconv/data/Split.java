package io.github.jcuconv.data;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Objects;

/**
 * One part of a data set: images as uint8 in NCHW, one label per image. Immutable and safe to share between threads.
 */
public final class Split {
    private final byte[] images;
    private final byte[] labels;
    private final int channels;
    private final int height;
    private final int width;

    /** Takes the arrays over without a copy: the caller must not change them afterwards. */
    Split(byte[] images, byte[] labels, int channels, int height, int width) {
        this.images = Objects.requireNonNull(images, "images");
        this.labels = Objects.requireNonNull(labels, "labels");
        this.channels = channels;
        this.height = height;
        this.width = width;
        long expected = (long) labels.length * channels * height * width;
        if (channels < 1 || height < 1 || width < 1 || images.length != expected) {
            throw new IllegalArgumentException("images hold " + images.length + " bytes, but " + labels.length
                    + " labels of " + channels + "x" + height + "x" + width + " need " + expected);
        }
    }

    /**
     * A part made from the caller's arrays, which are copied.
     *
     * @param images uint8, count x channels x height x width
     * @param labels one class number (0 to 255 as unsigned byte) per image
     * @throws IllegalArgumentException if the sizes do not fit
     */
    public static Split of(byte[] images, byte[] labels, int channels, int height, int width) {
        return new Split(images.clone(), labels.clone(), channels, height, width);
    }

    /** Number of images. */
    public int count() {
        return labels.length;
    }

    /** Channels of an image. */
    public int channels() {
        return channels;
    }

    /** Rows of an image. */
    public int height() {
        return height;
    }

    /** Columns of an image. */
    public int width() {
        return width;
    }

    /** Bytes of one image, which is also its number of elements: channels x height x width. */
    public int imageSize() {
        return channels * height * width;
    }

    /** The class of image {@code index}. */
    public int label(int index) {
        return labels[index] & 0xff;
    }

    /** The pixels of image {@code index} as a read-only view in CHW. */
    public ByteBuffer image(int index) {
        Objects.checkIndex(index, count());
        return ByteBuffer.wrap(images, index * imageSize(), imageSize()).slice().asReadOnlyBuffer();
    }

    /** A part with the first {@code n} images of this one, for quick runs. */
    public Split first(int n) {
        if (n < 1 || n > count()) {
            throw new IllegalArgumentException("first(" + n + ") must lie in 1.." + count());
        }
        byte[] someImages = Arrays.copyOf(images, n * imageSize());
        return new Split(someImages, Arrays.copyOf(labels, n), channels, height, width);
    }

    /** A part with the images of these numbers, in this order. */
    public Split select(int[] indices) {
        byte[] someImages = new byte[Math.multiplyExact(indices.length, imageSize())];
        byte[] someLabels = new byte[indices.length];
        for (int i = 0; i < indices.length; i++) {
            int from = Objects.checkIndex(indices[i], count());
            System.arraycopy(images, from * imageSize(), someImages, i * imageSize(), imageSize());
            someLabels[i] = labels[from];
        }
        return new Split(someImages, someLabels, channels, height, width);
    }

    /** The backing bytes, for the decoder in this package only. */
    byte[] rawImages() {
        return images;
    }

    byte[] rawLabels() {
        return labels;
    }
}
