package io.github.jcuconv.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Stream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.Test;

/** The fake punishes what it is there to punish. */
class LateEngineTest {
    private static ByteBuffer buffer(float value) {
        return ByteBuffer.allocateDirect(4).order(ByteOrder.nativeOrder()).putFloat(0, value);
    }

    @Test
    void aSourceThatChangesTooEarlyAndATargetThatIsReadTooEarlyAreSeen() {
        try (Engine engine = LateEngine.open();
                Stream stream = engine.newStream();
                Memory memory = engine.allocate(4)) {
            ByteBuffer source = buffer(1);
            ByteBuffer target = buffer(2);
            stream.upload(source, memory);
            source.putFloat(0, 3);
            stream.download(memory, target);
            assertTrue(Float.isNaN(target.getFloat(0)));
            stream.synchronize();
            assertEquals(3, target.getFloat(0));
        }
    }

    @Test
    void theHostSeesNoMemoryAndFreshMemoryIsNan() {
        try (Engine engine = LateEngine.open();
                Stream stream = engine.newStream();
                Memory memory = engine.allocate(4)) {
            assertThrows(UnsupportedOperationException.class, memory::buffer);
            ByteBuffer target = buffer(0);
            stream.download(memory, target);
            stream.synchronize();
            assertTrue(Float.isNaN(target.getFloat(0)));
        }
    }

    @Test
    void memoryFreedTooEarlyIsAnError() {
        try (Engine engine = LateEngine.open();
                Stream stream = engine.newStream();
                Memory memory = engine.allocate(4)) {
            stream.fill(memory, (byte) 0);
            assertThrows(IllegalStateException.class, memory::close);
        }
    }

    @Test
    void waitingDuringCaptureIsAnError() {
        try (Engine engine = LateEngine.open();
                Stream stream = engine.newStream()) {
            assertThrows(IllegalStateException.class, () -> stream.capture(stream::synchronize));
        }
    }
}
