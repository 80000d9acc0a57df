package io.github.jcuconv.cuda;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Dropout;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.op.Sgd;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import io.github.jcuconv.op.StepControl;
import io.github.jcuconv.op.Types;
import io.github.jcuconv.op.Window;
import java.util.HashMap;
import java.util.Map;

/** The engine's table: how a descriptor becomes a problem of the C API. Numbers of enums are those of native/include/jcuconv. */
final class Plans {
    /** Makes a plan of one operation; gives its handle or a negative status. */
    @FunctionalInterface
    private interface Maker<T extends OpDescriptor> {
        long make(int library, T op, PlanRequest request);
    }

    private static final Map<Class<?>, Maker<OpDescriptor>> TABLE = new HashMap<>();

    static {
        add(Conv2d.class, Plans::conv2d);
        add(ConvTranspose2d.class, Plans::convTranspose2d);
        add(Dense.class, Plans::dense);
        add(MaxPool2d.class, Plans::maxPool2d);
        add(AvgPool2d.class, Plans::avgPool2d);
        add(Lrn.class, Plans::lrn);
        add(BatchNorm.class, Plans::batchNorm);
        add(Dropout.class, Plans::dropout);
        add(Activation.class, Plans::activation);
        add(SoftmaxCrossEntropy.class, Plans::softmaxCrossEntropy);
        add(
                Add.class,
                (library, op, r) ->
                        PlanNatives.add(library, r.workspaceLimit(), op.x().count(), type(op, r)));
        add(Concat.class, Plans::concat);
        add(ChannelScale.class, Plans::channelScale);
        add(Reorder.class, Plans::reorder);
        add(
                FiniteCheck.class,
                (library, op, r) -> PlanNatives.finiteCheck(
                        library, r.workspaceLimit(), op.x().count(), type(op.type())));
        add(
                Sgd.class,
                (library, op, r) -> PlanNatives.optimizer(
                        library, r.workspaceLimit(), op.count(), op.momentum() ? 1 : 0, type(op.storage())));
        add(
                Adam.class,
                (library, op, r) ->
                        PlanNatives.optimizer(library, r.workspaceLimit(), op.count(), 2, type(op.storage())));
        add(
                StepControl.class,
                (library, op, r) -> PlanNatives.stepControl(
                        library, r.workspaceLimit(), op.rates(), op.rows(), op.lossScaling(), op.growthInterval()));
    }

    private Plans() {}

    private static <T extends OpDescriptor> void add(Class<T> op, Maker<T> maker) {
        TABLE.put(op, (library, o, request) -> maker.make(library, op.cast(o), request));
    }

    static boolean has(Class<? extends OpDescriptor> op) {
        return TABLE.containsKey(op);
    }

    /** The handle of a new plan, or a negative status. */
    static long make(int library, PlanRequest request) {
        Maker<OpDescriptor> maker = TABLE.get(request.op().getClass());
        if (maker == null) {
            throw new IllegalArgumentException(request.op().name() + ": not in the table");
        }
        return maker.make(library, request.op(), request);
    }

    /** jcuconv_type. */
    private static int type(DataType type) {
        return switch (type) {
            case FP32 -> 0;
            case FP16 -> 1;
            case BF16 -> 2;
            default -> -1;
        };
    }

    /** The storage type: that of the first argument, which all others of that kind share. */
    private static int type(OpDescriptor op, PlanRequest request) {
        return type(op.arguments(request.pass()).get(0).type());
    }

    /** jcuconv_math. */
    private static int math(Types types) {
        return switch (types.products()) {
            case EXACT -> 0;
            case TF32 -> 1;
            case TF32X3 -> 2;
        };
    }

    /** jcuconv_pass. */
    private static int pass(PlanRequest request) {
        return switch (request.pass()) {
            case FPROP, FWD, UPDATE -> 0;
            case DGRAD, BWD -> 1;
            case WGRAD -> 2;
            case DBIAS -> 3;
        };
    }

    /** jcuconv_epilogue, four bits a step; the gradients are of the plain sum. */
    private static int epilogue(Epilogue epilogue, PlanRequest request) {
        if (request.pass() != Pass.FPROP) {
            return 0;
        }
        int packed = 0;
        for (int i = 0; i < epilogue.steps().size(); i++) {
            int step =
                    switch (epilogue.steps().get(i)) {
                        case BIAS -> 1;
                        case RESIDUAL -> 2;
                        case RELU -> 3;
                        case TANH -> 4;
                        case SIGMOID -> 5;
                        case SCALE -> 6;
                    };
            packed |= step << 4 * i;
        }
        return packed;
    }

    /** WGRAD of an operation with a bias writes DBIAS too. */
    private static boolean dbias(Epilogue epilogue, PlanRequest request) {
        return request.pass() == Pass.WGRAD && epilogue.has(Epilogue.Step.BIAS);
    }

    /** Whether y is fp32 beside operands of 16 bits; {@link Layouts#refusal} admits no other difference. */
    private static boolean yF32(Types types, PlanRequest request) {
        return request.pass() == Pass.FPROP && types.of(Arg.Y) != types.of(Arg.X);
    }

    private static long conv2d(int library, Conv2d op, PlanRequest r) {
        Dims x = op.x();
        Window w = op.window();
        Padding p = w.padding();
        return PlanNatives.conv2d(
                library,
                pass(r),
                r.workspaceLimit(),
                x.n(),
                x.h(),
                x.w(),
                x.c(),
                op.k(),
                w.r(),
                w.s(),
                p.top(),
                p.bottom(),
                p.left(),
                p.right(),
                w.strideH(),
                w.strideW(),
                w.dilationH(),
                w.dilationW(),
                op.groups(),
                type(op, r),
                epilogue(op.epilogue(), r),
                dbias(op.epilogue(), r),
                r.accumulate(),
                math(op.types()),
                op.pool().h(),
                op.pool().w(),
                yF32(op.types(), r),
                r.choice());
    }

