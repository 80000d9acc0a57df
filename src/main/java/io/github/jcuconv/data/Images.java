package io.github.jcuconv.data;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.awt.image.BufferedImage;
import java.nio.file.Path;

/**
 * Image files, PNG or JPEG of any size, as what a network takes: a digit, 28x28 grey, bright on dark, placed as MNIST places its digits; or a square
 * in colour.
 *
 * <p>Needs the module java.desktop.
 */
public final class Images {
    /** Rows and columns of the result. */
    public static final int SIZE = 28;

    /** MNIST scales each digit to fit a box of this size before it centres the mass. */
    private static final int BOX = 20;

    /** Above the square of this many pixels, only every n-th is read: more would cost memory and gain 28x28 nothing. */
    private static final int ENOUGH = 1024;

    /** Grey below this part of the brightest counts as paper, so that noise does not widen the digit's box. */
    private static final float INK = 0.2f;

    private Images() {}

    /**
     * Reads an image file.
     *
     * @return SIZE x SIZE grey values in 0..255, row-major, digit bright; as unsigned bytes, the form of {@link Split}
     * @throws FileException if the file cannot be read
     * @throws CorruptFileException if it is no PNG or JPEG, is damaged, or has more than 100 megapixels (its header is
     *     checked before anything is decoded)
     */
    public static byte[] readDigit(Path file) {
        return toDigit(grey(ImageFiles.read(file, ENOUGH)));
    }

    /**
     * Reads an image file as the square of its middle, scaled by the mean over areas.
     *
     * @param side rows and columns of the result
     * @return red, green and blue, each side x side in 0..255, row-major; as unsigned bytes, the form of {@link Split}
     * @throws FileException if the file cannot be read
     * @throws CorruptFileException if it is no PNG or JPEG, is damaged, or has more than 100 megapixels
     */
    public static byte[] readSquare(Path file, int side) {
        BufferedImage image = ImageFiles.read(file, Math.max(ENOUGH, 2 * side));
        int width = image.getWidth();
        int height = image.getHeight();
        float[][] planes = new float[3][width * height];
        for (int i = 0; i < width * height; i++) {
            int rgb = image.getRGB(i % width, i / width);
            float alpha = (rgb >>> 24) / 255f;
            for (int c = 0; c < 3; c++) {
                planes[c][i] = alpha * (rgb >> 16 - 8 * c & 0xff) / 255f + (1 - alpha);
            }
        }
        float scale = Math.min(width, height) / (float) side;
        float left = (width - scale * side) / 2;
        float top = (height - scale * side) / 2;
        byte[] square = new byte[3 * side * side];
        for (int i = 0; i < square.length; i++) {
            Grey plane = new Grey(width, height, planes[i / (side * side)]);
            float mean = areaMean(plane, left + i % side * scale, top + i / side % side * scale, scale);
            square[i] = (byte) (int) (mean * 255f + 0.5f);
        }
        return square;
    }

    /** Grey values in 0..1, any size. */
    record Grey(int width, int height, float[] values) {}

    /** Luma of each pixel; transparent pixels show white paper. */
    private static Grey grey(BufferedImage image) {
        int width = image.getWidth();
        int height = image.getHeight();
        float[] values = new float[width * height];
        int[] row = new int[width];
        for (int y = 0; y < height; y++) {
            image.getRGB(0, y, width, 1, row, 0, width);
            for (int x = 0; x < width; x++) {
                int rgb = row[x];
                float luma = (0.299f * (rgb >> 16 & 0xff) + 0.587f * (rgb >> 8 & 0xff) + 0.114f * (rgb & 0xff)) / 255f;
                float alpha = (rgb >>> 24) / 255f;
                values[y * width + x] = alpha * luma + (1 - alpha);
            }
        }
        return new Grey(width, height, values);
    }

