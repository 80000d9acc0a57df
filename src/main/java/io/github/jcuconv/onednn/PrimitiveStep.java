package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Memory;
import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/** Runs one primitive. Its memory objects are made once; only addresses that changed since the last run are set again. */
final class PrimitiveStep implements Step {
    /**
     * One argument of a primitive.
     *
     * @param id oneDNN's number for its role
     * @param operand where it lies
     * @param md its shape, type and layout
     */
    record Use(int id, Operand operand, memory.desc md) {}

    private final String what;
    private final primitive kernel;
    private final Operand[] operands;
    private final memory[] memories;
    private final long[] addresses;
    private final long[] sizes;
    private final IntMemoryMap map = new IntMemoryMap();
    private final Native.Address address = new Native.Address();

    PrimitiveStep(String what, engine cpu, primitive kernel, List<Use> uses) {
        this.what = what;
        this.kernel = kernel;
        int count = uses.size();
        operands = new Operand[count];
        memories = new memory[count];
        addresses = new long[count];
        sizes = new long[count];
        for (int i = 0; i < count; i++) {
            Use use = uses.get(i);
            operands[i] = use.operand();
            sizes[i] = use.md().get_size();
            memories[i] = new memory(use.md(), cpu, (Pointer) null);
            map.put(use.id(), memories[i]);
        }
    }

    @Override
    public void run(Arguments args, @Nullable Memory workspace, stream queue, int slice) {
        for (int i = 0; i < operands.length; i++) {
            long now = operands[i].address(args, workspace, slice);
            if (now != addresses[i]) {
                memories[i].set_data_handle(address.at(now, sizes[i]));
                addresses[i] = now;
            }
        }
        try {
            kernel.execute(queue, map);
        } catch (RuntimeException e) {
            throw Native.failed(what, e);
        }
    }

    @Override
    public void close() {
        map.close();
        for (memory bound : memories) {
            bound.close();
        }
    }
}
