package io.github.jcuconv.onednn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.UnsupportedException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.dnnl.memory;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.LongPointer;

/**
 * Our layouts and oneDNN's memory descriptors. A descriptor has one, two, four or five numbers as its shape: filters with groups are
 * (G, K/G, C/G, R, S), dense layers on vectors (N, C).
 */
final class Descs {
    private static final int TYPE_OFFSET = typeOffset();

    private record Key(Layout.Opaque layout, DataType type) {}

    private final Map<Layout.Opaque, memory.desc> proposed = new ConcurrentHashMap<>();
    private final Map<Key, memory.desc> typed = new ConcurrentHashMap<>();

    static memory.data_type type(DataType type) {
        return switch (type) {
            case FP32 -> memory.data_type.f32;
            case FP16 -> memory.data_type.f16;
            case BF16 -> memory.data_type.bf16;
            case INT32 -> memory.data_type.s32;
            case UINT8 -> memory.data_type.u8;
        };
    }

    static long[] shape(Dims d) {
        return new long[] {d.n(), d.c(), d.h(), d.w()};
    }

    /** oneDNN may choose the layout. */
    static memory.desc any(long[] shape, DataType type) {
        return new memory.desc(shape, type(type), memory.format_tag.any);
    }

    /** The shape of one descriptor with the type of another, in a layout of oneDNN's choice. */
    static memory.desc anyLike(memory.desc shape, memory.desc type) {
        return new memory.desc(dims(shape), type.get_data_type(), memory.format_tag.any);
    }

    static memory.desc plain(Layout.Plain layout, long[] shape, DataType type) {
        boolean channelsLast = layout == Layout.Plain.NHWC;
        memory.format_tag tag =
                switch (shape.length) {
                    case 1 -> memory.format_tag.a;
                    case 2 -> memory.format_tag.ab;
                    case 4 -> channelsLast ? memory.format_tag.acdb : memory.format_tag.abcd;
                    default -> channelsLast ? memory.format_tag.abdec : memory.format_tag.abcde;
                };
        return new memory.desc(shape, type(type), tag);
    }

    /** A plain vector. */
    static memory.desc vector(int length) {
        return plain(Layout.Plain.NCHW, new long[] {length}, DataType.FP32);
    }

    /** The blocked layout of activations that most primitives are fastest with. */
    static memory.desc blocked(long[] shape, DataType type) {
        return new memory.desc(shape, type(type), memory.format_tag.aBcd16b);
    }

    /** For another height and width: plain as that layout is plain, the blocked one of activations otherwise. */
    memory.desc sameOrder(Layout layout, long[] shape, DataType type) {
        if (layout instanceof Layout.Plain plain) {
            return plain(plain, shape, type);
        }
        memory.desc md = proposed((Layout.Opaque) layout);
        long block = md.get_inner_nblks() == 1 ? md.get_inner_blks().get() : 16;
        return block == 8 ? new memory.desc(shape, type(type), memory.format_tag.aBcd8b) : blocked(shape, type);
    }

    /** A plain fp32 vector over the channels of a tensor of this shape, with as many dimensions. */
    static memory.desc channels(long[] shape) {
        long[] vector = new long[shape.length];
        Arrays.fill(vector, 1);
        vector[1] = shape[1];
        return plain(Layout.Plain.NCHW, vector, DataType.FP32);
    }

    /** The descriptor of a layout: {@code shape} serves plain layouts, opaque ones bring their own. */
    memory.desc of(Layout layout, long[] shape, DataType type) {
        if (layout instanceof Layout.Plain plain) {
            return plain(plain, shape, type);
        }
        Layout.Opaque opaque = (Layout.Opaque) layout;
        memory.desc md = typed.computeIfAbsent(new Key(opaque, type), key -> withType(proposed(opaque), type));
        boolean slice = shape.length == md.get_ndims() && shape[0] < dims(md)[0];
        return slice ? md.submemory_desc(shape, new long[shape.length], false) : md;
    }

    /** Whether a descriptor, of the whole or of a slice of the batch, lies as this layout of a tensor says. */
    boolean isArranged(memory.desc md, Layout layout, Dims dims) {
        long[] shape = dims(md);
        Dims part = shape.length == 4 && shape[0] < dims.n() ? dims.withN((int) shape[0]) : dims;
        Layout found = layout(md, part);
        if (found instanceof Layout.Opaque a && layout instanceof Layout.Opaque b) {
            return a.format().equals(b.format()) && a.paddedElements() * dims.n() == b.paddedElements() * part.n();
        }
        return found.equals(layout);
    }

    /** The shape in which oneDNN sees a layout, {@code otherwise} for plain ones. */
    long[] shape(Layout layout, long[] otherwise) {
        return layout instanceof Layout.Opaque opaque ? dims(proposed(opaque)) : otherwise;
    }

    private memory.desc proposed(Layout.Opaque layout) {
        memory.desc md = proposed.get(layout);
        if (md == null) {
            throw new UnsupportedException(
                    Native.ENGINE,
                    "layout " + layout,
                    "it was proposed by another engine or another instance; ask this one to propose",
                    List.of());
        }
        return md;
    }

