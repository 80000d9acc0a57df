package io.github.jcuconv;

import io.github.jcuconv.internal.Gate;
import io.github.jcuconv.internal.MeasuredCache;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.spi.EngineProvider;
import io.github.jcuconv.spi.EngineSpi;
import io.github.jcuconv.spi.PlanSpi;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One way to run operations: {@code onednn}, {@code reference} and so on. Everything it gives out is closed with it. Safe for use by several
 * threads; there is no global engine.
 */
public final class Engine implements AutoCloseable {
    private static final System.Logger LOG = System.getLogger(Engine.class.getName());

    private final String name;
    private final EngineSpi spi;
    private final Ledger ledger = new Ledger();
    private final Gate gate;
    private final Set<AutoCloseable> children = new LinkedHashSet<>();
    private final Map<PlanRequest, Shared> plans = new HashMap<>();
    private volatile @Nullable Autotuner tuner;

    /** A plan of the engine and how many {@link Plan} objects use it. */
    private static final class Shared {
        final PlanSpi spi;
        int users;

        Shared(PlanSpi spi) {
            this.spi = spi;
        }
    }

    private Engine(String name, EngineSpi spi) {
        this.name = name;
        this.spi = spi;
        this.gate = new Gate("engine " + name);
    }

    /** Every provider found, those that {@code auto} tries first. */
    public static List<EngineProvider> providers() {
        return ServiceLoader.load(EngineProvider.class, Engine.class.getClassLoader()).stream()
                .map(ServiceLoader.Provider::get)
                .sorted(Comparator.comparingInt(
                                (EngineProvider p) -> p.priority() < 0 ? Integer.MAX_VALUE : p.priority())
                        .thenComparing(EngineProvider::name))
                .toList();
    }

    /**
     * Opens an engine.
     *
     * @param name a provider's name, or {@code auto} for the first that can run here; why earlier ones were passed over is logged
     * @throws IllegalArgumentException if there is no such engine
     * @throws UnsupportedException if it cannot run here
     */
    public static Engine open(String name) {
        List<EngineProvider> all = providers();
        List<String> reasons = new ArrayList<>();
        for (EngineProvider provider : all) {
            boolean wanted = name.equals("auto")
                    ? provider.priority() >= 0
                    : provider.name().equals(name);
            if (!wanted) {
                continue;
            }
            Optional<String> reason = provider.unavailable();
            if (reason.isEmpty()) {
                return new Engine(provider.name(), provider.open());
            }
            reasons.add(provider.name() + ": " + reason.get());
            LOG.log(System.Logger.Level.INFO, "engine {0} passed over: {1}", provider.name(), reason.get());
        }
        if (reasons.isEmpty()) {
            throw new IllegalArgumentException("engine " + name + ": unknown; there are auto, "
                    + all.stream().map(EngineProvider::name).collect(Collectors.joining(", ")));
        }
        throw new UnsupportedException(name, "anything here", String.join("; ", reasons), List.of("reference"));
    }

    /** An engine over an implementation that the caller holds. */
    public static Engine of(String name, EngineSpi spi) {
        return new Engine(name, spi);
    }

    /** The engine's name. */
    public String name() {
        return name;
    }

    /** Library, version, instruction set or device, threads: one line for people. */
    public String describe() {
        return spi.describe();
    }

    /** Whether the engine has a pass of an operation at all. */
    public boolean supports(Class<? extends OpDescriptor> op, Pass pass) {
        return spi.supports(op, pass);
    }

    /** Why this very operation cannot be planned, empty if it can. */
    public Optional<String> refusal(OpDescriptor op, Pass pass) {
        return spi.supports(op.getClass(), pass) ? spi.refusal(op, pass) : Optional.of("the engine has no such pass");
    }

    /** The layouts that the engine would take for a pass, one for each argument; see {@link EngineSpi#propose}. */
    public Map<Arg, Layout> propose(OpDescriptor op, Pass pass, Map<Arg, Layout> known) {
        requireSupported(op, pass);
        return spi.propose(op, pass, known);
    }

