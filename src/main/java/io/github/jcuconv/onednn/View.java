package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Memory;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.ShortBuffer;
import org.jspecify.annotations.Nullable;

/**
 * A tensor as Java kernels see it: a typed view of the host's buffer, remade only when other memory is bound. Absolute access only, so that
 * several threads can use it.
 */
final class View {
    private static final ByteBuffer NONE = ByteBuffer.allocate(0);
    private final Operand operand;
    private final DataType type;
    private int base;
    private ByteBuffer host = NONE;
    private FloatBuffer floats = NONE.asFloatBuffer();
    private IntBuffer ints = NONE.asIntBuffer();
    private ShortBuffer shorts = NONE.asShortBuffer();

    View(Operand operand, DataType type) {
        this.operand = operand;
        this.type = type;
    }

    @SuppressWarnings("ReferenceEquality") // Another buffer object is other memory; equality would compare contents.
    void bind(Arguments args, @Nullable Memory workspace, int slice) {
        base = Math.toIntExact(operand.begin(slice) / type.bytes());
        ByteBuffer now = operand.host(args, workspace);
        if (now == host) {
            return;
        }
        host = now;
        switch (type) {
            case FP32 -> floats = now.asFloatBuffer();
            case FP16, BF16 -> shorts = now.asShortBuffer();
            case INT32 -> ints = now.asIntBuffer();
            case UINT8 -> {}
        }
    }

    /** Reads elements as floats. */
    void load(int index, float[] to, int count, Halves.Scratch scratch) {
        if (type == DataType.FP32) {
            floats.get(base + index, to, 0, count);
            return;
        }
        shorts.get(base + index, scratch.shorts, 0, count);
        if (type == DataType.FP16) {
            Halves.fromFp16(scratch.shorts, to, count);
        } else {
            Halves.fromBf16(scratch.shorts, to, count);
        }
    }

    /** Writes floats, rounded to the type. */
    void store(int index, float[] from, int count, Halves.Scratch scratch) {
        if (type == DataType.FP32) {
            floats.put(base + index, from, 0, count);
            return;
        }
        if (type == DataType.FP16) {
            Halves.toFp16(from, count, scratch);
        } else {
            Halves.toBf16(from, scratch.shorts, count);
        }
        shorts.put(base + index, scratch.shorts, 0, count);
    }

    /** Reads 16-bit elements as they are stored. */
    void loadBits(int index, short[] to, int count) {
        shorts.get(base + index, to, 0, count);
    }

    /** Writes 16-bit elements as they are stored. */
    void storeBits(int index, short[] from, int count) {
        shorts.put(base + index, from, 0, count);
    }

    float getFloat(int index) {
        return floats.get(base + index);
    }

    void putFloat(int index, float value) {
        floats.put(base + index, value);
    }

    /** An integer, unsigned if it is a byte. */
    int getInt(int index) {
        return type == DataType.UINT8 ? host.get(base + index) & 0xff : ints.get(base + index);
    }

    void putInt(int index, int value) {
        ints.put(base + index, value);
    }
}
