package io.github.jcuconv.reference;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/** A plain tensor whose elements are read and written as fp64; writing rounds once. One thread at a time may write. */
public final class Tensor {
    private final Dims dims;
    private final @Nullable DataType type;
    private final ByteBuffer data;
    private final int strideN;
    private final int strideC;
    private final int strideH;
    private final int strideW;

    private Tensor(Dims dims, @Nullable DataType type, Layout.Plain layout, ByteBuffer data) {
        this.dims = dims;
        this.type = type;
        this.data = data;
        boolean channelsLast = layout == Layout.Plain.NHWC;
        this.strideN = Math.toIntExact(dims.perImage());
        this.strideC = channelsLast ? 1 : dims.h() * dims.w();
        this.strideH = channelsLast ? dims.w() * dims.c() : dims.w();
        this.strideW = channelsLast ? dims.c() : 1;
    }

    /** A view of memory that starts at index 0 of a buffer in native byte order. */
    public static Tensor of(Dims dims, DataType type, Layout.Plain layout, ByteBuffer data) {
        return new Tensor(dims, type, layout, data);
    }

    /** A tensor on the Java heap, zeros. */
    public static Tensor zeros(Dims dims, DataType type) {
        ByteBuffer data = ByteBuffer.allocate(Math.toIntExact(dims.count() * type.bytes()))
                .order(ByteOrder.nativeOrder());
        return new Tensor(dims, type, Layout.Plain.NCHW, data);
    }

    /** A tensor of fp64 numbers, which are never rounded; zeros. */
    public static Tensor exact(Dims dims) {
        ByteBuffer data = ByteBuffer.allocate(Math.toIntExact(dims.count() * Double.BYTES))
                .order(ByteOrder.nativeOrder());
        return new Tensor(dims, null, Layout.Plain.NCHW, data);
    }

    /** Its shape. */
    public Dims dims() {
        return dims;
    }

    /** Its element type, null for fp64. */
    public @Nullable DataType type() {
        return type;
    }

    /** Its elements' bytes, in native byte order. */
    public ByteBuffer data() {
        return data;
    }

    /** The element at (n, c, h, w). */
    public double get(int n, int c, int h, int w) {
        return at(n * strideN + c * strideC + h * strideH + w * strideW);
    }

    /** The element at (n, c, h, w), zero outside of the image: zero padding. */
    double padded(int n, int c, int h, int w) {
        return h < 0 || h >= dims.h() || w < 0 || w >= dims.w() ? 0 : get(n, c, h, w);
    }

    /** Writes the element at (n, c, h, w). */
    public void set(int n, int c, int h, int w, double value) {
        put(n * strideN + c * strideC + h * strideH + w * strideW, value);
    }

    /** The element at a place in memory. */
    public double at(int index) {
        if (type == null) {
            return data.getDouble(index * Double.BYTES);
        }
        return switch (type) {
            case FP32 -> data.getFloat(index * 4);
            case FP16 -> Rounding.fromHalf(data.getShort(index * 2));
            case BF16 -> Rounding.fromBfloat(data.getShort(index * 2));
            case INT32 -> data.getInt(index * 4);
            case UINT8 -> data.get(index) & 0xFF;
        };
    }

    /** Writes the element at a place in memory. */
    public void put(int index, double value) {
        if (type == null) {
            data.putDouble(index * Double.BYTES, value);
            return;
        }
        switch (type) {
            case FP32 -> data.putFloat(index * 4, (float) value);
            case FP16 -> data.putShort(index * 2, Rounding.toHalf(value));
            case BF16 -> data.putShort(index * 2, Rounding.toBfloat(value));
            case INT32 -> data.putInt(index * 4, (int) value);
            case UINT8 -> data.put(index, (byte) (int) value);
        }
    }

    /** Copies every element of a tensor of the same shape, whatever its layout and type. */
    public void copyFrom(Tensor from) {
        for (int n = 0; n < dims.n(); n++) {
            for (int c = 0; c < dims.c(); c++) {
                for (int h = 0; h < dims.h(); h++) {
                    for (int w = 0; w < dims.w(); w++) {
                        set(n, c, h, w, from.get(n, c, h, w));
                    }
                }
            }
        }
    }
}