    /**
     * Plans a pass; equal requests share one plan inside.
     *
     * @throws UnsupportedException if the engine lacks it
     * @throws IllegalArgumentException if the request names a choice that there is not
     */
    public Plan plan(PlanRequest request) {
        requireSupported(request.op(), request.pass());
        gate.enter();
        try {
            Autotuner chooser = tuner;
            return chosen(chooser == null || request.choice() > 0 ? request : request.choice(chooser.choose(request)));
        } finally {
            gate.exit();
        }
    }

    private synchronized Plan chosen(PlanRequest request) {
        Shared shared = plans.get(request);
        if (shared == null) {
            PlanSpi made = spi.plan(request);
            if (request.choice() > made.choices()) {
                made.close();
                throw new IllegalArgumentException("choice " + request.choice() + " of "
                        + request.op().name() + ": the engine " + name + " leaves nothing to choose there");
            }
            shared = new Shared(made);
            plans.put(request, shared);
        }
        shared.users++;
        Plan plan = new Plan(this, request, shared.spi);
        children.add(plan);
        return plan;
    }

    /**
     * From now on, plans whose requests leave the {@linkplain PlanRequest#choice choice} open get the fastest one on this device: all are tried, once
     * per problem, and what is found is kept in the user's cache for later processes. Memory of the trial runs is given back before the plan is made;
     * neither {@link #ledger} nor {@link #limitMemory} counts it.
     *
     * @param heard gets a line for each problem that is tried, and for a cache that cannot be used
     * @throws IllegalArgumentException if the engine leaves nothing to choose
     */
    public void autotune(Consumer<String> heard) {
        gate.check();
        String device = spi.tunedFor()
                .orElseThrow(() -> new IllegalArgumentException(
                        "autotune: the engine " + name + " leaves nothing to choose; take cuda"));
        MeasuredCache cache = MeasuredCache.of("tuning", device, heard);
        autotune(new Autotuner(of(name, spi), cache, Autotuner.EVENTS, heard));
    }

    /** Whether {@link #autotune} was called. */
    public boolean autotunes() {
        return tuner != null;
    }

    void autotune(Autotuner chooser) {
        tuner = chooser;
    }

    private void requireSupported(OpDescriptor op, Pass pass) {
        gate.check();
        Optional<String> refusal = refusal(op, pass);
        if (refusal.isPresent()) {
            throw new UnsupportedException(name, op.name() + " " + pass + " " + op.problem(), refusal.get(), List.of());
        }
    }

    /** Exact bytes that an allocation of this size takes from the system. */
    public long allocationBytes(long bytes) {
        return spi.allocationBytes(bytes);
    }

