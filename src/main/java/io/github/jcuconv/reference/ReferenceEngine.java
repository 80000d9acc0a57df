package io.github.jcuconv.reference;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.internal.HostMemory;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.spi.EngineSpi;
import io.github.jcuconv.spi.PlanSpi;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Runs {@link ReferenceTable} on host memory, at once, on the caller's thread. Takes plain layouts only. */
final class ReferenceEngine implements EngineSpi {
    static final String NAME = "reference";

    private final Map<Long, ByteBuffer> allocations = new ConcurrentHashMap<>();
    private final AtomicLong nextAddress = new AtomicLong(HostMemory.ALIGNMENT);
    private final AtomicLong nextStream = new AtomicLong(1);

    @Override
    public String describe() {
        return "reference: loop nests in fp64, one thread";
    }

    @Override
    public boolean supports(Class<? extends OpDescriptor> op, Pass pass) {
        return ReferenceTable.has(op, pass);
    }

    @Override
    public Optional<String> refusal(OpDescriptor op, Pass pass) {
        return Optional.empty();
    }

    @Override
    public Map<Arg, Layout> propose(OpDescriptor op, Pass pass, Map<Arg, Layout> known) {
        Map<Arg, Layout> layouts = new EnumMap<>(Arg.class);
        for (ArgSpec spec : op.arguments(pass)) {
            Layout settled = known.get(spec.arg());
            layouts.put(spec.arg(), settled instanceof Layout.Plain ? settled : Layout.Plain.NCHW);
        }
        return layouts;
    }

    @Override
    public PlanSpi plan(PlanRequest request) {
        for (ArgSpec spec : request.op().arguments(request.pass())) {
            if (!(request.layout(spec.arg()) instanceof Layout.Plain)) {
                throw new UnsupportedException(
                        NAME,
                        request.toString(),
                        spec.arg() + " has the layout " + request.layout(spec.arg()) + ", must be plain",
                        List.of());
            }
        }
        return new ReferencePlan(request);
    }

    private record ReferencePlan(PlanRequest request) implements PlanSpi {
        @Override
        public long workspaceBytes() {
            return 0;
        }

        @Override
        public String algorithm() {
            return "loop nest";
        }

        @Override
        public void execute(Arguments args, @Nullable Memory workspace, long stream) {
            Views views = new Views();
            for (ArgSpec spec : request.op().arguments(request.pass())) {
                Layout.Plain layout = (Layout.Plain) request.layout(spec.arg());
                views.set(
                        spec.arg(),
                        Tensor.of(
                                spec.dims(),
                                spec.type(),
                                layout,
                                args.get(spec.arg()).host()));
            }
            ReferenceTable.run(request.op(), request.pass(), views, request.accumulate());
        }

        @Override
        public void close() {}
    }

    @Override
    public long allocationBytes(long bytes) {
        return HostMemory.allocationBytes(bytes);
    }

    @Override
    public Block allocate(long bytes) {
        ByteBuffer allocation = HostMemory.allocate(bytes);
        long address = reserve(bytes);
        allocations.put(address, allocation);
        return new Block(address, HostMemory.aligned(allocation, bytes));
    }

    /** Addresses that nothing dereferences: they only tell overlap and alignment. A gap keeps neighbours apart. */
    private long reserve(long bytes) {
        long rounded = (bytes / HostMemory.ALIGNMENT + 2) * HostMemory.ALIGNMENT;
        return nextAddress.getAndAdd(rounded);
    }

    @Override
    public void free(Block block) {
        ByteBuffer allocation = allocations.remove(block.address());
        if (allocation != null) {
            HostMemory.free(allocation);
        }
    }

    @Override
    public Block wrap(long address, @Nullable ByteBuffer host, long bytes) {
        if (host == null) {
            throw new IllegalArgumentException(
                    "wrap: the engine reference cannot use the address " + address + "; give a direct ByteBuffer");
        }
        int remainder = host.alignmentOffset(0, HostMemory.ALIGNMENT);
        return new Block(reserve(bytes + remainder) + remainder, host);
    }

    @Override
    public long createStream() {
        return nextStream.getAndIncrement();
    }

    @Override
    public void synchronize(long stream) {
        // Nothing to wait for: execute has finished when it returns.
    }

    @Override
    public void destroyStream(long stream) {
        // A stream holds nothing.
    }

    @Override
    public void close() {
        allocations.clear();
    }
}
