package io.github.jcuconv.testing;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Window;
import io.github.jcuconv.reference.ReferenceProvider;
import io.github.jcuconv.spi.PlanSpi;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The reference engine with one bug in its forward convolution, fp32. */
public final class BuggyEngine extends ForwardingEngine {
    /** What is wrong. */
    public enum Bug {
        NONE,
        /** Padding counted from the wrong side. */
        OFF_BY_ONE_PADDING,
        /** Vertical and horizontal stride exchanged. */
        SWAPPED_STRIDE,
        /** The filter turned by 180 degrees. */
        FLIPPED_FILTER,
        /** One output element is not written. */
        ELEMENT_MISSING,
        /** One output element is NaN. */
        NAN_ELEMENT,
        /** All outputs are zero. */
        ALL_ZERO,
        /** One element is off by the least that the type can show. */
        ONE_ULP,
        /** Writes one element behind the output. */
        WRITES_PAST_END,
        /** Writes one element before the output. */
        WRITES_BEFORE_START,
        /** Changes its input. */
        MODIFIES_INPUT,
        /** Reads scratch that it has not written. */
        DIRTY_WORKSPACE,
        /** Writes behind its workspace. */
        OVERRUNS_WORKSPACE,
        /** Forgets the bias. */
        NO_BIAS,
        /** The second run differs in one bit. */
        NOT_DETERMINISTIC,
        /** Throws. */
        THROWS
    }

    private final Bug bug;
    private final TreeMap<Long, ByteBuffer> blocks = new TreeMap<>();

    private BuggyEngine(Bug bug) {
        super(new ReferenceProvider().open());
        this.bug = bug;
    }

    /** Opens an engine with this bug. */
    public static Engine open(Bug bug) {
        return Engine.of("buggy", new BuggyEngine(bug));
    }

    @Override
    public PlanSpi plan(PlanRequest request) {
        return new BuggyPlan(inner.plan(broken(request)), request);
    }

    private PlanRequest broken(PlanRequest request) {
        Conv2d op = (Conv2d) request.op();
        Window w = op.window();
        Padding p = w.padding();
        return switch (bug) {
            case OFF_BY_ONE_PADDING ->
                with(request, w.pad(new Padding(p.top() + 1, p.bottom() - 1, p.left(), p.right())));
            case SWAPPED_STRIDE -> with(request, w.stride(w.strideW(), w.strideH()));
            case NO_BIAS -> new PlanRequest(op.epilogue(Epilogue.NONE), request.pass(), request.layouts(), false, 0, 0);
            default -> request;
        };
    }

    private static PlanRequest with(PlanRequest request, Window window) {
        Conv2d op = (Conv2d) request.op();
        Conv2d changed =
                new Conv2d(op.x(), op.k(), window, op.groups(), op.types(), op.epilogue(), op.phase(), op.pool());
        if (!changed.y().equals(op.y())) {
            throw new IllegalArgumentException("the bug changes the output's shape: take another shape");
        }
        return new PlanRequest(changed, request.pass(), request.layouts(), false, 0, 0);
    }

    private final class BuggyPlan implements PlanSpi {
        private final PlanSpi inner;
        private final PlanRequest request;
        private int runs;

        BuggyPlan(PlanSpi inner, PlanRequest request) {
            this.inner = inner;
            this.request = request;
        }

        @Override
        public long workspaceBytes() {
            return bug == Bug.DIRTY_WORKSPACE || bug == Bug.OVERRUNS_WORKSPACE ? 256 : 0;
        }

        @Override
        public String algorithm() {
            return "buggy";
        }

        @Override
        public void execute(Arguments args, @Nullable Memory workspace, long stream) {
            Memory y = args.get(Arg.Y);
            ByteBuffer out = y.host();
            int last = (int) y.bytes() - 4;
            float before = out.getFloat(last);
            if (bug == Bug.FLIPPED_FILTER) {
                flip(args, stream);
                return;
            }
            inner.execute(args, workspace, stream);
            runs++;
            switch (bug) {
                case ELEMENT_MISSING -> out.putFloat(last, before);
                case NAN_ELEMENT -> out.putFloat(last, Float.NaN);
                case ALL_ZERO -> zero(out, y.bytes());
                case ONE_ULP -> out.putFloat(last, Math.nextUp(out.getFloat(last)));
                case WRITES_PAST_END -> outside(y, y.bytes());
                case WRITES_BEFORE_START -> outside(y, -4);
                case MODIFIES_INPUT ->
                    args.get(Arg.X)
                            .host()
                            .putFloat(0, 1 + args.get(Arg.X).host().getFloat(0));
                case DIRTY_WORKSPACE ->
                    out.putFloat(0, out.getFloat(0) + host(workspace).getFloat(0));
                case OVERRUNS_WORKSPACE -> outside(workspace, 256);
                case NOT_DETERMINISTIC ->
                    out.putFloat(last, runs == 1 ? out.getFloat(last) : Math.nextUp(out.getFloat(last)));
                case THROWS -> throw new IllegalStateException("planted");
                default -> {}
            }
        }

        private static ByteBuffer host(@Nullable Memory workspace) {
            if (workspace == null) {
                throw new IllegalStateException("no workspace");
            }
            return workspace.host();
        }

        private static void zero(ByteBuffer out, long bytes) {
            for (int i = 0; i < bytes; i += 4) {
                out.putFloat(i, 0);
            }
        }

        /** What native code can do and a bounded buffer forbids: reaches through the allocation around the slice. */
        private void outside(@Nullable Memory memory, long offset) {
            if (memory == null) {
                throw new IllegalStateException("no memory");
            }
            Map.Entry<Long, ByteBuffer> block = blocks.floorEntry(memory.address());
            block.getValue().putFloat((int) (memory.address() - block.getKey() + offset), 42f);
        }

        private void flip(Arguments args, long stream) {
            ByteBuffer w = args.get(Arg.W).host();
            int count = (int) (args.get(Arg.W).bytes() / 4);
            float[] copy = new float[count];
            w.asFloatBuffer().get(0, copy);
            int window = ((Conv2d) request.op()).window().r()
                    * ((Conv2d) request.op()).window().s();
            for (int i = 0; i < count; i++) {
                w.putFloat(i * 4, copy[i / window * window + window - 1 - i % window]);
            }
            inner.execute(args, null, stream);
            w.asFloatBuffer().put(0, copy);
        }

        @Override
        public void close() {
            inner.close();
        }
    }

    @Override
    public String describe() {
        return "reference with the bug " + bug;
    }

    @Override
    public boolean supports(Class<? extends OpDescriptor> op, Pass pass) {
        return op == Conv2d.class && pass == Pass.FPROP;
    }

    @Override
    public Optional<String> refusal(OpDescriptor op, Pass pass) {
        return Optional.empty();
    }

    @Override
    public Block allocate(long bytes) {
        Block block = inner.allocate(bytes);
        blocks.put(block.address(), block.host());
        return block;
    }
}
