package io.github.jcuconv.data;

import java.nio.FloatBuffer;

/**
 * Random changes of training images, drawn anew for each image and epoch, so that a network seldom sees the same picture twice. What is drawn
 * follows from the seed of the {@link Batches}, the epoch and the image alone.
 *
 * @param shift pixels by which an image moves at most, in each direction
 * @param degrees by which it turns at most, either way, about its middle
 * @param scale part of its size by which it grows or shrinks at most, e.g. 0.1
 * @param flip whether every other image is mirrored, left to right
 * @param colour part by which brightness, contrast and the strength of each channel change at most, e.g. 0.2
 */
public record Augmentation(float shift, float degrees, float scale, boolean flip, float colour) {
    /** No change. */
    public static final Augmentation NONE = new Augmentation(0, 0, 0, false, 0);

    /** What suits most data: small moves and turns; for images in colour also mirroring and other light. */
    public static Augmentation usual(Dataset data) {
        boolean colour = data.train().channels() > 1;
        return new Augmentation(data.train().width() / 14f, 12, 0.12f, colour, colour ? 0.2f : 0);
    }

    private static final float WHITE = 255f;

    /** Checks the numbers. */
    public Augmentation {
        require(shift >= 0 && shift < 1 << 15, "shift", shift, "must lie in 0..32767");
        require(degrees >= 0 && degrees <= 180, "degrees", degrees, "must lie in 0..180");
        require(scale >= 0 && scale < 1, "scale", scale, "must lie in 0..1");
        require(colour >= 0 && colour < 1, "colour", colour, "must lie in 0..1");
    }

    private static void require(boolean right, String what, float given, String rule) {
        if (!right) {
            throw new IllegalArgumentException("augmentation: " + what + " " + given + ": " + rule);
        }
    }

    /**
     * One image, changed and normalised. Pixels between the image's own are interpolated, those outside repeat its border.
     *
     * @param images uint8 CHW from {@code from}
     * @param x float32 CHW from {@code to}
     */
    void apply(byte[] images, int from, Split shape, SplitMix64 random, Dataset data, FloatBuffer x, int to) {
        int height = shape.height();
        int width = shape.width();
        double angle = Math.toRadians(random.between(-degrees, degrees));
        float size = 1 / (1 + random.between(-scale, scale));
        float cos = (float) StrictMath.cos(angle) * size;
        float sin = (float) StrictMath.sin(angle) * size;
        float right = random.between(-shift, shift);
        float down = random.between(-shift, shift);
        float mirror = flip && random.nextFloat() < 0.5f ? -1 : 1;
        float contrast = 1 + random.between(-colour, colour);
        float light = WHITE * random.between(-colour, colour);
        float middleH = (height - 1) / 2f;
        float middleW = (width - 1) / 2f;
        int plane = height * width;
        for (int c = 0; c < shape.channels(); c++) {
            float strength = shape.channels() == 1 ? 1 : 1 + random.between(-colour, colour);
            int source = from + c * plane;
            for (int h = 0; h < height; h++) {
                for (int w = 0; w < width; w++) {
                    float a = h - middleH - down;
                    float b = mirror * (w - middleW - right);
                    float value =
                            at(images, source, height, width, middleH + cos * a - sin * b, middleW + sin * a + cos * b);
                    if (colour > 0) {
                        value = Math.min(
                                WHITE, Math.max(0, ((value - WHITE / 2) * contrast + WHITE / 2 + light) * strength));
                    }
                    x.put(to + c * plane + h * width + w, (value / WHITE - data.mean()) / data.std());
                }
            }
        }
    }

    /** Between four pixels. */
    private static float at(byte[] images, int plane, int height, int width, float h, float w) {
        float row = Math.min(height - 1, Math.max(0, h));
        float column = Math.min(width - 1, Math.max(0, w));
        int h0 = (int) row;
        int w0 = (int) column;
        int h1 = Math.min(height - 1, h0 + 1);
        int w1 = Math.min(width - 1, w0 + 1);
        float below = row - h0;
        float beside = column - w0;
        float upper =
                pixel(images, plane + h0 * width + w0) * (1 - beside) + pixel(images, plane + h0 * width + w1) * beside;
        float lower =
                pixel(images, plane + h1 * width + w0) * (1 - beside) + pixel(images, plane + h1 * width + w1) * beside;
        return upper * (1 - below) + lower * below;
    }

    private static int pixel(byte[] images, int index) {
        return images[index] & 0xff;
    }
}
