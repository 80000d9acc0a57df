package io.github.jcuconv.io;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.JsonWriter;
import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * JSON objects as maps: values are {@link Map}, {@link List}, {@link String}, {@link Boolean}, {@link Long} and
 * {@link Double} (any boxed primitive number when writing); there is no null. Needs the optional library gson.
 *
 * <p>Read maps keep the file's order. Written maps keep theirs if they have one ({@link LinkedHashMap},
 * {@link SortedMap}); the keys of others are sorted, because their order may change from run to run.
 */
public final class Json {
    private static final int MAX_BYTES = 16 << 20;
    private static final int MAX_DEPTH = 64;
    private static final String FIX = "restore it from a copy or make it again";

    private Json() {}

    /**
     * Reads a file that holds one object.
     *
     * @throws FileException if the file cannot be read
     * @throws CorruptFileException if it is no JSON object, is above 16 MiB, nested deeper than 64, holds null or repeats a key
     */
    public static Map<String, Object> read(Path file) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw corrupt(file.toString(), "JSON must not exceed " + MAX_BYTES + " bytes");
            }
            return parse(ByteBuffer.wrap(Files.readAllBytes(file)), file.toString());
        } catch (IOException e) {
            throw AtomicFiles.unreadable(file, e);
        }
    }

    /** Parses UTF-8 bytes; {@code source} is the file that errors name. */
    static Map<String, Object> parse(ByteBuffer utf8, String source) {
        try {
            return parse(StandardCharsets.UTF_8.newDecoder().decode(utf8).toString(), source);
        } catch (CharacterCodingException e) {
            throw corrupt(source, "its JSON is not UTF-8");
        }
    }

    /**
     * Parses text that holds one object.
     *
     * @param source what errors name as the file
     * @throws CorruptFileException as {@link #read}
     */
    public static Map<String, Object> parse(String text, String source) {
        try (JsonReader reader = new JsonReader(new StringReader(text))) {
            reader.setStrictness(Strictness.STRICT);
            if (reader.peek() != JsonToken.BEGIN_OBJECT) {
                throw corrupt(source, "its JSON must be an object");
            }
            Map<String, Object> object = object(reader, source, 1);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw corrupt(source, "its JSON goes on after the object");
            }
            return object;
        } catch (IOException | IllegalStateException | NumberFormatException e) {
            // The library's messages go over two lines and name its own manual.
            String message = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
            throw corrupt(source, "its JSON is malformed (" + message + ")");
        }
    }

    private static Map<String, Object> object(JsonReader reader, String source, int depth) throws IOException {
        Map<String, Object> map = new LinkedHashMap<>();
        reader.beginObject();
        while (reader.hasNext()) {
            String key = reader.nextName();
            if (map.put(key, value(reader, source, depth)) != null) {
                throw corrupt(source, "its JSON repeats the key \"" + shortened(key) + "\"");
            }
        }
        reader.endObject();
        return map;
    }

    private static Object value(JsonReader reader, String source, int depth) throws IOException {
        JsonToken token = reader.peek();
        if ((token == JsonToken.BEGIN_OBJECT || token == JsonToken.BEGIN_ARRAY) && depth >= MAX_DEPTH) {
            throw corrupt(source, "its JSON is nested deeper than " + MAX_DEPTH);
        }
        return switch (token) {
            case BEGIN_OBJECT -> object(reader, source, depth + 1);
            case BEGIN_ARRAY -> list(reader, source, depth + 1);
            case STRING -> reader.nextString();
            case BOOLEAN -> reader.nextBoolean();
            case NUMBER -> number(reader.nextString(), source);
            default -> throw corrupt(source, "its JSON holds " + token + " where a value must stand");
        };
    }

    private static List<Object> list(JsonReader reader, String source, int depth) throws IOException {
        List<Object> list = new ArrayList<>();
        reader.beginArray();
        while (reader.hasNext()) {
            list.add(value(reader, source, depth));
        }
        reader.endArray();
        return list;
    }

    private static Number number(String text, String source) {
        if (text.indexOf('.') < 0 && text.indexOf('e') < 0 && text.indexOf('E') < 0) {
            try {
                return Long.parseLong(text);
            } catch (NumberFormatException e) {
                throw corrupt(source, "its JSON holds an integer of more than 64 bits");
            }
        }
        double value = Double.parseDouble(text);
        if (!Double.isFinite(value)) {
            throw corrupt(source, "its JSON holds a number above the range of a double");
        }
        return value;
    }

    /**
     * Text of an object: two blanks of indentation, numbers in plain decimals, a line feed at the end.
     *
     * @throws IllegalArgumentException if a value is of another type than those named above, is not finite, or is nested
     *     deeper than 64
     */
    public static String write(Map<String, ?> object) {
        return write(object, "  ") + "\n";
    }

    /** As {@link #write(Map)}, on one line and without the line feed. */
    static String writeCompact(Map<String, ?> object) {
        return write(object, "");
    }

    private static String write(Map<String, ?> object, String indent) {
        StringWriter text = new StringWriter();
        try (JsonWriter writer = new JsonWriter(text)) {
            writer.setIndent(indent);
            write(writer, object, 1);
        } catch (IOException e) {
            throw new AssertionError("a string does not fail", e);
        }
        return text.toString();
    }

    private static void write(JsonWriter writer, @Nullable Object value, int depth) throws IOException {
        if (depth > MAX_DEPTH && (value instanceof Map || value instanceof List)) {
            throw new IllegalArgumentException("JSON must not be nested deeper than " + MAX_DEPTH);
        }
        if (value instanceof Map<?, ?> map) {
            writer.beginObject();
            for (Map.Entry<?, ?> entry : ordered(map).entrySet()) {
                writer.name(String.valueOf(entry.getKey()));
                write(writer, entry.getValue(), depth + 1);
            }
            writer.endObject();
        } else if (value instanceof List<?> list) {
            writer.beginArray();
            for (Iterator<?> i = list.iterator(); i.hasNext(); ) {
                write(writer, i.next(), depth + 1);
            }
            writer.endArray();
        } else if (value instanceof String string) {
            writer.value(string);
        } else if (value instanceof Boolean bool) {
            writer.value(bool);
        } else if (value instanceof Number number) {
            writer.jsonValue(plain(number));
        } else {
            throw new IllegalArgumentException("JSON has no form for " + (value == null ? "null" : value.getClass()));
        }
    }

    private static Map<?, ?> ordered(Map<?, ?> map) {
        if (map instanceof LinkedHashMap || map instanceof SortedMap) {
            return map;
        }
        Map<String, Object> sorted = new TreeMap<>();
        map.forEach((key, value) -> sorted.put(String.valueOf(key), value));
        return sorted;
    }

    /** Decimals without an exponent; a floating-point value keeps a point, so that it is read back as one. */
    private static String plain(Number number) {
        if (number instanceof Double || number instanceof Float) {
            if (!Double.isFinite(number.doubleValue())) {
                throw new IllegalArgumentException("JSON has no form for " + number);
            }
            if (number.doubleValue() == 0) {
                return number.toString();
            }
            String text = new BigDecimal(number.toString()).toPlainString();
            return text.indexOf('.') < 0 ? text + ".0" : text;
        }
        if (number instanceof Long || number instanceof Integer || number instanceof Short || number instanceof Byte) {
            return number.toString();
        }
        throw new IllegalArgumentException("JSON has no form for " + number.getClass());
    }

    private static String shortened(String key) {
        return key.length() <= 40 ? key : key.substring(0, 40) + "...";
    }

    private static CorruptFileException corrupt(String source, String rule) {
        return new CorruptFileException(source, rule, FIX);
    }
}
