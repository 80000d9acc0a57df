package io.github.jcuconv.reference;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.verify.Descriptors;
import io.github.jcuconv.verify.ShapeFile;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Backward passes against central differences of the forward pass, all in fp64: d/dx of sum(dy * y(x)) must be dx. The forward passes have
 * hand-worked cases of their own.
 */
class GradientCheckTest {
    private static final double STEP = 1e-5;
    private static final double RELATIVE = 1e-6;
    private static final double ABSOLUTE = 1e-8;

    private static final Map<Arg, Arg> GRADIENT_OF = new EnumMap<>(Map.of(
            Arg.DX, Arg.X,
            Arg.DX2, Arg.X2,
            Arg.DW, Arg.W,
            Arg.DBIAS, Arg.BIAS,
            Arg.DGAMMA, Arg.GAMMA,
            Arg.DBETA, Arg.BETA));

    private final SplittableRandom random = new SplittableRandom(17);

    @ParameterizedTest
    @CsvSource({
        "conv2d, n2c4h5w6k6r3s2u2v1pt1pb0pl1pr2d1e2g2bias1",
        "conv2d, n1c3h6w5k6r3s3g3pt1pb1pl1pr1bias1",
        "conv-transpose2d, n2c4h3w4k6r3s2u2v1pt1pb0pl0pr1d2e1g2oh1bias1",
        "dense, n3c4h2w2k5bias1",
        "max-pool2d, n2c3h6w5r3s2u2v1pt1pb1pl1pr0",
        "max-pool2d, n1c2h6w6r2s2u3v3pt1pb1pl1pr1ceil1",
        "max-pool2d, n1c2h7w7r2s2d3e2",
        "avg-pool2d, n2c3h6w5r3s2u2v1pt1pb1pl1pr0",
        "avg-pool2d, n2c3h6w5r3s2u2v1pt1pb1pl1pr0ceil1count1",
        "lrn, n2c7h2w3size5alpha10000k2",
        "lrn, n2c4h2w3size3alpha20000beta50paper1",
        "batch-norm, n3c4h2w3",
        "activation, n2c3h2w2relu1",
        "activation, n2c3h2w2tanh1",
        "activation, n2c3h2w2sigmoid1",
        "dropout, n2c3h2w5rate30layer3",
        "concat, n2c3h2w2k7offset2",
        "channel-scale, n2c3h2w3",
        "softmax-cross-entropy, n3c5h2w2"
    })
    void backwardIsTheDerivativeOfForward(String name, String shape) {
        OpDescriptor op =
                Descriptors.of(name, ShapeFile.parse("test", List.of(shape)).get(0), DataType.FP32);
        boolean weighted = op.passes().contains(Pass.FPROP);
        Pass forward = weighted ? Pass.FPROP : Pass.FWD;
        Views in = new Views();
        for (ArgSpec spec : op.arguments(forward)) {
            in.set(spec.arg(), random(spec));
        }
        Views gradients = new Views();
        run(op, forward, in);
        for (Pass pass : weighted ? List.of(Pass.DGRAD, Pass.WGRAD) : List.of(Pass.BWD)) {
            for (ArgSpec spec : op.arguments(pass)) {
                Tensor tensor =
                        spec.access() == ArgSpec.Access.IN && in.has(spec.arg()) ? in.get(spec.arg()) : random(spec);
                if (spec.arg() == Arg.DY && gradients.has(Arg.DY)) {
                    tensor = gradients.get(Arg.DY);
                }
                if (spec.arg() == Arg.LOSS_SCALE) {
                    tensor.put(0, 1);
                }
                gradients.set(spec.arg(), tensor);
            }
            ReferenceTable.run(op, pass, gradients, false);
        }
        int compared = 0;
        for (Map.Entry<Arg, Arg> pair : GRADIENT_OF.entrySet()) {
            if (gradients.has(pair.getKey())) {
                compared += compare(op, forward, in, pair.getValue(), gradients, gradients.get(pair.getKey()));
            }
        }
        assertTrue(compared > 0, "nothing compared");
    }

    private static void run(OpDescriptor op, Pass pass, Views views) {
        ReferenceTable.run(op, pass, views, false);
    }

    private static int compare(OpDescriptor op, Pass forward, Views in, Arg arg, Views gradients, Tensor gradient) {
        Tensor x = in.get(arg);
        for (int i = 0; i < x.dims().count(); i++) {
            double before = x.at(i);
            x.put(i, before + STEP);
            double above = loss(op, forward, in, gradients);
            x.put(i, before - STEP);
            double below = loss(op, forward, in, gradients);
            x.put(i, before);
            double expected = (above - below) / (2 * STEP);
            double difference = Math.abs(expected - gradient.at(i));
            assertTrue(
                    difference <= ABSOLUTE + RELATIVE * Math.abs(expected),
                    op.name() + " " + arg + "[" + i + "]: " + gradient.at(i) + ", by differences " + expected);
        }
        return (int) x.dims().count();
    }

    private static double loss(OpDescriptor op, Pass forward, Views in, Views gradients) {
        run(op, forward, in);
        if (in.has(Arg.LOSS)) {
            return in.get(Arg.LOSS).at(0);
        }
        double loss = 0;
        for (int i = 0; i < in.get(Arg.Y).dims().count(); i++) {
            loss += in.get(Arg.Y).at(i) * gradients.get(Arg.DY).at(i);
        }
        return loss;
    }

    private Tensor random(ArgSpec spec) {
        Tensor tensor = Tensor.exact(spec.dims());
        for (int i = 0; i < spec.dims().count(); i++) {
            tensor.put(
                    i,
                    switch (spec.arg()) {
                        case LABELS -> random.nextInt(-1, 5);
                        case SEED -> random.nextInt();
                        // Distinct by more than the step, so that no maximum changes hands.
                        default -> (random.nextInt(-1000, 1000) + 0.5) / 500;
                    });
        }
        return tensor;
    }
}
