package io.github.jcuconv.onednn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Layout;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.internal.HostMemory;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Dropout;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.op.Sgd;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import io.github.jcuconv.op.StepControl;
import io.github.jcuconv.spi.EngineSpi;
import io.github.jcuconv.spi.PlanSpi;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/** The engine: its table, its memory and its streams. Execution on the CPU is synchronous. */
final class OnednnEngine implements EngineSpi {
    private static final Map<Class<? extends OpDescriptor>, Factory<?>> TABLE = Map.ofEntries(
            Map.entry(Conv2d.class, new OnednnConv2d()),
            Map.entry(ConvTranspose2d.class, new OnednnConvTranspose2d()),
            Map.entry(Dense.class, new OnednnDense()),
            Map.entry(MaxPool2d.class, new OnednnPool2d.Max()),
            Map.entry(AvgPool2d.class, new OnednnPool2d.Average()),
            Map.entry(Activation.class, new OnednnActivation()),
            Map.entry(SoftmaxCrossEntropy.class, new OnednnSoftmax()),
            Map.entry(Reorder.class, new OnednnReorder()),
            Map.entry(FiniteCheck.class, new Finite()),
            Map.entry(BatchNorm.class, new OnednnBatchNorm()),
            Map.entry(Lrn.class, new OnednnLrn()),
            Map.entry(Add.class, new Copies.AddFactory()),
            Map.entry(Concat.class, new Copies.ConcatFactory()),
            Map.entry(ChannelScale.class, new OnednnChannelScale()),
            Map.entry(Dropout.class, new Copies.DropoutFactory()),
            Map.entry(Sgd.class, new Optimizers.SgdFactory()),
            Map.entry(Adam.class, new Optimizers.AdamFactory()),
            Map.entry(StepControl.class, new OnednnStepControl()));

    private final int threads = Native.threads();
    private final boolean bf16 = Native.hasBf16();
    private final engine cpu = Native.call("engine of the CPU", () -> new engine(engine.kind.cpu, 0));
    private final Descs descs = new Descs();
    private final Workers workers = new Workers(threads);
    private final Map<Long, Runnable> allocations = new ConcurrentHashMap<>(); // by address: how each is given back
    private final Map<Integer, Integer> generations = new HashMap<>();
    private volatile @Nullable stream[] streams = new stream[0];

    engine cpu() {
        return cpu;
    }

    Descs descs() {
        return descs;
    }

    Workers workers() {
        return workers;
    }

    /** Whether bf16 arithmetic is native. */
    boolean bf16() {
        return bf16;
    }

    @Override
    public String describe() {
        return Native.describe(threads);
    }

    @Override
    public boolean supports(Class<? extends OpDescriptor> op, Pass pass) {
        return TABLE.containsKey(op);
    }

    @SuppressWarnings("unchecked") // The table pairs each class with its own factory.
    private static <T extends OpDescriptor> Factory<T> factory(T op) {
        Factory<?> factory = TABLE.get(op.getClass());
        if (factory == null) {
            throw new UnsupportedException(
                    Native.ENGINE, op.name(), "the engine lacks the operation", List.of("reference"));
        }
        return (Factory<T>) factory;
    }

    @Override
    public Optional<String> refusal(OpDescriptor op, Pass pass) {
        return factory(op).refusal(op, pass);
    }

    @Override
    public Map<Arg, Layout> propose(OpDescriptor op, Pass pass, Map<Arg, Layout> known) {
        Map<Arg, Layout> proposed = factory(op).propose(this, op, pass, known);
        Map<Arg, Layout> all = new EnumMap<>(Arg.class);
        for (ArgSpec spec : op.arguments(pass)) {
            all.put(spec.arg(), proposed.getOrDefault(spec.arg(), Layout.Plain.NCHW));
        }
        return all;
    }

    @Override
    public PlanSpi plan(PlanRequest request) {
        OpDescriptor op = request.op();
        refusal(op, request.pass()).ifPresent(rule -> {
            throw refuse(op, request.pass(), rule);
        });
        int slices = Slices.count(this, request);
        PlanBuilder builder = new PlanBuilder(this, request, slices);
        OpDescriptor slice = Slices.of(op, slices);
        factory(slice).plan(builder, slice, request.pass());
        return builder.build();
    }

    static UnsupportedException refuse(OpDescriptor op, Pass pass, String rule) {
        return new UnsupportedException(
                Native.ENGINE, op.name() + " " + pass + " " + op.problem(), rule, List.of("reference"));
    }

