package io.github.jcuconv.testing;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.spi.EngineSpi;
import io.github.jcuconv.spi.PlanSpi;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The engine reference made as awkward as a GPU: the host cannot see its memory, NHWC is the only layout outside of reorders, and work runs as late as
 * its queues allow, so that a result read too early is NaN and an argument changed or freed too early is seen.
 */
public final class LateEngine implements EngineSpi {
    /** Its name among {@link Engines}. */
    public static final String NAME = "late";

    private static final byte NOT_YET = (byte) 0xFF;

    private final Engine inner = Engine.open("reference");
    private final Stream now = inner.newStream();
    private final TreeMap<Long, Memory> blocks = new TreeMap<>();
    private final Map<Long, LateQueue> queues = new HashMap<>();
    private final Map<Long, LateQueue.Mark> events = new HashMap<>();
    /** When events happened. */
    private final Map<Long, Long> moments = new HashMap<>();

    private final Map<Long, List<LateQueue.Work>> graphs = new HashMap<>();
    private long nextHandle = 1;

    private LateEngine() {}

    /** Opens one. */
    public static Engine open() {
        return Engine.of(NAME, new LateEngine());
    }

    @Override
    public String describe() {
        return "reference, late, with memory of its own";
    }

    @Override
    public boolean supports(Class<? extends OpDescriptor> op, Pass pass) {
        return inner.supports(op, pass);
    }

    @Override
    public Optional<String> refusal(OpDescriptor op, Pass pass) {
        return inner.refusal(op, pass);
    }

    @Override
    public Map<Arg, Layout> propose(OpDescriptor op, Pass pass, Map<Arg, Layout> known) {
        Map<Arg, Layout> proposed = new EnumMap<>(Arg.class);
        for (ArgSpec spec : op.arguments(pass)) {
            boolean free = op instanceof Reorder || hasOneOrder(spec.dims());
            Layout settled = known.getOrDefault(spec.arg(), Layout.Plain.NHWC);
            proposed.put(spec.arg(), free ? settled : Layout.Plain.NHWC);
        }
        return proposed;
    }

    private static boolean hasOneOrder(Dims d) {
        return d.c() == 1 || (long) d.h() * d.w() == 1;
    }

    @Override
    public PlanSpi plan(PlanRequest request) {
        for (ArgSpec spec : request.op().arguments(request.pass())) {
            Layout layout = request.layout(spec.arg());
            if (!(request.op() instanceof Reorder) && !hasOneOrder(spec.dims()) && layout != Layout.Plain.NHWC) {
                throw new UnsupportedException(
                        NAME, request.toString(), spec.arg() + " is " + layout + ", must be NHWC", List.of());
            }
        }
        return new LatePlan(inner.plan(request));
    }

    private final class LatePlan implements PlanSpi {
        private final Plan plan;

        LatePlan(Plan plan) {
            this.plan = plan;
        }

        @Override
        public long workspaceBytes() {
            return 0;
        }

        @Override
        public String algorithm() {
            return "late " + plan.algorithm();
        }

        @Override
        public void execute(Arguments args, @Nullable Memory workspace, long stream) {
            synchronized (LateEngine.this) {
                Arguments own = new Arguments();
                Set<Long> used = new HashSet<>();
                for (ArgSpec spec : plan.request().op().arguments(plan.request().pass())) {
                    Memory outer = args.get(spec.arg());
                    own.set(spec.arg(), find(outer.address(), outer.bytes(), used));
                }
                queue(stream).add(() -> plan.execute(own, null, now), used);
            }
        }

        /** Queued executions may still need it: the inner engine closes its plans at the end. */
        @Override
        public void close() {}
    }

    /** The reference's memory behind an address; adds the block that it is part of. */
    private Memory find(long address, long bytes, Set<Long> used) {
        Map.Entry<Long, Memory> block = blocks.floorEntry(address);
        if (block == null || address + bytes > block.getKey() + block.getValue().bytes()) {
            throw new IllegalArgumentException("no memory of this engine at " + address);
        }
        used.add(block.getKey());
        return block.getValue().slice(address - block.getKey(), bytes);
    }

    private LateQueue queue(long stream) {
        LateQueue queue = queues.get(stream);
        if (queue == null) {
            throw new IllegalArgumentException("no stream " + stream);
        }
        return queue;
    }

