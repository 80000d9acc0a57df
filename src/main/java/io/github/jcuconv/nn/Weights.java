package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.memory.Part;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of a program as flat regions: filters and matrices first (they decay, and have a 16-bit copy in mixed precision), then
 * vectors, each parameter at a multiple of {@value #ALIGN} elements; what no gradient changes lies apart. Gradients and optimizer state repeat the arrangement, so that one
 * elementwise update serves all.
 */
final class Weights {
    /** Elements; 256 B even in 16 bits. */
    private static final int ALIGN = 128;

    /** The tensors of one parameter. */
    static final class Entry {
        final Parameter parameter;
        /** fp32 values: the master copy in training. */
        final Value master;
        /** What the operations read: the 16-bit copy, or the master itself. */
        final Value used;

        final @Nullable Value gradient;
        final List<Value> states;

        Entry(Parameter parameter, Value master, Value used, @Nullable Value gradient, List<Value> states) {
            this.parameter = parameter;
            this.master = master;
            this.used = used;
            this.gradient = gradient;
            this.states = states;
        }
    }

    private final Emitter emitter;
    private final DataType storage;
    private final boolean training;
    private final int stateCount;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    final List<Value> regions = new ArrayList<>();
    int weightElements;
    int vectorElements;
    /** Flat ranges for the update; null where there is nothing of that kind. */
    @Nullable
    Flat weights;

    @Nullable
    Flat vectors;

    @Nullable
    Value gradients;

    /** One range of parameters under one update. */
    record Flat(Value master, Value gradient, List<Value> states, @Nullable Value copy) {}

    Weights(Emitter emitter, DataType storage, boolean training, int stateCount) {
        this.emitter = emitter;
        this.storage = storage;
        this.training = training;
        this.stateCount = stateCount;
    }

    boolean training() {
        return training;
    }

    Map<String, Entry> entries() {
        return entries;
    }

    Entry get(String name) {
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException("parameter " + name + ": unknown; there are " + entries.keySet());
        }
        return entry;
    }

    /** Makes the tensors of a parameter, once its layout is known. */
    Entry declare(Parameter p, Layout layout) {
        boolean stored = p.isWeight() && storage != DataType.FP32;
        boolean copied = stored && !p.frozen();
        Value master = new Value(
                p.name(),
                copied ? Part.MASTER_WEIGHTS : Part.PARAMETERS,
                p.dims(),
                stored && p.frozen() ? storage : DataType.FP32,
                layout);
        Value used = copied ? new Value(p.name() + " copy", Part.PARAMETERS, p.dims(), storage, layout) : master;
        boolean learns = training && p.trainable();
        Value gradient = learns ? new Value("d " + p.name(), Part.GRADIENTS, p.dims(), DataType.FP32, layout) : null;
        List<Value> states = new ArrayList<>();
        for (int i = 0; learns && i < stateCount; i++) {
            states.add(new Value(
                    p.name() + (i == 0 ? ".m" : ".v"), Part.OPTIMIZER_STATE, p.dims(), DataType.FP32, layout));
        }
        Entry entry = new Entry(p, master, used, gradient, states);
        entries.put(p.name(), entry);
        return entry;
    }

    /** Arranges all declared parameters into regions; call after the last declaration and before memory is planned. */
    void arrange() {
        List<Entry> filters = entries.values().stream()
                .filter(e -> e.parameter.isWeight() && e.parameter.trainable())
                .toList();
        List<Entry> frozen = entries.values().stream()
                .filter(e -> e.parameter.isWeight() && e.parameter.frozen())
                .toList();
        List<Entry> learned = entries.values().stream()
                .filter(e -> !e.parameter.isWeight() && e.parameter.trainable())
                .toList();
        List<Entry> kept = entries.values().stream()
                .filter(e -> !e.parameter.isWeight() && !e.parameter.trainable())
                .toList();
        weightElements = total(filters);
        vectorElements = total(learned);
        boolean mixed = storage != DataType.FP32;
        Value master = null;
        if (training || !mixed) {
            List<Value> all = concat(masters(filters), masters(learned));
            master = region("weights", mixed ? Part.MASTER_WEIGHTS : Part.PARAMETERS, DataType.FP32, all);
        } else if (vectorElements > 0) {
            region("vectors", Part.PARAMETERS, DataType.FP32, masters(learned));
        }
        Value copy = mixed && weightElements > 0
                ? region(
                        "weights " + storage,
                        Part.PARAMETERS,
                        storage,
                        filters.stream().map(e -> e.used).toList())
                : null;
        if (!kept.isEmpty()) {
            region("statistics", Part.PARAMETERS, DataType.FP32, masters(kept));
        }
        if (!frozen.isEmpty()) {
            region("frozen weights", Part.PARAMETERS, storage, masters(frozen));
        }
        if (!training || master == null) {
            return;
        }
        List<Entry> trained = concat(filters, learned);
        Value grads = region(
                "gradients",
                Part.GRADIENTS,
                DataType.FP32,
                trained.stream()
                        .map(e -> java.util.Objects.requireNonNull(e.gradient))
                        .toList());
        gradients = grads;
        List<Value> stateRegions = new ArrayList<>();
        for (int i = 0; i < stateCount; i++) {
            int index = i;
            stateRegions.add(region(
                    "optimizer state " + i,
                    Part.OPTIMIZER_STATE,
                    DataType.FP32,
                    trained.stream().map(e -> e.states.get(index)).toList()));
        }
        if (weightElements > 0) {
            weights = flat(master, grads, stateRegions, copy, 0, weightElements);
        }
        if (vectorElements > 0) {
            vectors = flat(master, grads, stateRegions, null, weightElements, vectorElements);
        }
    }

    private static Flat flat(
            Value master, Value gradient, List<Value> states, @Nullable Value copy, int offset, int count) {
        return new Flat(
                master.range(offset, count),
                gradient.range(offset, count),
                states.stream().map(s -> s.range(offset, count)).toList(),
                copy == null ? null : copy.range(offset, count));
    }

    private Value region(String name, Part part, DataType type, List<Value> parts) {
        long elements = 0;
        long logical = 0;
        for (Value v : parts) {
            v.offsetInRegion = elements * type.bytes();
            elements += aligned(v);
            logical += v.dims.count();
        }
        Value region = emitter.add(name, part, Dims.vector(Math.toIntExact(elements)), type, Layout.Plain.NCHW);
        region.gapBytes = (elements - logical) * type.bytes();
        for (Value v : parts) {
            v.region = region;
            region.children.add(v);
        }
        regions.add(region);
        return region;
    }

    private static int total(List<Entry> some) {
        return Math.toIntExact(some.stream().mapToLong(e -> aligned(e.master)).sum());
    }

    private static long aligned(Value v) {
        long elements = v.layout.elements(v.dims);
        return (elements + ALIGN - 1) / ALIGN * ALIGN;
    }

    private static List<Value> masters(List<Entry> some) {
        return some.stream().map(e -> e.master).toList();
    }

    private static <T> List<T> concat(List<T> a, List<T> b) {
        List<T> both = new ArrayList<>(a);
        both.addAll(b);
        return both;
    }
}