    /** Inverts if need be, cuts the digit out, scales it into the box and puts its centre of mass into the middle. */
    static byte[] toDigit(Grey image) {
        float[] values = image.values().clone();
        float border = borderMean(image);
        float low = Float.MAX_VALUE;
        float high = -Float.MAX_VALUE;
        for (int i = 0; i < values.length; i++) {
            values[i] = border > 0.5f ? 1 - values[i] : values[i];
            low = Math.min(low, values[i]);
            high = Math.max(high, values[i]);
        }
        byte[] digit = new byte[SIZE * SIZE];
        if (!(high - low > 0.02f)) {
            // A blank page stays blank instead of having its noise enlarged to ink.
            return digit;
        }
        for (int i = 0; i < values.length; i++) {
            values[i] = (values[i] - low) / (high - low);
        }
        Grey ink = new Grey(image.width(), image.height(), values);
        float[] box = scaledBox(ink);
        float[] centre = centreOfMass(box);
        float dx = SIZE / 2f - centre[0];
        float dy = SIZE / 2f - centre[1];
        for (int y = 0; y < SIZE; y++) {
            for (int x = 0; x < SIZE; x++) {
                float value = bilinear(box, x - dx, y - dy);
                digit[y * SIZE + x] = (byte) (int) (Math.min(Math.max(value, 0f), 1f) * 255f + 0.5f);
            }
        }
        return digit;
    }

    /** The border tells the paper's brightness: the digit seldom reaches it. */
    private static float borderMean(Grey image) {
        double sum = 0;
        int count = 0;
        for (int y = 0; y < image.height(); y++) {
            boolean edge = y == 0 || y == image.height() - 1;
            for (int x = 0; x < image.width(); x += edge || image.width() == 1 ? 1 : image.width() - 1) {
                sum += image.values()[y * image.width() + x];
                count++;
            }
        }
        return (float) (sum / count);
    }

    /** The digit's box, scaled so that its longer side is BOX, in the middle of a SIZE x SIZE picture; averages areas. */
    private static float[] scaledBox(Grey ink) {
        int left = ink.width();
        int right = -1;
        int top = ink.height();
        int bottom = -1;
        for (int y = 0; y < ink.height(); y++) {
            for (int x = 0; x < ink.width(); x++) {
                if (ink.values()[y * ink.width() + x] > INK) {
                    left = Math.min(left, x);
                    right = Math.max(right, x);
                    top = Math.min(top, y);
                    bottom = Math.max(bottom, y);
                }
            }
        }
        float scale = Math.max(right - left + 1, bottom - top + 1) / (float) BOX;
        float middleX = (left + right + 1) / 2f;
        float middleY = (top + bottom + 1) / 2f;
        float[] box = new float[SIZE * SIZE];
        for (int y = 0; y < SIZE; y++) {
            for (int x = 0; x < SIZE; x++) {
                box[y * SIZE + x] =
                        areaMean(ink, middleX + (x - SIZE / 2f) * scale, middleY + (y - SIZE / 2f) * scale, scale);
            }
        }
        return box;
    }

    /** Mean over a square of the given side; pixels outside the image count as paper. */
    private static float areaMean(Grey ink, float x0, float y0, float side) {
        double sum = 0;
        int lastY = Math.min(ink.height() - 1, (int) Math.floor(y0 + side));
        int lastX = Math.min(ink.width() - 1, (int) Math.floor(x0 + side));
        for (int y = Math.max(0, (int) Math.floor(y0)); y <= lastY; y++) {
            float high = Math.min(y + 1, y0 + side) - Math.max(y, y0);
            for (int x = Math.max(0, (int) Math.floor(x0)); x <= lastX; x++) {
                float wide = Math.min(x + 1, x0 + side) - Math.max(x, x0);
                sum += (double) ink.values()[y * ink.width() + x] * Math.max(high, 0) * Math.max(wide, 0);
            }
        }
        return (float) (sum / ((double) side * side));
    }

    /** Of pixel centres, in pixels from the left and from the top. */
    private static float[] centreOfMass(float[] box) {
        double mass = 0;
        double sumX = 0;
        double sumY = 0;
        for (int y = 0; y < SIZE; y++) {
            for (int x = 0; x < SIZE; x++) {
                mass += box[y * SIZE + x];
                sumX += box[y * SIZE + x] * (x + 0.5);
                sumY += box[y * SIZE + x] * (y + 0.5);
            }
        }
        return new float[] {(float) (sumX / mass), (float) (sumY / mass)};
    }

    private static float bilinear(float[] box, float x, float y) {
        int x0 = (int) Math.floor(x);
        int y0 = (int) Math.floor(y);
        float fx = x - x0;
        float fy = y - y0;
        return (1 - fy) * ((1 - fx) * at(box, x0, y0) + fx * at(box, x0 + 1, y0))
                + fy * ((1 - fx) * at(box, x0, y0 + 1) + fx * at(box, x0 + 1, y0 + 1));
    }

    private static float at(float[] box, int x, int y) {
        return x < 0 || y < 0 || x >= SIZE || y >= SIZE ? 0 : box[y * SIZE + x];
    }
}
