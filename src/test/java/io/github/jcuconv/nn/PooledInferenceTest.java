package io.github.jcuconv.nn;

import static io.github.jcuconv.nn.Layer.conv;
import static io.github.jcuconv.nn.Layer.dense;
import static io.github.jcuconv.nn.Layer.maxPool;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.cuda.EmulatedProvider;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.reference.ReferenceProvider;
import io.github.jcuconv.spi.EngineProvider;
import io.github.jcuconv.spi.EngineSpi;
import io.github.jcuconv.testing.ForwardingEngine;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Max-pools that inference runs with the convolution before them: fewer steps, less memory, the same bits. */
class PooledInferenceTest {
    private static final int BATCH = 3;
    /** pool1 and pool2 go with their convolutions; the others may not. */
    private static final int FUSED = 2;

    /** Its convolutions know no max-pool. */
    private static final class Apart extends ForwardingEngine {
        Apart(EngineSpi inner) {
            super(inner);
        }

        @Override
        public Optional<String> refusal(OpDescriptor op, Pass pass) {
            boolean pooled = op instanceof Conv2d conv && conv.isPooled();
            return pooled ? Optional.of("apart") : super.refusal(op, pass);
        }
    }

    static Stream<Arguments> enginesAndPrecisions() {
        return Stream.of(new ReferenceProvider(), new EmulatedProvider())
                .flatMap(e -> Stream.of(Precision.values()).map(p -> Arguments.of(e, p)));
    }

    private static Network network() {
        return Network.input("pooled", 2, 35, 31)
                .add("conv1", conv(6, 3).relu())
                .add("pool1", maxPool(2, 2)) // of 33 x 29: a row and a column are left over
                .add("conv2", conv(8, 3).same().noBias())
                .add("pool2", maxPool(2, 2))
                .add("conv3", conv(5, 3).same().activation(Activation.Kind.TANH))
                .add("pool3", maxPool(2, 2)) // behind what is no ReLU
                .add("conv4", conv(4, 1))
                .add("pool4", maxPool(2, 1)) // windows that overlap
                .add("conv5", conv(4, 1))
                .add("pool5", maxPool(2, 2).ceilMode(), "conv5")
                .add("fc", dense(3))
                .build();
    }

    @ParameterizedTest
    @MethodSource("enginesAndPrecisions")
    void answers_are_those_of_two_steps(EngineProvider provider, Precision precision) {
        Assumptions.assumeTrue(
                provider.unavailable().isEmpty(), () -> provider.unavailable().orElse(""));
        Network network = network();
        SplittableRandom random = new SplittableRandom(5);
        Map<String, float[]> parameters = new HashMap<>();
        network.parameters()
                .forEach(p -> parameters.put(p.name(), reals(random, p.dims().count())));
        float[] images = reals(random, network.input().withN(BATCH).count());
        try (Engine together = Engine.of("together", provider.open());
                Engine apart = Engine.of("apart", new Apart(provider.open()))) {
            try (Program one = Program.inference(network, together, BATCH, precision);
                    Program two = Program.inference(network, apart, BATCH, precision)) {
                assertEquals(
                        two.inference.to() - two.inference.from() - FUSED, one.inference.to() - one.inference.from());
                assertTrue(one.memoryPlan.arenaBytes() < two.memoryPlan.arenaBytes());
            }
            try (Predictor one = new Predictor(network, together, BATCH, precision, parameters);
                    Predictor two = new Predictor(network, apart, BATCH, precision, parameters)) {
                assertEquals(one.memory().predictedBytes(), together.ledger().liveBytes());
                assertArrayEquals(two.infer(images), one.infer(images));
            }
        }
    }

    private static float[] reals(SplittableRandom random, long count) {
        float[] values = new float[Math.toIntExact(count)];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return values;
    }
}
