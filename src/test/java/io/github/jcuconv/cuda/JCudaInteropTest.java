package io.github.jcuconv.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.runtime.cudaStream_t;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** JCuda's pointers and streams, with the emulated device in the GPU's place: its addresses are as good as the driver's. */
class JCudaInteropTest {
    private static final int FLOATS = 64;

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

    @Test
    void aFrameworkRunsAStepOnItsOwnPointersAndStream() {
        PlanRequest request =
                PlanRequest.of(Activation.of(new Dims(1, FLOATS / 2, 1, 1), Activation.Kind.RELU), Pass.FWD);
        Pointer all = new DevicePointer(address);
        try (Memory x = JCudaInterop.wrap(engine, all, FLOATS / 2 * Float.BYTES);
                Memory y = JCudaInterop.wrap(
                        engine, all.withByteOffset(FLOATS / 2 * Float.BYTES), FLOATS / 2 * Float.BYTES);
                Stream stream = JCudaInterop.wrap(engine, new cudaStream_t());
                Plan relu = engine.plan(request)) {
            ByteBuffer host =
                    ByteBuffer.allocateDirect(FLOATS / 2 * Float.BYTES).order(ByteOrder.nativeOrder());
            float[] expected = new float[FLOATS / 2];
            for (int i = 0; i < expected.length; i++) {
                host.putFloat(i * Float.BYTES, i - 10);
                expected[i] = Math.max(0, i - 10);
            }
            stream.upload(host, x);
            relu.execute(new Arguments().set(Arg.X, x).set(Arg.Y, y), null, stream);
            ByteBuffer result =
                    ByteBuffer.allocateDirect(FLOATS / 2 * Float.BYTES).order(ByteOrder.nativeOrder());
            stream.download(y, result);
            stream.synchronize();
            float[] got = new float[FLOATS / 2];
            result.asFloatBuffer().get(got);
            assertArrayEquals(expected, got);
            assertEquals(address + FLOATS / 2 * Float.BYTES, y.address());
        }
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
