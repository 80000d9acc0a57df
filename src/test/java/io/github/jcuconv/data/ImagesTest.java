package io.github.jcuconv.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.awt.Color;
import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImagesTest {
    @TempDir
    Path folder;

    /** A filled rectangle of ink on paper. */
    private static BufferedImage rectangle(int width, int height, Color paper, Color ink, int x, int y, int w, int h) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_ARGB);
        Graphics2D graphics = image.createGraphics();
        graphics.setColor(paper);
        graphics.fillRect(0, 0, width, height);
        graphics.setColor(ink);
        graphics.fillRect(x, y, w, h);
        graphics.dispose();
        return image;
    }

    private Path png(BufferedImage image) throws IOException {
        Path file = folder.resolve("image.png");
        assertTrue(ImageIO.write(image, "png", file.toFile()));
        return file;
    }

    private static int at(byte[] digit, int x, int y) {
        return digit[y * Images.SIZE + x] & 0xff;
    }

    /** 10 x 20 ink in the middle, to within a grey of rounding. */
    private static void assertCentredBar(byte[] digit) {
        for (int y = 0; y < 28; y++) {
            for (int x = 0; x < 28; x++) {
                boolean ink = x >= 9 && x < 19 && y >= 4 && y < 24;
                assertEquals(ink ? 255 : 0, at(digit, x, y), 2, "at " + x + "," + y);
            }
        }
    }

    @Test
    void aDigitAnywhereOfAnySizeIsScaledIntoTheBoxAndCentred() throws IOException {
        assertCentredBar(Images.readDigit(png(rectangle(300, 200, Color.BLACK, Color.WHITE, 17, 31, 60, 120))));
        assertCentredBar(Images.readDigit(png(rectangle(28, 28, Color.BLACK, Color.WHITE, 1, 2, 10, 20))));
        assertCentredBar(Images.readDigit(png(rectangle(12, 12, Color.BLACK, Color.WHITE, 2, 1, 5, 10))));
    }

    @Test
    void darkInkOnBrightPaperIsInvertedAndFaintInkIsStretched() throws IOException {
        assertCentredBar(Images.readDigit(png(rectangle(300, 200, Color.WHITE, Color.BLACK, 17, 31, 60, 120))));
        Color paper = new Color(220, 225, 210);
        assertCentredBar(Images.readDigit(png(rectangle(300, 200, paper, Color.BLUE, 17, 31, 60, 120))));
    }

    @Test
    void transparentPixelsArePaper() throws IOException {
        Color none = new Color(0, 0, 0, 0);
        BufferedImage image = rectangle(100, 100, Color.WHITE, Color.BLACK, 40, 30, 20, 40);
        for (int y = 0; y < 100; y++) {
            for (int x = 0; x < 100; x++) {
                if (image.getRGB(x, y) == Color.WHITE.getRGB()) {
                    image.setRGB(x, y, none.getRGB());
                }
            }
        }
        assertCentredBar(Images.readDigit(png(image)));
    }

    @Test
    void theCentreOfMassGoesToTheMiddle() throws IOException {
        // An L: its box is centred at 14,14, its mass is not.
        BufferedImage image = rectangle(200, 200, Color.BLACK, Color.WHITE, 50, 50, 20, 100);
        Graphics2D graphics = image.createGraphics();
        graphics.fillRect(50, 130, 100, 20);
        graphics.dispose();
        byte[] digit = Images.readDigit(png(image));
        double mass = 0;
        double sumX = 0;
        double sumY = 0;
        for (int y = 0; y < 28; y++) {
            for (int x = 0; x < 28; x++) {
                mass += at(digit, x, y);
                sumX += at(digit, x, y) * (x + 0.5);
                sumY += at(digit, x, y) * (y + 0.5);
            }
        }
        assertEquals(14, sumX / mass, 0.1);
        assertEquals(14, sumY / mass, 0.1);
        assertTrue(mass / 255 > 100, "ink was lost: " + mass / 255);
    }

    @Test
    void aBlankPageStaysBlank() throws IOException {
        for (Color paper : new Color[] {Color.BLACK, Color.WHITE, Color.GRAY}) {
            assertArrayEquals(new byte[784], Images.readDigit(png(rectangle(50, 40, paper, paper, 0, 0, 1, 1))));
        }
    }

    @Test
    void jpegAndLargeImages() throws IOException {
        Path file = folder.resolve("image.jpg");
        BufferedImage image = new BufferedImage(2400, 2400, BufferedImage.TYPE_BYTE_GRAY);
        Graphics2D graphics = image.createGraphics();
        graphics.fillRect(600, 400, 800, 1600);
        graphics.dispose();
        assertTrue(ImageIO.write(image, "jpg", file.toFile()));
        byte[] digit = Images.readDigit(file);
        assertTrue(at(digit, 14, 14) > 245);
        assertTrue(at(digit, 5, 14) < 10);
    }

    @Test
    void oneRowOneColumnOnePixel() throws IOException {
        for (int[] size : new int[][] {{1, 1}, {1, 40}, {40, 1}, {2, 2}}) {
            assertEquals(
                    784,
                    Images.readDigit(png(rectangle(size[0], size[1], Color.BLACK, Color.WHITE, 0, 0, 1, 1))).length);
        }
    }

    private void assertCorrupt(byte[] bytes, String rule) throws IOException {
        Path file = Files.write(folder.resolve("bad.png"), bytes);
        String message = assertThrows(CorruptFileException.class, () -> Images.readDigit(file))
                .getMessage();
        assertTrue(message.startsWith(file + ": ") && message.contains(rule), message);
        assertFalse(message.contains("\n"), message);
    }

    @Test
    void moreThan100MegapixelsAreRefusedByTheHeaderAlone() throws IOException {
        byte[] bytes = Files.readAllBytes(png(rectangle(10, 10, Color.BLACK, Color.WHITE, 2, 2, 4, 4)));
        ByteBuffer header = ByteBuffer.wrap(bytes);
        header.putInt(16, 50_000).putInt(20, 50_000);
        CRC32 crc = new CRC32();
        crc.update(bytes, 12, 17);
        header.putInt(29, (int) crc.getValue());
        assertCorrupt(bytes, "50000x50000 pixels exceed the limit");
    }

    @Test
    void otherFilesAndEmptyOnes() throws IOException {
        assertCorrupt(new byte[0], "neither PNG nor JPEG");
        assertCorrupt("GIF89a and so on".getBytes(StandardCharsets.US_ASCII), "neither PNG nor JPEG");
    }

    @Test
    void truncatedAndMutatedImagesGiveNothingButCorruptFileException() throws IOException {
        byte[] bytes = Files.readAllBytes(png(rectangle(60, 60, Color.BLACK, Color.WHITE, 20, 20, 14, 24)));
        Path file = folder.resolve("bad.png");
        Random random = new Random(4);
        int refused = 0;
        for (int i = 0; i < 500; i++) {
            byte[] bad = random.nextBoolean() ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes.clone();
            for (int e = 0; e < 3 && bad.length > 0; e++) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt();
            }
            Files.write(file, bad);
            try {
                assertEquals(784, Images.readDigit(file).length);
            } catch (CorruptFileException e) {
                refused++;
            }
        }
        assertTrue(refused > 100, "only " + refused + " of 500 broken images were refused");
    }

    @Test
    void missingFilesAndFolders() {
        assertThrows(FileException.class, () -> Images.readDigit(folder.resolve("none.png")));
        assertThrows(FileException.class, () -> Images.readDigit(folder));
    }
}
