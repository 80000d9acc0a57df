package peers.dl4j;

import org.deeplearning4j.nn.conf.ConvolutionMode;
import org.deeplearning4j.nn.conf.MultiLayerConfiguration;
import org.deeplearning4j.nn.conf.NeuralNetConfiguration;
import org.deeplearning4j.nn.conf.inputs.InputType;
import org.deeplearning4j.nn.conf.layers.ConvolutionLayer;
import org.deeplearning4j.nn.conf.layers.DenseLayer;
import org.deeplearning4j.nn.conf.layers.OutputLayer;
import org.deeplearning4j.nn.conf.layers.SubsamplingLayer;
import org.deeplearning4j.nn.multilayer.MultiLayerNetwork;
import org.deeplearning4j.nn.weights.WeightInit;
import org.nd4j.common.config.ND4JSystemProperties;
import org.nd4j.linalg.activations.Activation;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.learning.config.Adam;
import org.nd4j.linalg.lossfunctions.LossFunctions;
import peers.PeerRun;
import peers.Trainer;

/** The peer DL4J with nd4j's CPU backend training `peer-cnn`: one {@code fit} of a ready batch per step. */
public final class Dl4jPeer implements Trainer {
    private static final int SIDE = 28;

    private final MultiLayerNetwork network;

    private Dl4jPeer() {
        MultiLayerConfiguration layers = new NeuralNetConfiguration.Builder()
                .seed(1)
                .updater(new Adam(1e-3))
                .weightInit(WeightInit.XAVIER)
                .list()
                .layer(conv(32))
                .layer(conv(64))
                .layer(new SubsamplingLayer.Builder(SubsamplingLayer.PoolingType.MAX)
                        .kernelSize(2, 2)
                        .stride(2, 2)
                        .build())
                .layer(new DenseLayer.Builder()
                        .nOut(128)
                        .activation(Activation.RELU)
                        .build())
                .layer(new OutputLayer.Builder(LossFunctions.LossFunction.MCXENT)
                        .nOut(CLASSES)
                        .activation(Activation.SOFTMAX)
                        .build())
                .setInputType(InputType.convolutional(SIDE, SIDE, 1))
                .build();
        network = new MultiLayerNetwork(layers);
        network.init();
    }

    public static void main(String[] args) {
        System.setProperty(ND4JSystemProperties.LOG_INITIALIZATION, "false");
        PeerRun.main("dl4j", args, Dl4jPeer::new);
    }

    private static ConvolutionLayer conv(int filters) {
        return new ConvolutionLayer.Builder(3, 3)
                .nOut(filters)
                .convolutionMode(ConvolutionMode.Same)
                .activation(Activation.RELU)
                .build();
    }

    @Override
    public float step(float[] x, int[] y) {
        float[] oneHot = new float[y.length * CLASSES];
        for (int i = 0; i < y.length; i++) {
            oneHot[i * CLASSES + y[i]] = 1;
        }
        try (INDArray images = images(x);
                INDArray labels = Nd4j.create(oneHot, new int[] {y.length, CLASSES})) {
            network.fit(new DataSet(images, labels));
            return (float) network.score();
        }
    }

    @Override
    public float[] scores(float[] x) {
        try (INDArray images = images(x);
                INDArray scores = network.output(images)) {
            return scores.dup('c').data().asFloat();
        }
    }

    private static INDArray images(float[] x) {
        return Nd4j.create(x, new int[] {BATCH, 1, SIDE, SIDE});
    }

    @Override
    public String describe() {
        return "DL4J 1.0.0-M2.1, " + Nd4j.getBackend().getClass().getSimpleName() + ", " + network.numParams()
                + " parameters";
    }

    @Override
    public void close() {
        network.close();
    }
}
