package peers.onednn;

import static org.bytedeco.dnnl.global.dnnl.version;

import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;
import peers.PeerRun;
import peers.Trainer;

/**
 * The yardstick "what oneDNN allows": `peer-cnn` trained by a plain Java loop straight over oneDNN, with no library
 * between.
 *
 * <p>Every layout is oneDNN's choice (format tag any), ReLU is fused into the forward passes, weights stay in the
 * forward layout (only backward-data reorders them), primitives are made once, Adam runs in Java on arrays. What this
 * loop reaches bounds what a library over the same oneDNN can reach on the same cores.
 */
public final class OneDnnLoop implements Trainer {
    private final engine cpu = new engine(engine.kind.cpu, 0);
    private final stream stream = new stream(cpu);
    private final Layers layers = new Layers(cpu, stream);

    private final memory images = new memory(Layers.plain(memory.format_tag.nchw, BATCH, 1, 28, 28), cpu);
    private final memory logits;
    private final memory diffLogits = new memory(Layers.plain(memory.format_tag.nc, BATCH, CLASSES), cpu);
    private final FloatPointer nativeImages = Parameter.floats(images);
    private final FloatPointer nativeLogits;
    private final FloatPointer nativeDiffLogits = Parameter.floats(diffLogits);
    private final float[] scores = new float[BATCH * CLASSES];
    private final float[] diffScores = new float[BATCH * CLASSES];
    private int steps;

    private OneDnnLoop() {
        Layers.Conv conv1 = layers.new Conv(images, 1, 32);
        Layers.Conv conv2 = layers.new Conv(conv1.y, 32, 64);
        Layers.Pool pool = layers.new Pool(conv2.y);
        Layers.Dense dense1 = layers.new Dense(pool.y, 128, true, 64, 14, 14);
        Layers.Dense dense2 = layers.new Dense(dense1.y, CLASSES, false, 128);
        logits = layers.forward.adapt(dense2.y, diffLogits.get_desc());
        nativeLogits = Parameter.floats(logits);

        memory gradient = dense2.backward(diffLogits);
        gradient = dense1.backward(layers.reluBackward(dense1.y, gradient));
        gradient = pool.backward(gradient);
        gradient = conv2.backward(layers.reluBackward(conv2.y, gradient), true);
        conv1.backward(layers.reluBackward(conv1.y, gradient), false);
    }

    public static void main(String[] args) {
        PeerRun.main("onednn-loop", args, OneDnnLoop::new);
    }

    @Override
    public float step(float[] x, int[] y) {
        scores(x);
        float loss = softmaxCrossEntropy(y);
        nativeDiffLogits.put(diffScores);
        layers.backward.run(stream);
        steps++;
        for (Parameter parameter : layers.parameters) {
            parameter.adam(steps);
        }
        return loss;
    }

    @Override
    public float[] scores(float[] x) {
        nativeImages.put(x);
        layers.forward.run(stream);
        nativeLogits.get(scores);
        return scores;
    }

    /** Mean loss of the batch; leaves its gradient by the logits in {@link #diffScores}. */
    private float softmaxCrossEntropy(int[] y) {
        double loss = 0;
        for (int n = 0; n < BATCH; n++) {
            int row = n * CLASSES;
            float max = Float.NEGATIVE_INFINITY;
            for (int c = 0; c < CLASSES; c++) {
                max = Math.max(max, scores[row + c]);
            }
            double sum = 0;
            for (int c = 0; c < CLASSES; c++) {
                sum += Math.exp(scores[row + c] - max);
            }
            for (int c = 0; c < CLASSES; c++) {
                double probability = Math.exp(scores[row + c] - max) / sum;
                diffScores[row + c] = (float) (probability - (c == y[n] ? 1 : 0)) / BATCH;
            }
            loss -= scores[row + y[n]] - max - Math.log(sum);
        }
        return (float) (loss / BATCH);
    }

    @Override
    public String describe() {
        dnnl_version_t version = version();
        return "oneDNN " + version.major() + "." + version.minor() + "." + version.patch();
    }

    @Override
    public void close() {
        stream.close();
        cpu.close();
    }
}