    /**
     * From now on {@link #allocate} gives at most so much in all; what is held already counts, and stays.
     *
     * @param bytes as the {@link #ledger} counts them
     */
    public void limitMemory(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("memory limit " + bytes + " B: must be at least 1");
        }
        ledger.limit(bytes);
    }

    /**
     * Allocates memory at a multiple of 256 B; its contents are undefined.
     *
     * @throws OutOfMemoryException if it does not fit, or not below the limit; nothing is held then
     */
    public Memory allocate(long bytes) {
        if (bytes < 1) {
            throw new IllegalArgumentException("allocate " + bytes + " B: must be at least 1");
        }
        gate.enter();
        try {
            long taken = spi.allocationBytes(bytes);
            synchronized (ledger) { // Two threads must not both get the last bytes below the limit.
                if (taken > ledger.available()) {
                    throw new OutOfMemoryException(
                            taken,
                            ledger.available(),
                            largestAllocations(),
                            "this is the engine's memory limit: raise it, close what is not needed, or take less");
                }
                EngineSpi.Block block = spi.allocate(bytes);
                ledger.add(taken);
                return register(new Memory(this, block, bytes, taken));
            }
        } finally {
            gate.exit();
        }
    }

    private synchronized List<OutOfMemoryException.Consumer> largestAllocations() {
        return children.stream()
                .filter(child -> child instanceof Memory)
                .map(child -> new OutOfMemoryException.Consumer("held already", ((Memory) child).allocatedBytes()))
                .filter(held -> held.bytes() > 0)
                .sorted(Comparator.comparingLong(held -> -held.bytes()))
                .limit(OutOfMemoryException.MOST_CONSUMERS)
                .toList();
    }

    /**
     * Wraps a direct buffer of the caller's, from its position to its limit, without copying.
     *
     * @throws IllegalArgumentException if it is not direct, read-only, or the engine cannot use host memory
     */
    public Memory wrap(ByteBuffer buffer) {
        if (!buffer.isDirect() || buffer.isReadOnly()) {
            throw new IllegalArgumentException(
                    "wrap: the buffer must be direct and writable; use ByteBuffer.allocateDirect");
        }
        gate.check();
        ByteBuffer view = buffer.slice().order(ByteOrder.nativeOrder());
        return register(new Memory(this, spi.wrap(0, view, view.capacity()), view.capacity(), 0));
    }

    /**
     * Wraps memory of the caller's by address, without copying.
     *
     * @throws IllegalArgumentException if the engine cannot use it
     */
    public Memory wrap(long address, long bytes) {
        gate.check();
        return register(new Memory(this, spi.wrap(address, null, bytes), bytes, 0));
    }

    /** Makes a stream. */
    public Stream newStream() {
        gate.enter();
        try {
            return register(new Stream(this, spi.createStream(), true));
        } finally {
            gate.exit();
        }
    }

    /**
     * Wraps a stream of the caller's, without taking it over: closing the result waits for its work and leaves the stream as it is.
     *
     * @param handle the engine's native stream, for {@code cuda} a {@code cudaStream_t}
     * @throws IllegalArgumentException if the engine cannot use it
     */
    public Stream wrapStream(long handle) {
        gate.check();
        return register(new Stream(this, spi.wrapStream(handle), false));
    }

    /** Makes an event. */
    public Event newEvent() {
        gate.check();
        return register(new Event(this, spi.createEvent()));
    }

    /** Allocates host memory for copies. */
    public HostBuffer newHostBuffer(long bytes) {
        if (bytes < 1 || bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("host buffer of " + bytes + " B: must be 1 B to 2 GiB");
        }
        gate.check();
        return register(new HostBuffer(this, spi.allocateHost(bytes), (int) bytes));
    }

    /** Whether {@link Stream#capture} works. */
    public boolean capturesGraphs() {
        return spi.capturesGraphs();
    }

    /** What this engine has allocated. */
    public Ledger ledger() {
        return ledger;
    }

    EngineSpi spi() {
        return spi;
    }

    synchronized <T extends AutoCloseable> T register(T child) {
        children.add(child);
        return child;
    }

    synchronized void forget(AutoCloseable child) {
        children.remove(child);
    }

    void release(Memory memory) {
        forget(memory);
        if (memory.allocatedBytes() > 0) {
            spi.free(memory.block());
            ledger.remove(memory.allocatedBytes());
        } else {
            spi.unwrap(memory.block());
        }
    }

    void release(Stream stream, long handle) {
        forget(stream);
        spi.synchronize(handle);
        if (stream.owned()) {
            spi.destroyStream(handle);
        } else {
            spi.unwrapStream(handle);
        }
    }

    synchronized void release(Plan plan) {
        children.remove(plan);
        Shared shared = plans.get(plan.request());
        if (shared != null && --shared.users == 0) {
            plans.remove(plan.request());
            shared.spi.close();
        }
    }

    /** Closes everything it gave out, then itself. A second call does nothing. */
    @Override
    public void close() {
        if (!gate.close()) {
            return;
        }
        List<AutoCloseable> open;
        synchronized (this) {
            open = new ArrayList<>(children);
        }
        for (int i = open.size() - 1; i >= 0; i--) {
            closeChild(open.get(i));
        }
        spi.close();
    }

    /** The kinds of children, which close without checked exceptions. */
    private static void closeChild(AutoCloseable child) {
        if (child instanceof Memory memory) {
            memory.close();
        } else if (child instanceof Plan plan) {
            plan.close();
        } else if (child instanceof Stream stream) {
            stream.close();
        } else if (child instanceof Graph graph) {
            graph.close();
        } else if (child instanceof Event event) {
            event.close();
        } else if (child instanceof HostBuffer buffer) {
            buffer.close();
        }
    }
}