    private static long convTranspose2d(int library, ConvTranspose2d op, PlanRequest r) {
        Dims x = op.x();
        Window w = op.window();
        Padding p = w.padding();
        return PlanNatives.convTranspose2d(
                library,
                pass(r),
                r.workspaceLimit(),
                x.n(),
                x.h(),
                x.w(),
                x.c(),
                op.k(),
                w.r(),
                w.s(),
                p.top(),
                p.bottom(),
                p.left(),
                p.right(),
                w.strideH(),
                w.strideW(),
                w.dilationH(),
                w.dilationW(),
                op.outputPadH(),
                op.outputPadW(),
                op.groups(),
                type(op, r),
                epilogue(op.epilogue(), r),
                dbias(op.epilogue(), r),
                r.accumulate(),
                math(op.types()),
                r.choice());
    }

    private static long dense(int library, Dense op, PlanRequest r) {
        return PlanNatives.dense(
                library,
                pass(r),
                r.workspaceLimit(),
                op.x().n(),
                Math.toIntExact(op.x().perImage()),
                op.k(),
                type(op, r),
                epilogue(op.epilogue(), r),
                dbias(op.epilogue(), r),
                r.accumulate(),
                math(op.types()),
                yF32(op.types(), r),
                r.choice());
    }

    private static long maxPool2d(int library, MaxPool2d op, PlanRequest r) {
        boolean argmax = r.pass() == Pass.BWD || op.phase() == Phase.TRAINING;
        return pool2d(library, r, true, op.x(), op.window(), op.ceil(), argmax, false, type(op, r));
    }

    private static long avgPool2d(int library, AvgPool2d op, PlanRequest r) {
        return pool2d(library, r, false, op.x(), op.window(), op.ceil(), false, op.countPadding(), type(op, r));
    }

    private static long pool2d(
            int library,
            PlanRequest r,
            boolean max,
            Dims x,
            Window w,
            boolean ceil,
            boolean argmax,
            boolean countPadding,
            int type) {
        Padding p = w.padding();
        return PlanNatives.pool2d(
                library,
                pass(r),
                r.workspaceLimit(),
                max,
                x.n(),
                x.h(),
                x.w(),
                x.c(),
                w.r(),
                w.s(),
                p.top(),
                p.bottom(),
                p.left(),
                p.right(),
                w.strideH(),
                w.strideW(),
                w.dilationH(),
                w.dilationW(),
                ceil,
                argmax,
                countPadding,
                type);
    }

    private static long lrn(int library, Lrn op, PlanRequest r) {
        return PlanNatives.lrn(
                library,
                pass(r),
                r.workspaceLimit(),
                pixels(op.x()),
                op.x().c(),
                op.size(),
                op.alpha(),
                op.beta(),
                op.k(),
                op.convention() == Lrn.Convention.ALPHA_OVER_SIZE,
                op.phase() == Phase.TRAINING,
                type(op, r));
    }

    private static long batchNorm(int library, BatchNorm op, PlanRequest r) {
        boolean training = op.phase() == Phase.TRAINING;
        return PlanNatives.batchNorm(
                library,
                pass(r),
                r.workspaceLimit(),
                pixels(op.x()),
                op.x().c(),
                op.eps(),
                op.momentum(),
                training,
                type(op, r));
    }

    private static long dropout(int library, Dropout op, PlanRequest r) {
        int pixels = Math.multiplyExact(op.x().h(), op.x().w());
        return PlanNatives.dropout(
                library,
                pass(r),
                r.workspaceLimit(),
                op.x().n(),
                op.x().c(),
                pixels,
                op.rate(),
                op.layer(),
                type(op, r));
    }

    private static long channelScale(int library, ChannelScale op, PlanRequest r) {
        int pixels = Math.multiplyExact(op.x().h(), op.x().w());
        return PlanNatives.channelScale(
                library, pass(r), r.workspaceLimit(), op.x().n(), op.x().c(), pixels, type(op, r));
    }

    private static long activation(int library, Activation op, PlanRequest r) {
        return PlanNatives.activation(
                library, pass(r), r.workspaceLimit(), op.x().count(), op.kind().ordinal(), type(op, r));
    }

    private static long softmaxCrossEntropy(int library, SoftmaxCrossEntropy op, PlanRequest r) {
        return PlanNatives.softmaxCrossEntropy(
                library, pass(r), r.workspaceLimit(), pixels(op.x()), op.x().c(), op.ignoreLabel(), type(op, r));
    }

    private static long concat(int library, Concat op, PlanRequest r) {
        return PlanNatives.concat(
                library,
                pass(r),
                r.workspaceLimit(),
                pixels(op.x()),
                op.x().c(),
                op.channels(),
                op.offset(),
                type(op, r));
    }

    private static long reorder(int library, Reorder op, PlanRequest r) {
        Dims x = op.x();
        return PlanNatives.reorder(
                library,
                r.workspaceLimit(),
                x.n(),
                Math.multiplyExact(x.h(), x.w()),
                x.c(),
                r.layout(Arg.X) == Layout.Plain.NHWC ? 0 : 1,
                r.layout(Arg.Y) == Layout.Plain.NHWC ? 0 : 1,
                type(op.from()),
                type(op.to()));
    }

    private static long pixels(Dims x) {
        return (long) x.n() * x.h() * x.w();
    }
}
