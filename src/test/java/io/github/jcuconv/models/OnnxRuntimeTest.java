package io.github.jcuconv.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Parameter;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import io.github.jcuconv.op.Arg;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every model's forward pass beside ONNX Runtime's of the same weights. Compiled with the profile {@code full} only, which brings that library. */
@Tag("full")
class OnnxRuntimeTest {
    private static final int BATCH = 2;

    /** Models whose inputs can be small, for speed. */
    private static final Map<String, Integer> SIDES = Map.of("alexnet", 115, "three-layer", 50, "xception", 139);

    static Set<String> models() {
        return Models.names();
    }

    /**
     * Like a trained network's: outputs keep their size from layer to layer, no statistic is 0 or 1. What ends a block of three convolutions is
     * damped: otherwise fifty such blocks, each adding to its input, let rounding errors grow to the size of the outputs.
     */
    private static Map<String, float[]> weights(Network network) {
        Map<String, float[]> all = new HashMap<>();
        for (Parameter p : network.parameters()) {
            Random random = new Random(p.name().hashCode());
            double scale = p.arg() == Arg.W ? Math.sqrt(2.0 / p.fanIn()) : 0.1;
            boolean positive = p.arg() == Arg.GAMMA || p.arg() == Arg.RUNNING_VAR;
            float[] values = new float[Math.toIntExact(p.dims().count())];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (random.nextGaussian() * scale);
                values[i] = positive ? 1 + Math.max(-0.5f, values[i]) : values[i];
                values[i] *= p.arg() == Arg.GAMMA && p.layer().endsWith(".conv3.bn") ? 0.2f : 1;
            }
            all.put(p.name(), values);
        }
        return all;
    }

    @ParameterizedTest
    @MethodSource("models")
    void gives_what_onnx_runtime_gives(String name) throws OrtException {
        Dims usual = Models.get(name).input();
        int side = SIDES.getOrDefault(name, usual.h() == 28 ? 28 : 64);
        Network network = Models.get(name, new Dims(1, usual.c(), side, side), 7, 0.25);
        Map<String, float[]> weights = weights(network);
        float[] x = new float[BATCH * usual.c() * side * side];
        Random random = new Random(1);
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        float[] ours;
        try (Engine engine = Engine.open("onednn");
                Predictor predictor = new Predictor(network, engine, BATCH, Precision.FP32, weights)) {
            ours = predictor.infer(x);
        }
        float[] theirs = theirs(network, weights, x);
        double largest = 0;
        for (float v : theirs) {
            largest = Math.max(largest, Math.abs(v));
        }
        assertTrue(largest > 1e-3, name + ": the outputs are next to 0");
        // Both sum in fp32, each in its own order, through up to 150 layers.
        assertArrayEquals(theirs, ours, (float) (1e-4 * largest), name);
    }

    private static float[] theirs(Network network, Map<String, float[]> weights, float[] x) throws OrtException {
        Dims in = network.input();
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            try (OrtSession session = environment.createSession(OnnxFile.of(network, BATCH, weights), options);
                    OnnxTensor tensor = OnnxTensor.createTensor(
                            environment, FloatBuffer.wrap(x), new long[] {BATCH, in.c(), in.h(), in.w()});
                    OrtSession.Result result = session.run(Map.of(Network.INPUT, tensor))) {
                FloatBuffer y = ((OnnxTensor) result.get(0)).getFloatBuffer();
                float[] values = new float[y.remaining()];
                y.get(values);
                return values;
            }
        }
    }
}
