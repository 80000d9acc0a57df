package io.github.jcuconv.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NpyTest {
    @TempDir
    Path folder;

    private ByteBuffer read() throws IOException {
        return ByteBuffer.wrap(Files.readAllBytes(folder.resolve("a.npy"))).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static String ascii(ByteBuffer bytes, int from, int length) {
        return StandardCharsets.US_ASCII.decode(bytes.slice(from, length)).toString();
    }

    private static String header(ByteBuffer bytes) {
        return ascii(bytes, 10, bytes.getShort(8));
    }

    @Test
    void headerAndValuesOfFloats() throws IOException {
        Npy.write(folder.resolve("a.npy"), new float[] {1, 2, 3, 4, 5, -0f}, 2, 3);
        ByteBuffer bytes = read();
        assertEquals((byte) 0x93, bytes.get(0));
        assertEquals("NUMPY\1\0", ascii(bytes, 1, 7));
        assertEquals(
                "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3,), }",
                header(bytes).strip());
        int data = 10 + bytes.getShort(8);
        assertEquals(0, data % 64);
        assertEquals('\n', bytes.get(data - 1));
        assertEquals(data + 24, bytes.capacity());
        assertEquals(5f, bytes.getFloat(data + 16));
        assertEquals(0x80000000, bytes.getInt(data + 20));
    }

    @Test
    void doublesAndTuplesOfOneAndNone() throws IOException {
        Npy.write(folder.resolve("a.npy"), new double[] {0.1, 2}, 2);
        ByteBuffer bytes = read();
        assertTrue(header(bytes).contains("'<f8'") && header(bytes).contains("(2,)"), header(bytes));
        assertEquals(0.1, bytes.getDouble(10 + bytes.getShort(8)));
        Npy.write(folder.resolve("a.npy"), new float[] {7});
        assertTrue(header(read()).contains("'shape': (), }"), header(read()));
    }

    @Test
    void aShapeThatDoesNotFit() {
        assertThrows(
                IllegalArgumentException.class, () -> Npy.write(folder.resolve("a.npy"), new float[] {1, 2, 3}, 2, 2));
    }
}
