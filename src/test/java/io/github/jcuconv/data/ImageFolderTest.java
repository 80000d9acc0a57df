package io.github.jcuconv.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ImageFolderTest {
    @TempDir
    Path folder;

    /** One colour; red tells the number, green the class. */
    private static void write(Path file, int width, int height, int rgb) throws IOException {
        Files.createDirectories(file.getParent());
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < width * height; i++) {
            image.setRGB(i % width, i / width, rgb);
        }
        String name = file.getFileName().toString();
        assertTrue(ImageIO.write(
                image, name.substring(name.lastIndexOf('.') + 1).toLowerCase(java.util.Locale.ROOT), file.toFile()));
    }

    private void classes(int each) throws IOException {
        List<String> names = List.of("cat", "dog", "Ape");
        for (int c = 0; c < 3; c++) {
            for (int i = 0; i < each; i++) {
                String end = i % 2 == 0 ? ".png" : ".PNG";
                write(
                        folder.resolve(names.get(c)).resolve("p" + i + end),
                        10 + i,
                        30 - i,
                        10 * i << 16 | 100 * c << 8 | 7);
            }
        }
        Files.writeString(folder.resolve("cat/readme.txt"), "no image");
        Files.writeString(folder.resolve("cat/.hidden.png"), "no image");
        Files.createDirectories(folder.resolve(".cache"));
    }

    @Test
    void everyFileIsInOnePartAndKeepsItsClassAndColour() throws IOException {
        classes(10);
        assertTrue(ImageFolder.isOne(folder));
        Dataset data = ImageFolder.load(folder, 4, 1);
        assertEquals(List.of("Ape", "cat", "dog"), data.labels());
        assertEquals(24, data.train().count());
        assertEquals(6, data.test().count());
        int[] green = {200, 0, 100}; // of Ape, cat, dog
        BitSet seen = new BitSet();
        for (Split part : List.of(data.train(), data.test())) {
            for (int i = 0; i < part.count(); i++) {
                int red = part.image(i).get(0) & 0xff;
                assertEquals(green[part.label(i)], part.image(i).get(16) & 0xff);
                assertEquals(7, part.image(i).get(47));
                int number = part.label(i) * 10 + red / 10;
                assertFalse(seen.get(number), "twice");
                seen.set(number);
            }
        }
        assertEquals(30, seen.cardinality());
        assertEquals(data.sha256(), ImageFolder.load(folder, 4, 1).sha256());
        assertNotEquals(data.sha256(), ImageFolder.load(folder, 4, 2).sha256());
        double sum = 0;
        for (byte b : data.train().rawImages()) {
            sum += (b & 0xff) / 255.0;
        }
        assertEquals(sum / data.train().rawImages().length, data.mean(), 1e-6);
    }

    @Test
    void theMiddleIsCutOutAndScaledByAreas() throws IOException {
        // 12 x 4: blue margins, and in the middle 2x2 squares of red, green / black, white.
        BufferedImage image = new BufferedImage(12, 4, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 48; i++) {
            int x = i % 12;
            int colour = i / 24 == 0 ? (x < 6 ? 0xff0000 : 0x00ff00) : (x < 6 ? 0 : 0xffffff);
            image.setRGB(x, i / 12, x < 4 || x >= 8 ? 0x0000ff : colour);
        }
        Path file = folder.resolve("a.png");
        ImageIO.write(image, "png", file.toFile());
        byte[] two = Images.readSquare(file, 2);
        int[] expected = {255, 0, 0, 255, 0, 255, 0, 255, 0, 0, 0, 255};
        byte[] four = Images.readSquare(file, 4);
        byte[] one = Images.readSquare(file, 1);
        for (int i = 0; i < 12; i++) {
            assertEquals(expected[i], two[i] & 0xff, "at " + i);
            assertEquals(expected[i], four[i / 4 * 16 + i % 4 / 2 * 8 + i % 2 * 2] & 0xff, "at " + i);
        }
        assertEquals(128, one[0] & 0xff, 1);
        assertEquals(64, one[2] & 0xff, 1);
        assertEquals(255, Images.readSquare(file, 9)[0] & 0xff, "enlarged");
    }

    @Test
    void jpegIsReadToo() throws IOException {
        write(folder.resolve("a/x.jpg"), 20, 20, 0x804020);
        byte[] square = Images.readSquare(folder.resolve("a/x.jpg"), 3);
        assertEquals(0x80, square[4] & 0xff, 4);
        assertEquals(0x20, square[22] & 0xff, 4);
    }

    @Test
    void foldersThatAreNoDataSetAreNamed() throws IOException {
        assertFalse(ImageFolder.isOne(folder));
        FileException none = assertThrows(FileException.class, () -> ImageFolder.load(folder, 8, 1));
        assertTrue(none.getMessage().contains("has 0 folders"), none.getMessage());
        classes(2);
        write(folder.resolve("emu/only.png"), 5, 5, 0);
        FileException few = assertThrows(FileException.class, () -> ImageFolder.load(folder, 8, 1));
        assertTrue(few.getMessage().contains("emu") && few.getMessage().contains("has 1 images"), few.getMessage());
        Files.writeString(folder.resolve("emu/broken.png"), "this is no image");
        CorruptFileException broken = assertThrows(CorruptFileException.class, () -> ImageFolder.load(folder, 8, 1));
        assertTrue(broken.getMessage().contains("broken.png"), broken.getMessage());
        assertThrows(IllegalArgumentException.class, () -> ImageFolder.load(folder, 0, 1));
    }
}
