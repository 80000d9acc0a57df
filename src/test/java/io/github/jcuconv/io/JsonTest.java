package io.github.jcuconv.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonTest {
    @TempDir
    Path folder;

    private static void assertCorrupt(String text, String rule) {
        String message = assertThrows(CorruptFileException.class, () -> Json.parse(text, "some.json"), text)
                .getMessage();
        assertTrue(message.startsWith("some.json: "), message);
        assertTrue(message.contains(rule), message);
        assertFalse(message.contains("\n"), message);
    }

    @Test
    void everyKindOfValueComesBackAsItWas() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("z", "\u00e9\n\"\u2028");
        map.put("a", List.of(1L, -0.5, true, List.of(), Map.of("k", "v")));
        map.put("tiny", Double.MIN_VALUE);
        map.put("huge", Double.MAX_VALUE);
        map.put("whole", 1e10);
        map.put("minus zero", -0.0);
        map.put("long", Long.MIN_VALUE);
        String text = Json.write(map);
        Map<String, Object> back = Json.parse(text, "x");
        assertEquals(map, back);
        assertEquals(List.copyOf(map.keySet()), List.copyOf(back.keySet()));
        assertEquals(text, Json.write(back));
    }

    @Test
    void numbersAreWrittenWithoutAnExponent() {
        Map<String, Object> map = new LinkedHashMap<>();
        map.put("a", 1e-5);
        map.put("b", 1e11);
        map.put("c", 0.1f);
        map.put("d", (short) 7);
        assertEquals("{\"a\":0.000010,\"b\":100000000000.0,\"c\":0.1,\"d\":7}", Json.writeCompact(map));
    }

    @Test
    void mapsWithoutAnOrderAreSorted() {
        Map<String, Object> map = new HashMap<>();
        for (String key : List.of("q", "b", "x", "a")) {
            map.put(key, 1);
        }
        assertEquals("{\"a\":1,\"b\":1,\"q\":1,\"x\":1}", Json.writeCompact(map));
    }

    @Test
    void whatJsonCannotSayIsRefusedWhenWriting() {
        assertThrows(IllegalArgumentException.class, () -> Json.write(Map.of("a", Double.NaN)));
        assertThrows(IllegalArgumentException.class, () -> Json.write(Map.of("a", Float.POSITIVE_INFINITY)));
        assertThrows(IllegalArgumentException.class, () -> Json.write(Map.of("a", new int[1])));
        assertThrows(IllegalArgumentException.class, () -> Json.write(nested(65)));
        assertEquals(nested(64), Json.parse(Json.write(nested(64)), "x"));
    }

    private static Map<String, Object> nested(int depth) {
        Map<String, Object> map = Map.of("leaf", 1L);
        for (int i = 1; i < depth; i++) {
            map = Map.of("a", map);
        }
        return map;
    }

    @Test
    void repeatedKeys() {
        assertCorrupt("{\"a\": 1, \"b\": {\"c\": 1, \"c\": 2}}", "repeats the key \"c\"");
    }

    @Test
    void nestingThatWouldExhaustTheStack() {
        assertCorrupt("{\"a\":" + "[".repeat(100_000), "nested deeper than 64");
        assertCorrupt("{\"a\":".repeat(65), "nested deeper than 64");
    }

    @Test
    void malformedText() {
        for (String text : List.of(
                "{",
                "{\"a\"",
                "{\"a\":}",
                "{a:1}",
                "{'a':1}",
                "{\"a\":1,}",
                "{\"a\":01}",
                "{\"a\":1;}",
                "{\"a\":TRUE}")) {
            assertCorrupt(text, "JSON");
        }
        assertCorrupt("", "malformed");
        assertCorrupt("[1]", "must be an object");
        assertCorrupt("{} {}", "JSON");
        assertCorrupt("{\"a\":null}", "NULL");
        assertCorrupt("{\"a\":NaN}", "JSON");
    }

    @Test
    void numbersOutOfRange() {
        assertCorrupt("{\"a\":9223372036854775808}", "more than 64 bits");
        assertCorrupt("{\"a\":1e999}", "above the range");
    }

    @Test
    void filesThatAreTooLargeMissingOrNotUtf8() throws IOException {
        Path file = folder.resolve("a.json");
        assertThrows(FileException.class, () -> Json.read(file));
        Files.write(file, new byte[] {'{', '"', (byte) 0xff, '"', ':', '1', '}'});
        assertThrows(CorruptFileException.class, () -> Json.read(file));
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength((16 << 20) + 1);
        }
        String message =
                assertThrows(CorruptFileException.class, () -> Json.read(file)).getMessage();
        assertTrue(message.contains("must not exceed"), message);
    }
}