    /** The layout of a descriptor that oneDNN chose for a tensor, remembered for {@link #of}. */
    Layout layout(memory.desc md, Dims dims) {
        long[] shape = dims(md);
        DataType type = type(md);
        for (Layout.Plain plain : Layout.Plain.values()) {
            if (md.equals(plain(plain, shape, type)) && md.get_size() == dims.count() * type.bytes()) {
                boolean same = dims.c() == 1 || (long) dims.h() * dims.w() == 1;
                return same ? Layout.Plain.NCHW : plain;
            }
        }
        long elements = (md.get_size() + type.bytes() - 1) / type.bytes();
        Layout.Opaque layout = new Layout.Opaque(Native.ENGINE, dims, format(md, shape), elements);
        proposed.putIfAbsent(layout, md);
        return layout;
    }

    static long[] dims(memory.desc md) {
        return longs(md.get_dims(), md.get_ndims());
    }

    private static DataType type(memory.desc md) {
        memory.data_type type = md.get_data_type();
        for (DataType candidate : DataType.values()) {
            if (type(candidate).value == type.value) {
                return candidate;
            }
        }
        throw new IllegalStateException("oneDNN chose the element type " + type);
    }

    private static long[] longs(LongPointer pointer, int count) {
        long[] values = new long[count];
        pointer.get(values);
        return values;
    }

    /**
     * The arrangement in oneDNN's letters, e.g. {@code aBcd16b}: dimensions from the slowest on, capitals where blocked, then the blocks; the
     * shape where it is not ours, and the strides where they are not dense.
     */
    private static String format(memory.desc md, long[] shape) {
        int rank = shape.length;
        long[] strides = longs(md.get_strides(), rank);
        long[] padded = longs(md.get_padded_dims(), rank);
        int blocks = md.get_inner_nblks();
        long[] sizes = blocks == 0 ? new long[0] : longs(md.get_inner_blks(), blocks);
        long[] indices = blocks == 0 ? new long[0] : longs(md.get_inner_idxs(), blocks);
        long[] outer = padded.clone();
        StringBuilder inner = new StringBuilder();
        long dense = 1;
        for (int i = 0; i < blocks; i++) {
            int dim = (int) indices[i];
            outer[dim] /= sizes[i];
            dense *= sizes[i];
            inner.append(sizes[i]).append((char) ('a' + dim));
        }
        Integer[] order = new Integer[rank];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (i, j) -> {
            int byStride = Long.compare(strides[j], strides[i]);
            return byStride != 0 ? byStride : Long.compare(outer[j], outer[i]);
        });
        StringBuilder text = new StringBuilder();
        boolean isDense = true;
        for (int i = rank - 1; i >= 0; i--) {
            int dim = order[i];
            isDense &= outer[dim] == 1 || strides[dim] == dense;
            dense *= outer[dim];
            text.append((char) ((outer[dim] == padded[dim] ? 'a' : 'A') + dim));
        }
        text.reverse().append(inner);
        if (rank != 4) {
            text.append(" of ").append(join(shape));
        }
        if (!isDense) {
            text.append(" strides ").append(join(strides));
        }
        if (md.get_size() != dense * type(md).bytes()) {
            text.append(" in ").append(md.get_size()).append(" B");
        }
        return text.toString();
    }

    private static String join(long[] values) {
        StringBuilder text = new StringBuilder();
        for (long value : values) {
            text.append(text.isEmpty() ? "" : "x").append(value);
        }
        return text.toString();
    }

    /** The same arrangement with another element type. oneDNN has no call for this, but a descriptor can be saved, changed and loaded. */
    private static memory.desc withType(memory.desc md, DataType type) {
        if (md.get_data_type().value == type(type).value) {
            return md;
        }
        byte[] blob = blob(md);
        writeInt(blob, TYPE_OFFSET, type(type).value);
        memory.desc result = new memory.desc(blob);
        if (result.get_data_type().value != type(type).value || !Arrays.equals(dims(result), dims(md))) {
            throw new IllegalStateException("oneDNN's descriptors have another form in this version");
        }
        return result;
    }

    private static byte[] blob(memory.desc md) {
        BytePointer pointer = md.get_blob();
        byte[] bytes = new byte[(int) pointer.limit()];
        pointer.get(bytes);
        return bytes;
    }

    /** Where a saved descriptor holds its type: the only place in which two that differ by type differ. */
    private static int typeOffset() {
        long[] shape = {2, 32, 3, 5};
        byte[] a = blob(plain(Layout.Plain.NCHW, shape, DataType.FP32));
        byte[] b = blob(plain(Layout.Plain.NCHW, shape, DataType.BF16));
        return Arrays.mismatch(a, b);
    }

    private static void writeInt(byte[] bytes, int offset, int value) {
        for (int i = 0; i < 4; i++) {
            bytes[offset + i] = (byte) (value >>> 8 * i);
        }
    }
}
