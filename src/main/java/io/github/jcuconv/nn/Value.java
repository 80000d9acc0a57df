package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.memory.MemoryPlan;
import io.github.jcuconv.memory.Part;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A tensor of a program: placed in the arena, or part of a flat region that is. */
final class Value {
    final String name;
    final Part part;
    final Dims dims;
    final DataType type;
    final Layout layout;
    /** The flat region that it lies in, null for a slice of its own. */
    @Nullable
    Value region;

    long offsetInRegion;
    /** What lies in this region. */
    final List<Value> children = new ArrayList<>();
    /** For a region: bytes of it that hold no parameter. */
    long gapBytes;

    int first = Integer.MAX_VALUE;
    int last = -1;
    /** Whether two readers hold it as their gradient, so that nobody may overwrite it. */
    boolean shared;

    private @Nullable Memory memory;

    Value(String name, Part part, Dims dims, DataType type, Layout layout) {
        this.name = name;
        this.part = part;
        this.dims = dims;
        this.type = type;
        this.layout = layout;
    }

    long bytes() {
        return layout.elements(dims) * type.bytes();
    }

    void touch(int step) {
        first = Math.min(first, step);
        last = Math.max(last, step);
    }

    MemoryPlan.Request request() {
        // An engine that keeps nothing may propose a layout smaller than the tensor.
        long padding = Math.max(0, bytes() - dims.count() * type.bytes()) + gapBytes;
        return new MemoryPlan.Request(name, part, bytes(), padding, first, last);
    }

    /** A part of this flat region. */
    Value range(int offset, int count) {
        Value part = new Value(name, this.part, Dims.vector(count), type, Layout.Plain.NCHW);
        part.region = this;
        part.offsetInRegion = (long) offset * type.bytes();
        children.add(part);
        return part;
    }

    void bind(Memory slice) {
        memory = slice;
        children.forEach(c -> c.bind(slice.slice(c.offsetInRegion, c.bytes())));
    }

    Memory memory() {
        if (memory == null) {
            throw new IllegalStateException(name + " has no memory yet");
        }
        return memory;
    }
}
