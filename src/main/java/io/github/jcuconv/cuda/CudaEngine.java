package io.github.jcuconv.cuda;

import io.github.jcuconv.Layout;
import io.github.jcuconv.OutOfMemoryException;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.spi.EngineSpi;
import io.github.jcuconv.spi.PlanSpi;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Memory, streams, events and graphs through the C API; which kernels run is told by {@link Plans}. */
final class CudaEngine implements EngineSpi {
    /** Both the driver and the emulated device give whole units of this size. */
    private static final long UNIT = 256;

    private final Native api;
    private final int library;

    CudaEngine(Native api) {
        this.api = api;
        this.library = api.library();
    }

    @Override
    public String describe() {
        return DeviceNatives.describe(library);
    }

    @Override
    public boolean supports(Class<? extends OpDescriptor> op, Pass pass) {
        return Plans.has(op);
    }

    @Override
    public Optional<String> refusal(OpDescriptor op, Pass pass) {
        Optional<String> rule = Layouts.refusal(op, pass);
        return rule.isEmpty() && op instanceof Conv2d conv && conv.isPooled() ? unsupported(conv, pass) : rule;
    }

    /** Which windows a kernel can pool depends on types and device: the library is asked for a plan. */
    private Optional<String> unsupported(Conv2d op, Pass pass) {
        try {
            plan(PlanRequest.of(op, pass).in(Layout.Plain.NHWC)).close();
            return Optional.empty();
        } catch (UnsupportedException e) {
            return Optional.of(e.rule());
        }
    }

    @Override
    public Map<Arg, Layout> propose(OpDescriptor op, Pass pass, Map<Arg, Layout> known) {
        return Layouts.propose(op, pass, known);
    }

    @Override
    public PlanSpi plan(PlanRequest request) {
        Layouts.check(api.engine(), request);
        long made = Plans.make(library, request);
        if (made < 0) {
            RuntimeException failure = api.failure(Math.toIntExact(-made), 0);
            if (failure instanceof UnsupportedException unsupported) {
                throw new UnsupportedException(
                        api.engine(), request.toString(), unsupported.rule(), List.of("onednn", "reference"));
            }
            throw failure;
        }
        return new CudaPlan(api, made);
    }

    /** A new driver is no new device. */
    @Override
    public Optional<String> tunedFor() {
        return Optional.of(
                describe().replaceFirst(", driver .*", "") + ", JCuConv " + api.made(DeviceNatives.version(library)));
    }

    @Override
    public long allocationBytes(long bytes) {
        return (bytes + UNIT - 1) / UNIT * UNIT;
    }

    @Override
    public Block allocate(long bytes) {
        long address = DeviceNatives.malloc(library, allocationBytes(bytes));
        if (address < 0) {
            throw api.failure(Math.toIntExact(-address), bytes);
        }
        return new Block(address, null);
    }

    @Override
    public void free(Block block) {
        api.check(DeviceNatives.free(library, block.address()));
    }

    @Override
    public Block wrap(long address, @Nullable ByteBuffer host, long bytes) {
        if (host != null) {
            throw new IllegalArgumentException("wrap: the engine " + api.engine()
                    + " cannot use host memory; allocate with the engine and copy with Stream.upload");
        }
        api.check(DeviceNatives.wrap(library, address, bytes));
        return new Block(address, null);
    }

    @Override
    public void unwrap(Block block) {
        api.check(DeviceNatives.unwrap(library, block.address()));
    }

    @Override
    public void upload(ByteBuffer from, Block to, long stream) {
        api.check(DeviceNatives.upload(library, from, from.position(), from.remaining(), to.address(), stream));
    }

    @Override
    public void download(Block from, ByteBuffer to, long stream) {
        api.check(DeviceNatives.download(library, from.address(), to, to.position(), to.remaining(), stream));
    }

    @Override
    public void copy(Block from, Block to, long bytes, long stream) {
        api.check(DeviceNatives.copy(library, from.address(), to.address(), bytes, stream));
    }

    @Override
    public void fill(Block to, long bytes, byte value, long stream) {
        api.check(DeviceNatives.fill(library, to.address(), value, bytes, stream));
    }

    @Override
    public ByteBuffer allocateHost(long bytes) {
        ByteBuffer memory = DeviceNatives.mallocHost(library, bytes);
        if (memory == null) {
            throw new OutOfMemoryException(bytes, -1, "pinned host memory: " + DeviceNatives.lastMessage(library));
        }
        return memory;
    }

    @Override
    public void freeHost(ByteBuffer buffer) {
        api.check(DeviceNatives.freeHost(library, buffer));
    }

    @Override
    public long createStream() {
        return api.made(DeviceNatives.streamCreate(library));
    }

    @Override
    public long wrapStream(long nativeStream) {
        return api.made(DeviceNatives.streamWrap(library, nativeStream));
    }

    @Override
    public void unwrapStream(long stream) {
        destroyStream(stream);
    }

    @Override
    public long nativeStream(long stream) {
        return api.made(DeviceNatives.streamNative(library, stream));
    }

    @Override
    public void synchronize(long stream) {
        api.check(DeviceNatives.streamSynchronize(library, stream));
    }

    @Override
    public void destroyStream(long stream) {
        api.check(DeviceNatives.streamDestroy(library, stream));
    }

    @Override
    public long createEvent() {
        return api.made(DeviceNatives.eventCreate(library));
    }

    @Override
    public void recordEvent(long event, long stream) {
        api.check(DeviceNatives.eventRecord(library, event, stream));
    }

    @Override
    public void waitForEvent(long stream, long event) {
        api.check(DeviceNatives.streamWaitEvent(library, stream, event));
    }

    @Override
    public void awaitEvent(long event) {
        api.check(DeviceNatives.eventSynchronize(library, event));
    }

    @Override
    public double secondsBetween(long from, long to) {
        return api.made(DeviceNatives.eventElapsed(library, from, to)) / 1e9;
    }

    @Override
    public void destroyEvent(long event) {
        api.check(DeviceNatives.eventDestroy(library, event));
    }

    @Override
    public boolean capturesGraphs() {
        return true;
    }

    @Override
    public void beginCapture(long stream) {
        api.check(DeviceNatives.graphBegin(library, stream));
    }

    @Override
    public long endCapture(long stream) {
        return api.made(DeviceNatives.graphEnd(library, stream));
    }

    @Override
    public void launchGraph(long graph, long stream) {
        api.check(DeviceNatives.graphLaunch(library, graph, stream));
    }

    @Override
    public void destroyGraph(long graph) {
        api.check(DeviceNatives.graphDestroy(library, graph));
    }

    /** The library stays loaded: other engines of this JVM may use it. */
    @Override
    public void close() {}
}
