package io.github.jcuconv.cudnn;

import io.github.jcuconv.Layout;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.spi.EngineSpi;
import io.github.jcuconv.spi.PlanSpi;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import jcuda.jcudnn.cudnnHandle;
import org.jspecify.annotations.Nullable;

/** The engine's table: which operations cuDNN has. */
final class CudnnEngine extends OnDevice {
    private static final Map<Class<? extends OpDescriptor>, Factory<?>> TABLE = Map.ofEntries(
            Map.entry(Conv2d.class, new Weighted<Conv2d>(Convolution::of)),
            Map.entry(ConvTranspose2d.class, new Weighted<ConvTranspose2d>(Convolution::of)),
            Map.entry(MaxPool2d.class, new CudnnPool2d.Max()),
            Map.entry(AvgPool2d.class, new CudnnPool2d.Average()),
            Map.entry(Lrn.class, new CudnnLrn()),
            Map.entry(BatchNorm.class, new CudnnBatchNorm()),
            Map.entry(Activation.class, new CudnnActivation()),
            Map.entry(Add.class, new CudnnAdd()),
            Map.entry(Concat.class, new CudnnConcat()),
            Map.entry(ChannelScale.class, new CudnnChannelScale()),
            Map.entry(Reorder.class, new CudnnReorder()));

    private final boolean cublas;
    private @Nullable AlgorithmCache cache;

    /** @param cublas whether dense layers and 1x1 convolutions are matrix products of cuBLAS, or convolutions of cuDNN */
    CudnnEngine(EngineSpi device, boolean cublas) {
        super(device, cublas);
        this.cublas = cublas;
    }

    synchronized AlgorithmCache cache() {
        if (cache == null) {
            cache = AlgorithmCache.of("cuDNN " + Cudnn.version() + " on " + device().describe());
        }
        return cache;
    }

    @Override
    public String describe() {
        return "cuDNN " + Cudnn.version() + (cublas ? " and cuBLAS" : ", no cuBLAS,") + " on " + device().describe();
    }

    @Override
    public boolean supports(Class<? extends OpDescriptor> op, Pass pass) {
        return op == Dense.class || TABLE.containsKey(op);
    }

    @SuppressWarnings("unchecked") // The table pairs each class with its own factory.
    private <T extends OpDescriptor> Factory<T> factory(T op) {
        Factory<?> factory = op instanceof Dense ? dense() : TABLE.get(op.getClass());
        if (factory == null) {
            throw new UnsupportedException(
                    Cudnn.ENGINE, op.name(), "cuDNN lacks the operation", List.of("cuda", "reference"));
        }
        return (Factory<T>) factory;
    }

    private Factory<Dense> dense() {
        return cublas ? new CublasDense() : new Weighted<>(Convolution::of);
    }

    boolean hasCublas() {
        return cublas;
    }

    @Override
    public Optional<String> refusal(OpDescriptor op, Pass pass) {
        return factory(op).refusal(op, pass);
    }

    @Override
    public Map<Arg, Layout> propose(OpDescriptor op, Pass pass, Map<Arg, Layout> known) {
        return factory(op).propose(op, pass, known);
    }

    @Override
    public PlanSpi plan(PlanRequest request) {
        PlanBuilder builder = new PlanBuilder(this, request);
        refusal(request.op(), request.pass()).ifPresent(rule -> {
            throw builder.refuse(rule);
        });
        try {
            factory(request.op()).plan(builder, request.op(), request.pass());
        } catch (RuntimeException e) {
            builder.make().close();
            throw e instanceof UnsupportedException unsupported ? builder.refuse(unsupported.rule()) : e;
        }
        return builder.build();
    }

    /** Runs something on a stream of its own, and waits for it. */
    <T> T withHandle(Function<cudnnHandle, T> body) {
        long stream = createStream();
        try {
            T result = body.apply(handles().of(stream).dnn());
            synchronize(stream);
            return result;
        } finally {
            destroyStream(stream);
        }
    }
}
