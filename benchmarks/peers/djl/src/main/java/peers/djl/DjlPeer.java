package peers.djl;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Blocks;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import peers.PeerRun;
import peers.Trainer;

/**
 * The peer DJL with PyTorch's CPU engine training `peer-cnn`, at its best: own batches straight into an NDArray instead
 * of DJL's data set classes and EasyTrain, which are about 10 % slower. Measures what a Java user of DJL gets.
 */
public final class DjlPeer implements Trainer {
    private static final Shape IMAGES = new Shape(BATCH, 1, 28, 28);
    private static final Shape THREE = new Shape(3, 3);
    private static final Shape TWO = new Shape(2, 2);
    private static final Shape ONE = new Shape(1, 1);

    private final Model model = Model.newInstance("peer-cnn", "PyTorch");
    private final ai.djl.training.Trainer trainer;

    private DjlPeer() {
        SequentialBlock network = new SequentialBlock()
                .add(conv(32))
                .add(Activation.reluBlock())
                .add(conv(64))
                .add(Activation.reluBlock())
                .add(Pool.maxPool2dBlock(TWO, TWO))
                .add(Blocks.batchFlattenBlock())
                .add(Linear.builder().setUnits(128).build())
                .add(Activation.reluBlock())
                .add(Linear.builder().setUnits(CLASSES).build());
        model.setBlock(network);
        Tracker rate = Tracker.fixed(1e-3f);
        trainer = model.newTrainer(new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                .optDevices(new Device[] {Device.cpu()})
                .optInitializer(new XavierInitializer(), Parameter.Type.WEIGHT)
                .optOptimizer(Optimizer.adam().optLearningRateTracker(rate).build()));
        trainer.initialize(IMAGES);
    }

    public static void main(String[] args) {
        PeerRun.main("djl", args, DjlPeer::new);
    }

    private static Conv2d conv(int filters) {
        return Conv2d.builder()
                .setKernelShape(THREE)
                .optPadding(ONE)
                .setFilters(filters)
                .build();
    }

    @Override
    public float step(float[] x, int[] y) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            NDArray images = batch.create(x, IMAGES);
            NDArray labels = batch.create(y, new Shape(BATCH));
            float loss;
            try (GradientCollector gradients = trainer.newGradientCollector()) {
                NDList scores = trainer.forward(new NDList(images), new NDList(labels));
                NDArray mean = trainer.getLoss().evaluate(new NDList(labels), scores);
                gradients.backward(mean);
                loss = mean.getFloat();
            }
            trainer.step();
            return loss;
        }
    }

    @Override
    public float[] scores(float[] x) {
        try (NDManager batch = trainer.getManager().newSubManager()) {
            return trainer.evaluate(new NDList(batch.create(x, IMAGES)))
                    .singletonOrThrow()
                    .toFloatArray();
        }
    }

    @Override
    public String describe() {
        Engine engine = Engine.getEngine("PyTorch");
        return "DJL " + Engine.getDjlVersion() + ", PyTorch " + engine.getVersion();
    }

    @Override
    public void close() {
        trainer.close();
        model.close();
    }
}
