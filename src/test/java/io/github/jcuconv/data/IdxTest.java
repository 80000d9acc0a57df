package io.github.jcuconv.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IdxTest {
    @TempDir
    Path folder;

    static byte[] idx(int magic, int[] dims, byte[] data) {
        ByteBuffer bytes =
                ByteBuffer.allocate(4 + 4 * dims.length + data.length).putInt(magic);
        for (int dim : dims) {
            bytes.putInt(dim);
        }
        return bytes.put(data).array();
    }

    static byte[] gzip(byte[] plain) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (OutputStream out = new GZIPOutputStream(bytes)) {
            out.write(plain);
        }
        return bytes.toByteArray();
    }

    static byte[] ramp(int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = (byte) i;
        }
        return bytes;
    }

    private Path file(byte[] content) throws IOException {
        return Files.write(folder.resolve("images"), content);
    }

    private void assertCorrupt(byte[] content, String rule) throws IOException {
        Path file = file(content);
        String message = assertThrows(CorruptFileException.class, () -> Idx.readImages(file))
                .getMessage();
        assertTrue(message.contains(rule), message);
        assertTrue(message.contains(file.toString()), message);
        assertTrue(message.contains("fetch the file again"), message);
        assertFalse(message.contains("\n"), message);
    }

    @Test
    void plainAndGzippedGiveTheSameElementsAndHash() throws IOException {
        byte[] content = idx(0x803, new int[] {3, 10, 10}, ramp(300));
        Idx plain = Idx.readImages(file(content));
        Idx zipped = Idx.readImages(file(gzip(content)));
        assertArrayEquals(new int[] {3, 10, 10}, plain.dims());
        assertArrayEquals(ramp(300), plain.data());
        assertEquals(plain, zipped);
        assertEquals(HexFormat.of().formatHex(Hashes.sha256().digest(content)), zipped.sha256());
    }

    @Test
    void wrongMagic() throws IOException {
        assertCorrupt(idx(0x801, new int[] {4}, ramp(4)), "magic number is 0x00000801, but must be 0x00000803");
        assertCorrupt(idx(0xD03, new int[] {1, 2, 2}, ramp(4)), "must be 0x00000803");
    }

    @Test
    void everyTruncationOfAPlainFile() throws IOException {
        byte[] content = idx(0x803, new int[] {2, 3, 3}, ramp(18));
        for (int n = 0; n < content.length; n++) {
            assertCorrupt(Arrays.copyOf(content, n), "truncated");
        }
    }

    @Test
    void everyTruncationOfAGzippedFile() throws IOException {
        byte[] content = gzip(idx(0x803, new int[] {2, 3, 3}, ramp(18)));
        for (int n = 0; n < content.length; n++) {
            Path file = file(Arrays.copyOf(content, n));
            assertThrows(CorruptFileException.class, () -> Idx.readImages(file), "cut after " + n + " bytes");
        }
    }

    @Test
    void aFlippedBitInsideGzipBreaksItsChecksum() throws IOException {
        byte[] content = gzip(idx(0x803, new int[] {2, 3, 3}, ramp(18)));
        content[content.length - 6] ^= 1;
        assertCorrupt(content, "gzip data is damaged");
    }

    @Test
    void trailingBytes() throws IOException {
        byte[] content = idx(0x803, new int[] {1, 2, 2}, ramp(5));
        assertCorrupt(content, "goes on after the 4 bytes");
        assertCorrupt(gzip(content), "goes on after the 4 bytes");
    }

    @Test
    void aGzipBombIsReadNoFurtherThanItsHeaderDeclares() throws IOException {
        assertCorrupt(gzip(idx(0x803, new int[] {1, 2, 2}, new byte[64 << 20])), "goes on after the 4 bytes");
    }

    @Test
    void aHeaderThatDeclaresMoreThanTheFileCanHoldAllocatesNothing() throws IOException {
        byte[] content = idx(0x803, new int[] {1_000_000, 30, 30}, ramp(9));
        assertCorrupt(content, "more than the file can hold");
        assertCorrupt(gzip(content), "more than the file can hold");
    }

    @Test
    void sizesThatOverflowALong() throws IOException {
        int most = Integer.MAX_VALUE;
        assertCorrupt(idx(0x803, new int[] {most, most, most}, ramp(9)), "is the limit");
        // 65536 * 65536 * 16 is 0 modulo 2^32.
        assertCorrupt(idx(0x803, new int[] {65536, 65536, 16}, ramp(9)), "is the limit");
    }

    @Test
    void zeroAndNegativeSizes() throws IOException {
        assertCorrupt(idx(0x803, new int[] {0, 2, 2}, ramp(0)), "size 0 in its header is 0");
        assertCorrupt(idx(0x803, new int[] {1, -2, 2}, ramp(0)), "size 1 in its header is 4294967294");
    }

    @Test
    void imagesAndLabelsOfDifferentCount() {
        Idx images = new Idx(new int[] {3, 2, 2}, ramp(12));
        Idx labels = new Idx(new int[] {2}, ramp(2));
        String message = assertThrows(
                        CorruptFileException.class, () -> Idx.join(Path.of("i"), images, Path.of("l"), labels, 10))
                .getMessage();
        assertTrue(message.contains("2 labels") && message.contains("3 images"), message);
    }

    @Test
    void labelOutOfRange() {
        Idx images = new Idx(new int[] {2, 1, 1}, ramp(2));
        Idx labels = new Idx(new int[] {2}, new byte[] {9, (byte) 200});
        String message = assertThrows(
                        CorruptFileException.class, () -> Idx.join(Path.of("i"), images, Path.of("l"), labels, 10))
                .getMessage();
        assertTrue(message.contains("label 1 is 200, but must be below 10"), message);
    }

    @Test
    void aMissingFileIsNoCorruptFile() {
        FileException e = assertThrows(FileException.class, () -> Idx.readLabels(folder.resolve("none")));
        assertTrue(e.getMessage().contains("no such file"), e.getMessage());
    }
}
