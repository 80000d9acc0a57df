package io.github.jcuconv.report;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.Locale;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Pictures as the text of PNGs (RFC 2083, 8 bits per colour), and charts of them as SVG files; without java.desktop. */
public final class Picture {
    private static final byte[] SIGNATURE = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final int CHUNK = 12;
    private static final byte DEPTH = 8;
    private static final byte RGB = 2;

    private Picture() {}

    /**
     * An SVG element that shows a picture with hard pixels.
     *
     * @param rgb width x height pixels, row by row, as 0xRRGGBB
     * @param x left side in the chart
     * @param y upper side in the chart
     * @param scale sides of a pixel in the chart
     */
    public static String svg(int[] rgb, int width, int x, int y, int scale) {
        int height = rgb.length / width;
        return String.format(
                Locale.ROOT,
                "<image x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" style=\"image-rendering:pixelated\" href=\"%s\"/>%n",
                x,
                y,
                width * scale,
                height * scale,
                uri(rgb, width));
    }

    /** An SVG element that shows words; escapes them. */
    public static String words(int x, int y, String words) {
        return String.format(Locale.ROOT, "<text x=\"%d\" y=\"%d\">%s</text>%n", x, y, Svg.escaped(words));
    }

    /** An SVG file of these elements. */
    public static String file(int width, int height, CharSequence elements) {
        return String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"13\">%n%s</svg>%n",
                width,
                height,
                elements);
    }

    /** The picture as a data URI; its pixels as in {@link #svg}. */
    static String uri(int[] rgb, int width) {
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(png(rgb, width));
    }

    private static byte[] png(int[] rgb, int width) {
        int height = rgb.length / width;
        // Each row begins with the number of its filter: 0, none.
        ByteBuffer rows = ByteBuffer.allocate(height * (1 + 3 * width));
        for (int i = 0; i < width * height; i++) {
            if (i % width == 0) {
                rows.put((byte) 0);
            }
            rows.put((byte) (rgb[i] >> 16)).put((byte) (rgb[i] >> 8)).put((byte) rgb[i]);
        }
        byte[] packed = deflated(rows.array());
        byte[] header = ByteBuffer.allocate(13)
                .putInt(width)
                .putInt(height)
                .put(DEPTH)
                .put(RGB)
                .array();
        ByteBuffer png = ByteBuffer.allocate(SIGNATURE.length + 3 * CHUNK + header.length + packed.length);
        png.put(SIGNATURE);
        chunk(png, "IHDR", header);
        chunk(png, "IDAT", packed);
        chunk(png, "IEND", new byte[0]);
        return png.array();
    }

    private static byte[] deflated(byte[] bytes) {
        Deflater deflater = new Deflater(Deflater.BEST_COMPRESSION);
        deflater.setInput(bytes);
        deflater.finish();
        // zlib adds at most 5 bytes for every 16 KiB that it cannot make smaller, and 6 at its ends.
        byte[] packed = new byte[bytes.length + bytes.length / 1000 + 64];
        int length = deflater.deflate(packed);
        deflater.end();
        return Arrays.copyOf(packed, length);
    }

    private static void chunk(ByteBuffer png, String type, byte[] data) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 sum = new CRC32();
        sum.update(name);
        sum.update(data);
        png.putInt(data.length).put(name).put(data).putInt((int) sum.getValue());
    }
}
