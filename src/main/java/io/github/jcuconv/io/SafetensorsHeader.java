package io.github.jcuconv.io;

import io.github.jcuconv.CorruptFileException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The checked header of a safetensors file.
 *
 * @param metadata text entries
 * @param tensors entries by name, in the order of the file's JSON
 * @param dataStart first byte of tensor data within the file
 */
record SafetensorsHeader(Map<String, String> metadata, Map<String, Entry> tensors, long dataStart) {
    /**
     * One tensor.
     *
     * @param begin first byte, counted from the start of tensor data
     * @param end byte behind the last
     */
    record Entry(String name, ElementType type, List<Long> shape, long begin, long end) {}

    private static final Set<String> KEYS = Set.of("dtype", "shape", "data_offsets");

    /** Parses the JSON and proves that the tensors fill the file from {@code dataStart} to {@code fileSize} exactly. */
    static SafetensorsHeader parse(ByteBuffer json, long dataStart, long fileSize, String source) {
        if (!json.hasRemaining() || json.get(json.position()) != '{') {
            throw corrupt(source, "its header must start with {");
        }
        Map<String, String> metadata = new LinkedHashMap<>();
        Map<String, Entry> tensors = new LinkedHashMap<>();
        for (Map.Entry<String, Object> item : Json.parse(json, source).entrySet()) {
            if (item.getKey().equals(Safetensors.METADATA)) {
                readMetadata(item.getValue(), metadata, source);
            } else {
                tensors.put(item.getKey(), entry(item.getKey(), item.getValue(), source));
            }
        }
        requireNoGaps(tensors, fileSize - dataStart, source);
        return new SafetensorsHeader(
                Collections.unmodifiableMap(metadata), Collections.unmodifiableMap(tensors), dataStart);
    }

    private static void readMetadata(Object value, Map<String, String> metadata, String source) {
        if (!(value instanceof Map<?, ?> map)) {
            throw corrupt(source, "its metadata must be an object of strings");
        }
        map.forEach((key, text) -> {
            if (!(text instanceof String string)) {
                throw corrupt(source, "its metadata must be an object of strings");
            }
            metadata.put(String.valueOf(key), string);
        });
    }

    private static Entry entry(String name, Object value, String source) {
        String where = "tensor \"" + (name.length() <= 60 ? name : name.substring(0, 60) + "...") + "\"";
        if (!(value instanceof Map<?, ?> map) || !map.keySet().equals(KEYS)) {
            throw corrupt(source, where + " must have exactly dtype, shape and data_offsets");
        }
        ElementType type = type(map.get("dtype"));
        if (type == null) {
            throw corrupt(source, where + " must be of one of the types " + List.of(ElementType.values()));
        }
        List<Long> shape = sizes(map.get("shape"));
        List<Long> offsets = sizes(map.get("data_offsets"));
        if (shape == null || offsets == null || offsets.size() != 2) {
            throw corrupt(source, where + " must have a shape of sizes >= 0 and two data_offsets >= 0");
        }
        long begin = offsets.get(0);
        long end = offsets.get(1);
        long bytes;
        try {
            bytes = Safetensors.byteCount(type, shape);
        } catch (ArithmeticException e) {
            throw corrupt(source, where + " has a shape of 2^63 bytes or more");
        }
        if (begin > end || end - begin != bytes) {
            throw corrupt(
                    source, where + " needs " + bytes + " bytes, but its data_offsets are " + begin + " and " + end);
        }
        return new Entry(name, type, shape, begin, end);
    }

    private static @Nullable ElementType type(@Nullable Object value) {
        for (ElementType type : ElementType.values()) {
            if (type.name().equals(value)) {
                return type;
            }
        }
        return null;
    }

    /** The integers >= 0 of a JSON list, or null if it is anything else. */
    private static @Nullable List<Long> sizes(@Nullable Object value) {
        if (!(value instanceof List<?> list)) {
            return null;
        }
        List<Long> sizes = new ArrayList<>();
        for (Object item : list) {
            if (!(item instanceof Long size) || size < 0) {
                return null;
            }
            sizes.add(size);
        }
        return List.copyOf(sizes);
    }

    private static void requireNoGaps(Map<String, Entry> tensors, long dataBytes, String source) {
        List<Entry> sorted = new ArrayList<>(tensors.values());
        sorted.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
        long end = 0;
        for (Entry entry : sorted) {
            if (entry.begin() != end) {
                throw corrupt(
                        source,
                        "tensor data must follow without gap or overlap, but after byte " + end + " comes byte "
                                + entry.begin());
            }
            end = entry.end();
        }
        if (end != dataBytes) {
            throw corrupt(source, "its tensors have " + end + " bytes, but " + dataBytes + " follow its header");
        }
    }

    static CorruptFileException corrupt(String source, String rule) {
        return new CorruptFileException(source, rule, "restore it from a copy or save the model again");
    }
}
