package io.github.jcuconv.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Calls straight at the natives, all checks of Java bypassed: null, closed, stale, of another kind, of a wrong size, misaligned, overlapping.
 * Each must answer with a status; a crash ends this JVM and with it the build.
 */
class HostileCallsTest {
    private static final int CALLS = 1_000_000;
    private static final long SEED = 2;
    private static final long[] LONGS = {
        0,
        1,
        -1,
        2,
        7,
        255,
        256,
        4096,
        1 << 20,
        Integer.MAX_VALUE,
        1L << 50,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        1L << 60 | 1L << 32 | 1
    };
    private static final int[] INTS = {
        0, 1, 1, 2, 3, 4, 5, 8, 17, 32, 100, -1, 65536, Integer.MAX_VALUE, Integer.MIN_VALUE
    };
    private static final float[] FLOATS = {0, 1, 0.5f, 1e-4f, -1, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE};
    private static final Object[] CONV_TRANSPOSE = {
        0, 0, 1L << 20, 1, 4, 4, 1, 1, 2, 2, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 0, 0, false, false, 0, 0
    };
    /** What a call may allocate; sizes above are absurd on purpose and fail. */
    private static final long LARGEST_ALLOCATION = 1 << 16;

    private final Random random = new Random(SEED);
    private final List<Long> handles = new ArrayList<>();
    private final List<Long> addresses = new ArrayList<>();
    private final List<ByteBuffer> buffers = new ArrayList<>();
    private final List<ByteBuffer> pinned = new ArrayList<>();
    private int library;
    /** Made by {@link #settle}. */
    private long lastStream;

    private long lastGraph;
    private long lastEvent;

    @BeforeAll
    static void load() {
        Emulated.require();
    }

    @Test
    void everyCallGivesAStatus() throws ReflectiveOperationException {
        library = Native.of("emulated").library();
        List<Method> natives = NativesTest.natives()
                .filter(m -> !m.getName().equals("open") && !m.getName().equals("openError"))
                .toList();
        buffers.add(ByteBuffer.allocateDirect(4096));
        buffers.add(ByteBuffer.allocateDirect(1));
        buffers.add(ByteBuffer.allocate(4096));
        Set<Integer> known = new HashSet<>();
        TreeMap<String, Integer> succeeded = new TreeMap<>();
        for (int i = 0; i < CALLS; i++) {
            Method method = natives.get(random.nextInt(natives.size()));
            Object[] arguments = arguments(method);
            Object result = method.invoke(null, arguments);
            int status = note(method, result);
            if (status == 0 && method.getName().equals("freeHost")) {
                // A buffer over freed memory is the one thing that nobody can check; HostBuffer never lets one out.
                pinned.removeIf(buffer -> buffer == arguments[1]);
            }
            known.add(status);
            if (status == 0) {
                succeeded.merge(method.getName(), 1, Integer::sum);
            }
            if (i % 1000 == 999) {
                settle();
            }
        }
        settle();
        assertTrue(known.stream().allMatch(s -> s >= 0 && s < 1000), "unknown statuses: " + known);
        // A fuzzer that never gets through tests only the first check of each function. Random calls break every
        // capture.
        for (Method method : natives) {
            assertTrue(
                    method.getName().equals("graphEnd") || succeeded.containsKey(method.getName()),
                    method.getName() + " never succeeded");
        }
    }

    private Object[] arguments(Method method) {
        Class<?>[] types = method.getParameterTypes();
        boolean plausible = random.nextInt(4) != 0;
        Object[] values = new Object[types.length];
        for (int i = 0; i < types.length; i++) {
            values[i] = value(types[i], plausible);
        }
        Object[] right = right(method.getName());
        if (right.length > 0 && random.nextInt(4) == 0) {
            values = right;
            for (int changes = random.nextInt(3); changes > 0; changes--) {
                int place = random.nextInt(types.length);
                values[place] = value(types[place], plausible);
            }
        }
        if (types.length > 0) {
            values[0] = random.nextInt(50) == 0 ? value(int.class, false) : library;
        }
        boolean allocates = method.getName().startsWith("malloc");
        if (allocates && (long) values[1] > LARGEST_ALLOCATION && (long) values[1] < 1L << 40) {
            values[1] = LARGEST_ALLOCATION;
        }
        if (method.getName().equals("streamWrap")) {
            values[1] = 0L; // A stream of the driver is taken on trust, as the header says.
        }
        return values;
    }

    /** The arguments of a right call, for functions that random numbers hardly ever get through; most are changed in a place or two. */
    private Object[] right(String name) {
        return switch (name) {
            case "convTranspose2d" -> CONV_TRANSPOSE.clone();
            case "graphLaunch" -> new Object[] {library, lastGraph, lastStream};
            case "eventElapsed" -> new Object[] {library, lastEvent, lastEvent};
            default -> new Object[0];
        };
    }

