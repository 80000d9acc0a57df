package io.github.jcuconv.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Sgd;
import io.github.jcuconv.op.Window;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import jcuda.Pointer;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** JCuda's pointers and streams, with the emulated device in the GPU's place: its addresses are as good as the driver's. */
class JCudaInteropTest {
    private static final int FLOATS = 512;

    private Engine engine;
    private int library;
    private long address;

    /** What cudaMalloc would fill in. */
    private static final class DevicePointer extends Pointer {
        DevicePointer(long address) {
            super(address);
        }
    }

    @BeforeEach
    void open() {
        Emulated.require();
        engine = Engine.open("emulated");
        library = Native.of("emulated").library();
        address = DeviceNatives.malloc(library, FLOATS * Float.BYTES);
        assertTrue(address > 0);
    }

    @AfterEach
    void close() {
        if (engine != null) {
            engine.close();
            DeviceNatives.free(library, address);
        }
    }

    /**
     * What a framework writes to train on its own pointers and stream: it wraps them once, and each step only queues plans behind its own work.
     * Here a layer y = w x with the loss sum(y y) / 2, so that dy = y, and the update of w.
     */
    private static final class FrameworkStep implements AutoCloseable {
        static final int PIXELS = 8;
        private final Stream stream;
        private final List<Plan> plans;
        private final Memory workspace;
        private final Arguments arguments = new Arguments();

        /**
         * @param slab x, y, w, dw and HYPER in one allocation of the framework's, each at a multiple of 256 bytes
         * @param own the framework's stream
         */
        FrameworkStep(Engine engine, Pointer slab, cudaStream_t own) {
            Conv2d layer = Conv2d.of(new Dims(1, 1, 1, PIXELS), 1, Window.of(1, 1));
            plans = List.of(
                    engine.plan(PlanRequest.of(layer, Pass.FPROP)),
                    engine.plan(PlanRequest.of(layer, Pass.WGRAD)),
                    engine.plan(PlanRequest.of(new Sgd(1, false, DataType.FP32), Pass.UPDATE)));
            workspace = engine.allocate(Math.max(
                    1, plans.stream().mapToLong(Plan::workspaceBytes).max().orElseThrow()));
            stream = JCudaInterop.wrap(engine, own);
            Memory x = JCudaInterop.wrap(engine, slab, PIXELS * Float.BYTES);
            Memory y = JCudaInterop.wrap(engine, slab.withByteOffset(256), PIXELS * Float.BYTES);
            Memory w = JCudaInterop.wrap(engine, slab.withByteOffset(512), Float.BYTES);
            Memory dw = JCudaInterop.wrap(engine, slab.withByteOffset(768), Float.BYTES);
            Memory hyper = JCudaInterop.wrap(engine, slab.withByteOffset(1024), Hyper.COUNT * Float.BYTES);
            arguments
                    .set(Arg.X, x)
                    .set(Arg.W, w)
                    .set(Arg.Y, y)
                    .set(Arg.DY, y)
                    .set(Arg.DW, dw)
                    .set(Arg.HYPER, hyper);
        }

        void queue() {
            plans.forEach(plan -> plan.execute(arguments, workspace, stream));
        }

        @Override
        public void close() {
            plans.forEach(Plan::close); // waits for them; what is wrapped stays the framework's
        }
    }

    @Test
    void aFrameworkTrainsOnItsOwnPointersAndStream() {
        Pointer slab = new DevicePointer(address);
        try (Stream own = JCudaInterop.wrap(engine, new cudaStream_t());
                FrameworkStep step = new FrameworkStep(engine, slab, new cudaStream_t())) {
            write(own, 0, 1, 2, 3, 4, 5, 6, 7, 8); // x
            write(own, 512, 2); // w
            float[] hyper = new float[Hyper.COUNT];
            hyper[Hyper.LEARNING_RATE] = 1 / 1024f;
            hyper[Hyper.GRADIENT_SCALE] = hyper[Hyper.APPLY] = 1;
            write(own, 1024, hyper);
            step.queue();
            step.queue();
            // sum(x x) = 204, so that each step takes 204 / 1024 of w off.
            float once = 2 - 2 * 204 / 1024f;
            assertArrayEquals(new float[] {once, 2 * once, 3 * once}, read(own, 256, 3));
            assertArrayEquals(new float[] {once - once * 204 / 1024}, read(own, 512, 1));
        }
    }

    private void write(Stream stream, long offset, float... values) {
        ByteBuffer host = ByteBuffer.allocateDirect(values.length * Float.BYTES).order(ByteOrder.nativeOrder());
        host.asFloatBuffer().put(values);
        stream.upload(
                host, JCudaInterop.wrap(engine, new DevicePointer(address).withByteOffset(offset), host.capacity()));
        stream.synchronize();
    }

    private float[] read(Stream stream, long offset, int count) {
        ByteBuffer host = ByteBuffer.allocateDirect(count * Float.BYTES).order(ByteOrder.nativeOrder());
        stream.download(
                JCudaInterop.wrap(engine, new DevicePointer(address).withByteOffset(offset), host.capacity()), host);
        stream.synchronize();
        float[] values = new float[count];
        host.asFloatBuffer().get(values);
        return values;
    }

    @Test
    void nullAndHostPointersAreRefused() {
        refused("null", null, 4);
        refused("host pointer", new Pointer(), 4);
        refused("host pointer", Pointer.to(new float[4]), 16);
        refused("host pointer", Pointer.to(ByteBuffer.allocate(16)), 16);
        assertThrows(IllegalArgumentException.class, () -> JCudaInterop.wrap(engine, (cudaStream_t) null));
    }

    @Test
    void memoryThatIsNotTheDevicesIsRefused() {
        refused("", new DevicePointer(address), FLOATS * Float.BYTES + 1);
        refused("", new DevicePointer(address).withByteOffset(FLOATS * Float.BYTES), 4);
        refused("", new DevicePointer(0x1000), 4);
        refused("", new DevicePointer(address), 0);
        refused("", new DevicePointer(address), -1);
        long dead = DeviceNatives.malloc(library, 256);
        assertEquals(0, DeviceNatives.free(library, dead));
        refused("", new DevicePointer(dead), 256);
    }

    private void refused(String part, Pointer pointer, long bytes) {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> JCudaInterop.wrap(engine, pointer, bytes));
        assertTrue(e.getMessage().contains(part), e.getMessage());
    }
}