    /** The first argument's settled layout for every argument of its shape. */
    static Map<Arg, Layout> allLike(OpDescriptor op, Pass pass, Map<Arg, Layout> known, Arg first) {
        Layout layout = known.get(first);
        List<ArgSpec> specs = op.arguments(pass);
        for (ArgSpec spec : specs) {
            layout = layout == null ? known.get(spec.arg()) : layout;
        }
        Map<Arg, Layout> layouts = new EnumMap<>(Arg.class);
        for (ArgSpec spec : specs) {
            layouts.put(
                    spec.arg(),
                    layout != null && spec.dims().equals(specs.get(0).dims()) ? layout : Layout.Plain.NCHW);
        }
        return layouts;
    }

    static void requireNchw(PlanBuilder b, Arg... args) {
        for (Arg arg : args) {
            boolean pixel = b.spec(arg).dims().h() == 1 && b.spec(arg).dims().w() == 1;
            if (b.layout(arg) != Layout.Plain.NCHW && !(pixel && b.layout(arg) == Layout.Plain.NHWC)) {
                throw b.refuse(arg + " must be NCHW, as proposed, not " + b.layout(arg) + "; put a reorder before it");
            }
        }
    }

    @Override
    public long allocationBytes(long bytes) {
        return HostMemory.allocationBytes(bytes);
    }

    /** No buffer of the JVM is larger than 2 GiB: a larger block has none, only its slices do. */
    @Override
    public Block allocate(long bytes) {
        if (HostMemory.allocationBytes(bytes) > Integer.MAX_VALUE) {
            Pointer allocation = Native.allocate(HostMemory.allocationBytes(bytes));
            long address = -Math.floorDiv(-allocation.address(), HostMemory.ALIGNMENT) * HostMemory.ALIGNMENT;
            allocations.put(address, allocation::deallocate);
            return new Block(address, null);
        }
        ByteBuffer allocation = HostMemory.allocate(bytes);
        ByteBuffer aligned = HostMemory.aligned(allocation, bytes);
        long address = new Pointer(aligned).address();
        allocations.put(address, () -> HostMemory.free(allocation));
        return new Block(address, aligned);
    }

    @Override
    public Block slice(Block block, long offset, long bytes) {
        if (block.host() != null || bytes > Integer.MAX_VALUE) {
            return EngineSpi.super.slice(block, offset, bytes);
        }
        long address = block.address() + offset;
        return new Block(address, Native.view(address, bytes));
    }

    @Override
    public void free(Block block) {
        Runnable release = allocations.remove(block.address());
        if (release == null) {
            throw new IllegalArgumentException("free: " + block.address() + " was not allocated here");
        }
        release.run();
    }

    @Override
    public Block wrap(long address, @Nullable ByteBuffer host, long bytes) {
        if (host != null) {
            return new Block(new Pointer(host).address(), host);
        }
        if (address <= 0 || bytes < 1 || bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("wrap: address " + address + " with " + bytes
                    + " B; give the address of host memory and 1 B to 2 GiB");
        }
        return new Block(address, Native.view(address, bytes));
    }

    stream stream(long handle) {
        @Nullable stream[] table = streams;
        int index = (int) handle;
        stream found = index >= 0 && index < table.length ? table[index] : null;
        if (found == null) {
            throw new IllegalStateException("stream " + Long.toHexString(handle) + " is closed");
        }
        return found;
    }

    @Override
    public synchronized long createStream() {
        stream made = Native.call("stream", () -> new stream(cpu));
        int index = 0;
        while (index < streams.length && streams[index] != null) {
            index++;
        }
        @Nullable stream[] copy = java.util.Arrays.copyOf(streams, Math.max(streams.length, index + 1));
        copy[index] = made;
        streams = copy;
        return (long) generations.merge(index, 1, Integer::sum) << 32 | index;
    }

    @Override
    public void synchronize(long handle) {
        stream waited = stream(handle);
        Native.call("wait for stream", waited::_wait);
    }

    @Override
    public synchronized void destroyStream(long handle) {
        stream ended = stream(handle);
        @Nullable stream[] copy = streams.clone();
        copy[(int) handle] = null;
        streams = copy;
        ended.close();
    }

    @Override
    public void close() {
        workers.close();
        cpu.close();
    }

    private static final class Finite implements Factory<FiniteCheck> {
        @Override
        public Map<Arg, Layout> propose(OnednnEngine engine, FiniteCheck op, Pass pass, Map<Arg, Layout> known) {
            return known;
        }

        @Override
        public void plan(PlanBuilder b, FiniteCheck op, Pass pass) {
            long count = b.elements(Arg.X);
            b.step(
                    "java",
                    () -> new Kernels.Finite(
                            b.engine().workers(),
                            count,
                            new View(b.direct(Arg.X), op.type()),
                            new View(b.direct(Arg.FLAG), DataType.INT32)));
        }
    }
}
