package peers.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_FROM;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_TO;

import java.util.ArrayList;
import java.util.List;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_desc;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;

/** A list of primitives bound to their tensors, built once and run every step: nothing is created while training. */
final class Program {
    private record Bound(primitive primitive, IntMemoryMap tensors) {}

    private final engine cpu;
    private final List<Bound> steps = new ArrayList<>();

    Program(engine cpu) {
        this.cpu = cpu;
    }

    /** Appends a primitive; {@code tensors} alternates argument numbers and memories. */
    void add(primitive_desc descriptor, Object... tensors) {
        add(new primitive(descriptor), tensors);
    }

    /**
     * The tensor in the wanted layout: itself where it already has it, else a copy that a reorder fills in each run.
     */
    memory adapt(memory tensor, memory.desc wanted) {
        if (tensor.get_desc().equals(wanted)) {
            return tensor;
        }
        memory copy = new memory(wanted, cpu);
        add(new reorder(tensor, copy), DNNL_ARG_FROM, tensor, DNNL_ARG_TO, copy);
        return copy;
    }

    private void add(primitive primitive, Object... tensors) {
        IntMemoryMap map = new IntMemoryMap();
        for (int i = 0; i < tensors.length; i += 2) {
            map.put((int) (Integer) tensors[i], (memory) tensors[i + 1]);
        }
        steps.add(new Bound(primitive, map));
    }

    void run(stream stream) {
        for (Bound step : steps) {
            step.primitive.execute(stream, step.tensors);
        }
        stream._wait();
    }
}
