package io.github.jcuconv.io;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes safetensors files; {@link Safetensors#write} says how. */
final class SafetensorsWriter {
    private SafetensorsWriter() {}

    static void write(OutputStream out, Map<String, String> metadata, List<NamedTensor> tensors) throws IOException {
        Map<String, Object> json = new LinkedHashMap<>();
        if (!metadata.isEmpty()) {
            json.put(Safetensors.METADATA, metadata);
        }
        long end = 0;
        for (NamedTensor tensor : tensors) {
            long begin = end;
            end = Math.addExact(begin, tensor.byteCount());
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("dtype", tensor.type().name());
            entry.put("shape", tensor.shape());
            entry.put("data_offsets", List.of(begin, end));
            if (json.put(tensor.name(), entry) != null) {
                throw new IllegalArgumentException("two tensors are called " + tensor.name());
            }
        }
        byte[] text = Json.writeCompact(json).getBytes(StandardCharsets.UTF_8);
        // Blanks up to a multiple of 8 keep the data aligned for readers that map it.
        byte[] padded = Arrays.copyOf(text, (text.length + 7) / 8 * 8);
        Arrays.fill(padded, text.length, padded.length, (byte) ' ');
        if (padded.length > Safetensors.MAX_HEADER) {
            throw new IllegalArgumentException(
                    "the header has " + padded.length + " bytes, but " + Safetensors.MAX_HEADER + " is the limit");
        }
        out.write(ByteBuffer.allocate(8)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(padded.length)
                .array());
        out.write(padded);
        for (NamedTensor tensor : tensors) {
            Counting counting = new Counting(out);
            tensor.content().writeTo(counting);
            if (counting.count != tensor.byteCount()) {
                throw new IllegalStateException("tensor " + tensor.name() + " wrote " + counting.count
                        + " bytes, but its shape says " + tensor.byteCount());
            }
        }
    }

    private static final class Counting extends OutputStream {
        private final OutputStream out;
        private long count;

        Counting(OutputStream out) {
            this.out = out;
        }

        @Override
        public void write(int b) throws IOException {
            out.write(b);
            count++;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
            count += length;
        }
    }
}