    @Override
    public long allocationBytes(long bytes) {
        return inner.allocationBytes(bytes);
    }

    @Override
    public synchronized Block allocate(long bytes) {
        Memory memory = inner.allocate(bytes);
        fill(memory.buffer(), NOT_YET);
        blocks.put(memory.address(), memory);
        return new Block(memory.address(), null);
    }

    @Override
    public synchronized void free(Block block) {
        if (queues.values().stream().anyMatch(queue -> queue.uses(block.address()))) {
            throw new IllegalStateException("freed memory that queued work still uses");
        }
        blocks.remove(block.address()).close();
    }

    @Override
    public synchronized Block wrap(long address, @Nullable ByteBuffer host, long bytes) {
        if (host != null) {
            throw new IllegalArgumentException("wrap: this engine cannot use host memory");
        }
        find(address, bytes, new HashSet<>());
        return new Block(address, null);
    }

    @Override
    public synchronized void upload(ByteBuffer from, Block to, long stream) {
        ByteBuffer source = from.slice();
        Set<Long> used = new HashSet<>();
        Memory target = find(to.address(), source.capacity(), used);
        queue(stream).add(() -> target.buffer().put(source.duplicate()), used);
    }

    @Override
    public synchronized void download(Block from, ByteBuffer to, long stream) {
        ByteBuffer target = to.slice();
        fill(target.duplicate(), NOT_YET);
        Set<Long> used = new HashSet<>();
        Memory source = find(from.address(), target.capacity(), used);
        queue(stream).add(() -> target.duplicate().put(source.buffer()), used);
    }

    @Override
    public synchronized void copy(Block from, Block to, long bytes, long stream) {
        Set<Long> used = new HashSet<>();
        Memory source = find(from.address(), bytes, used);
        Memory target = find(to.address(), bytes, used);
        queue(stream).add(() -> target.buffer().put(source.buffer()), used);
    }

    @Override
    public synchronized void fill(Block to, long bytes, byte value, long stream) {
        Set<Long> used = new HashSet<>();
        Memory target = find(to.address(), bytes, used);
        queue(stream).add(() -> fill(target.buffer(), value), used);
    }

    private static void fill(ByteBuffer buffer, byte value) {
        while (buffer.hasRemaining()) {
            buffer.put(value);
        }
    }

    @Override
    public synchronized long createStream() {
        queues.put(nextHandle, new LateQueue());
        return nextHandle++;
    }

    @Override
    public synchronized void synchronize(long stream) {
        queue(stream).finish();
    }

    @Override
    public synchronized void destroyStream(long stream) {
        queue(stream).finish();
        queues.remove(stream);
    }

    @Override
    public synchronized long createEvent() {
        return nextHandle++;
    }

    @Override
    public synchronized void recordEvent(long event, long stream) {
        queue(stream).add(() -> moments.put(event, System.nanoTime()), Set.of());
        events.put(event, queue(stream).mark());
    }

    @Override
    public synchronized void waitForEvent(long stream, long event) {
        LateQueue.Mark mark = events.get(event);
        if (mark != null) {
            queue(stream).add(mark::reach, Set.of());
        }
    }

    @Override
    public synchronized void awaitEvent(long event) {
        LateQueue.Mark mark = events.get(event);
        if (mark != null) {
            mark.reach();
        }
    }

    @Override
    public synchronized double secondsBetween(long from, long to) {
        awaitEvent(from);
        awaitEvent(to);
        return Math.max(0, moments.get(to) - moments.get(from)) / 1e9;
    }

    @Override
    public synchronized void destroyEvent(long event) {
        events.remove(event);
        moments.remove(event);
    }

    @Override
    public boolean capturesGraphs() {
        return true;
    }

    @Override
    public synchronized void beginCapture(long stream) {
        queue(stream).startRecording();
    }

    @Override
    public synchronized long endCapture(long stream) {
        graphs.put(nextHandle, queue(stream).endRecording());
        return nextHandle++;
    }

    @Override
    public synchronized void launchGraph(long graph, long stream) {
        graphs.get(graph).forEach(work -> queue(stream).add(work.run(), work.blocks()));
    }

    @Override
    public synchronized void destroyGraph(long graph) {
        graphs.remove(graph);
    }

    @Override
    public void close() {
        inner.close();
    }
}