    private Object value(Class<?> type, boolean plausible) {
        if (type == int.class) {
            return plausible ? random.nextInt(4) : INTS[random.nextInt(INTS.length)];
        }
        if (type == long.class) {
            return longValue(plausible);
        }
        if (type == float.class) {
            return plausible ? 0.5f : FLOATS[random.nextInt(FLOATS.length)];
        }
        if (type == boolean.class) {
            return random.nextBoolean();
        }
        if (type == ByteBuffer.class) {
            List<ByteBuffer> from = random.nextInt(3) == 0 && !pinned.isEmpty() ? pinned : buffers;
            return random.nextInt(20) == 0 ? null : from.get(random.nextInt(from.size()));
        }
        return type == long[].class ? table() : null;
    }

    private long longValue(boolean plausible) {
        int kind = random.nextInt(6);
        if (kind == 0 && !handles.isEmpty()) {
            return handles.get(random.nextInt(handles.size()));
        }
        if (kind == 1 && !addresses.isEmpty()) {
            return addresses.get(random.nextInt(addresses.size())) + (plausible ? 0 : random.nextInt(600) - 300);
        }
        if (kind == 2) {
            return plausible ? random.nextInt(64) : random.nextLong();
        }
        return plausible && kind < 5 ? 1L << random.nextInt(14) : LONGS[random.nextInt(LONGS.length)];
    }

    private long[] table() {
        if (random.nextInt(30) == 0) {
            return random.nextBoolean() ? null : new long[random.nextInt(100)];
        }
        long[] table = new long[2 * io.github.jcuconv.op.Arg.values().length];
        for (int i = 0; i < table.length; i += 2) {
            table[i] = addresses.isEmpty() ? 0 : addresses.get(random.nextInt(addresses.size()));
            table[i + 1] = random.nextInt(10) == 0 ? longValue(false) : LARGEST_ALLOCATION;
        }
        return table;
    }

    /** Keeps what was made for later calls; gives the status. */
    private int note(Method method, Object result) {
        if (result instanceof ByteBuffer memory) {
            pinned.add(memory);
            return 0;
        }
        if (result instanceof Integer status) {
            return Math.abs(status) < 1000 && method.getName().equals("deviceCount") ? 0 : status;
        }
        if (!(result instanceof Long made)) {
            return 0;
        }
        if (made < 0) {
            return (int) Math.max(-made, -1);
        }
        boolean memory = method.getName().equals("malloc");
        if (memory && made != 0) {
            addresses.add(made);
        } else if (method.getName().matches("(stream(?!Native)|event|graph).*")
                || method.getDeclaringClass() == PlanNatives.class) {
            handles.add(made);
        }
        return 0;
    }

    /** Ends captures, frees what is old, and clears a device error, so that the next thousand calls get through again. */
    private void settle() {
        for (long handle : handles) {
            DeviceNatives.graphEnd(library, handle);
        }
        DeviceNatives.graphEnd(library, 0);
        DeviceNatives.streamSynchronize(library, 0);
        long stream = DeviceNatives.streamCreate(library);
        assertEquals(0, DeviceNatives.graphBegin(library, stream));
        long graph = DeviceNatives.graphEnd(library, stream);
        assertTrue(graph > 0, "an undisturbed capture fails with " + graph);
        handles.add(stream);
        handles.add(graph);
        long event = DeviceNatives.eventCreate(library);
        assertEquals(0, DeviceNatives.eventRecord(library, event, stream));
        handles.add(event);
        lastEvent = event;
        lastStream = stream;
        lastGraph = graph;
        while (handles.size() > 200) {
            long handle = handles.remove(random.nextInt(handles.size()));
            DeviceNatives.graphDestroy(library, handle);
            DeviceNatives.eventDestroy(library, handle);
            DeviceNatives.streamDestroy(library, handle);
            PlanNatives.destroy(library, handle);
        }
        while (addresses.size() > 40) {
            DeviceNatives.free(library, addresses.remove(random.nextInt(addresses.size())));
        }
        while (pinned.size() > 10) {
            DeviceNatives.freeHost(library, pinned.remove(random.nextInt(pinned.size())));
        }
    }

    @Test
    void aClosedHandleNeverMatchesAgain() {
        library = Native.of("emulated").library();
        Set<Long> seen = new HashSet<>();
        for (int i = 0; i < 1000; i++) {
            long event = DeviceNatives.eventCreate(library);
            assertTrue(event > 0 && seen.add(event), "handle " + event);
            assertEquals(0, DeviceNatives.eventDestroy(library, event));
            assertTrue(DeviceNatives.eventDestroy(library, event) != 0);
            assertTrue(PlanNatives.destroy(library, event) != 0);
        }
    }
}
