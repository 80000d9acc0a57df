package peers;

/**
 * What a peer must offer to be measured: one network `peer-cnn` (convolution 3x3x32 same + ReLU, convolution 3x3x64
 * same + ReLU, max-pool 2x2, dense 128 + ReLU, dense 10, softmax cross-entropy) with Adam, learning rate 1e-3.
 */
public interface Trainer extends AutoCloseable {
    /** Images in a training batch; the last incomplete batch of an epoch is left out. */
    int BATCH = 128;

    /** Classes. */
    int CLASSES = 10;

    /**
     * One training step, finished when this returns.
     *
     * @param x images [BATCH, 1, 28, 28]
     * @param y labels [BATCH]
     * @return mean cross-entropy of the batch before the update
     */
    float step(float[] x, int[] y);

    /** Class scores [BATCH * CLASSES] of a batch, without training. */
    float[] scores(float[] x);

    /** Library and version, for the record. */
    String describe();

    @Override
    void close();
}
