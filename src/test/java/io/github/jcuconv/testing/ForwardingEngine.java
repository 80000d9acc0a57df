package io.github.jcuconv.testing;

import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.spi.EngineSpi;
import io.github.jcuconv.spi.PlanSpi;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An engine that hands everything to another one: what a test changes, it overrides. */
public class ForwardingEngine implements EngineSpi {
    /** The engine that does the work. */
    protected final EngineSpi inner;

    /** Hands everything to this engine. */
    protected ForwardingEngine(EngineSpi inner) {
        this.inner = inner;
    }

    @Override
    public String describe() {
        return inner.describe();
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
        return inner.propose(op, pass, known);
    }

    @Override
    public PlanSpi plan(PlanRequest request) {
        return inner.plan(request);
    }

    @Override
    public long allocationBytes(long bytes) {
        return inner.allocationBytes(bytes);
    }

    @Override
    public Block allocate(long bytes) {
        return inner.allocate(bytes);
    }

    @Override
    public void free(Block block) {
        inner.free(block);
    }

    @Override
    public Block wrap(long address, @Nullable ByteBuffer host, long bytes) {
        return inner.wrap(address, host, bytes);
    }

    @Override
    public void unwrap(Block block) {
        inner.unwrap(block);
    }

    @Override
    public void upload(ByteBuffer from, Block to, long stream) {
        inner.upload(from, to, stream);
    }

    @Override
    public void download(Block from, ByteBuffer to, long stream) {
        inner.download(from, to, stream);
    }

    @Override
    public void copy(Block from, Block to, long bytes, long stream) {
        inner.copy(from, to, bytes, stream);
    }

    @Override
    public void fill(Block to, long bytes, byte value, long stream) {
        inner.fill(to, bytes, value, stream);
    }

    @Override
    public ByteBuffer allocateHost(long bytes) {
        return inner.allocateHost(bytes);
    }

    @Override
    public void freeHost(ByteBuffer buffer) {
        inner.freeHost(buffer);
    }

    @Override
    public long nativeStream(long stream) {
        return inner.nativeStream(stream);
    }

    @Override
    public long createEvent() {
        return inner.createEvent();
    }

    @Override
    public void recordEvent(long event, long stream) {
        inner.recordEvent(event, stream);
    }

    @Override
    public void waitForEvent(long stream, long event) {
        inner.waitForEvent(stream, event);
    }

    @Override
    public double secondsBetween(long from, long to) {
        return inner.secondsBetween(from, to);
    }

    @Override
    public void awaitEvent(long event) {
        inner.awaitEvent(event);
    }

    @Override
    public void destroyEvent(long event) {
        inner.destroyEvent(event);
    }

    @Override
    public boolean capturesGraphs() {
        return inner.capturesGraphs();
    }

    @Override
    public void beginCapture(long stream) {
        inner.beginCapture(stream);
    }

    @Override
    public long endCapture(long stream) {
        return inner.endCapture(stream);
    }

    @Override
    public void launchGraph(long graph, long stream) {
        inner.launchGraph(graph, stream);
    }

    @Override
    public void destroyGraph(long graph) {
        inner.destroyGraph(graph);
    }

    @Override
    public long createStream() {
        return inner.createStream();
    }

    @Override
    public void synchronize(long stream) {
        inner.synchronize(stream);
    }

    @Override
    public void destroyStream(long stream) {
        inner.destroyStream(stream);
    }

    @Override
    public void close() {
        inner.close();
    }
}
