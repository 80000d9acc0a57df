package io.github.jcuconv.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** The natives themselves: each one links, stays small in the glue, and answers a call without a library. */
class NativesTest {
    private static final int INVALID_HANDLE = 100;
    private static final List<Class<?>> CLASSES = List.of(DeviceNatives.class, PlanNatives.class);

    @BeforeAll
    static void load() {
        Emulated.require();
    }

    /** In one order: reflection's changes from process to process. */
    static Stream<Method> natives() {
        return CLASSES.stream()
                .flatMap(c -> Arrays.stream(c.getDeclaredMethods()))
                .filter(m -> Modifier.isNative(m.getModifiers()))
                .sorted(Comparator.comparing(Method::getName));
    }

    @Test
    void nativesArePackagePrivate() {
        List<Method> open = natives()
                .filter(m -> (m.getModifiers() & (Modifier.PUBLIC | Modifier.PROTECTED | Modifier.PRIVATE)) != 0)
                .toList();
        assertEquals(List.of(), open);
    }

    @Test
    void everyNativeLinksAndRefusesALibraryThatIsNotOpen() throws ReflectiveOperationException {
        int called = 0;
        for (Method method : natives().toList()) {
            if (method.getName().equals("open")) {
                continue;
            }
            Object[] arguments = Arrays.stream(method.getParameterTypes())
                    .map(NativesTest::nothing)
                    .toArray();
            if (arguments.length > 0) {
                arguments[0] = -1;
            }
            Object result = method.invoke(null, arguments);
            if (result instanceof Integer status && method.getReturnType() == int.class) {
                assertEquals(INVALID_HANDLE, Math.abs(status), method.getName());
            } else if (result instanceof Long made) {
                assertEquals(-INVALID_HANDLE, made, method.getName());
            }
            called++;
        }
        assertTrue(called > 40, "only " + called + " natives found");
    }

    private static Object nothing(Class<?> type) {
        if (type == int.class) {
            return 0;
        }
        if (type == long.class) {
            return 0L;
        }
        if (type == float.class) {
            return 0f;
        }
        return type == boolean.class ? Boolean.FALSE : null;
    }

    @Test
    void aPathThatIsNoLibraryIsRefusedWithItsReason() {
        assertTrue(DeviceNatives.open("/nowhere/libnothing.so") < 0);
        assertTrue(DeviceNatives.openError().contains("/nowhere/libnothing.so"), DeviceNatives.openError());
        assertTrue(DeviceNatives.open(null) < 0);
    }

    @Test
    void partsOutsideABufferAreRefused() {
        int library = Native.of("emulated").library();
        long memory = DeviceNatives.malloc(library, 256);
        ByteBuffer host = ByteBuffer.allocateDirect(64).order(ByteOrder.nativeOrder());
        try {
            assertTrue(DeviceNatives.upload(library, host, 0, 65, memory, 0) != 0);
            assertTrue(DeviceNatives.upload(library, host, -1, 8, memory, 0) != 0);
            assertTrue(DeviceNatives.upload(library, host, Long.MAX_VALUE, 8, memory, 0) != 0);
            assertTrue(DeviceNatives.upload(library, ByteBuffer.allocate(64), 0, 8, memory, 0) != 0);
            assertTrue(DeviceNatives.download(library, memory, null, 0, 8, 0) != 0);
            assertEquals(0, DeviceNatives.upload(library, host, 56, 8, memory, 0));
            assertEquals(0, DeviceNatives.streamSynchronize(library, 0));
        } finally {
            assertEquals(0, DeviceNatives.free(library, memory));
        }
    }
}
