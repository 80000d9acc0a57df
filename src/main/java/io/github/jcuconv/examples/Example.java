package io.github.jcuconv.examples;

import io.github.jcuconv.Engine;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/** A question and the experiment that answers it. */
public interface Example {
    /** Every example by name, in the order of the textbook's questions. */
    Map<String, Example> ALL = all();

    /** Those whose findings have a chart. */
    Set<String> DRAWN = Set.of("fully-convolutional", "segmentation", "mnist-best", "feature-maps");

    private static Map<String, Example> all() {
        Map<String, Example> map = new LinkedHashMap<>();
        map.put("cnn-vs-dense", new CnnVersusDense());
        map.put("three-layer-memory", new ThreeLayerMemory());
        map.put("out-of-memory", new OutOfMemory());
        map.put("maxpool-vs-strided", new MaxPoolVersusStrided());
        map.put("lrn", new LocalResponse());
        map.put("architectures", new Architectures());
        map.put("fully-convolutional", new FullyConvolutional());
        map.put("segmentation", new Segmentation());
        map.put("mnist-best", new MnistBest());
        map.put("transfer-learning", new TransferLearning());
        map.put("feature-maps", new FeatureMaps());
        return java.util.Collections.unmodifiableMap(map);
    }

    /** The question that it answers. */
    String question();

    /**
     * Runs the experiment.
     *
     * @param engine what computes
     * @param quick whether a small form, which takes seconds, is enough
     * @param seed of data, weights and order
     */
    Finding run(Engine engine, boolean quick, long seed);

    /** The same; one that takes long says now and then, in a line, how far it is. */
    default Finding run(Engine engine, boolean quick, long seed, Consumer<String> told) {
        return run(engine, quick, seed);
    }
}
