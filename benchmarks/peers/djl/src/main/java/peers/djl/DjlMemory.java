package peers.djl;

import ai.djl.Device;
import ai.djl.Model;
import ai.djl.basicmodelzoo.cv.classification.ResNetV1;
import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Blocks;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.convolutional.Conv2d;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.Dropout;
import ai.djl.nn.pooling.Pool;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.initializer.XavierInitializer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Trains one of our models with DJL over PyTorch for a few steps of random images, with Adam, and says how many parameters it has and how much
 * memory the process ever had resident. Usage: {@code DjlMemory MODEL BATCH STEPS}. AlexNet comes without local response normalization, which DJL
 * lacks: in its favour.
 */
public final class DjlMemory {
    private record Subject(Shape image, int classes, Supplier<Block> block) {}

    private static final Map<String, Subject> SUBJECTS = Map.of(
            "peer-cnn", new Subject(new Shape(1, 28, 28), 10, DjlMemory::peerCnn),
            "lenet5", new Subject(new Shape(1, 28, 28), 10, DjlMemory::lenet5),
            "alexnet", new Subject(new Shape(3, 227, 227), 1000, DjlMemory::alexnet),
            "resnet50", new Subject(new Shape(3, 224, 224), 1000, DjlMemory::resnet50));

    private DjlMemory() {}

    public static void main(String[] args) throws IOException {
        Subject subject = SUBJECTS.get(args[0]);
        int batch = Integer.parseInt(args[1]);
        int steps = Integer.parseInt(args[2]);
        try (Model model = Model.newInstance(args[0], "PyTorch")) {
            model.setBlock(subject.block.get());
            try (Trainer trainer = model.newTrainer(new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                    .optDevices(new Device[] {Device.cpu()})
                    .optInitializer(new XavierInitializer(), Parameter.Type.WEIGHT)
                    .optOptimizer(Optimizer.adam()
                            .optLearningRateTracker(Tracker.fixed(1e-4f))
                            .build()))) {
                Shape images = new Shape(batch).addAll(subject.image);
                trainer.initialize(images);
                for (int step = 0; step < steps; step++) {
                    step(trainer, images, batch);
                }
                long parameters = model.getBlock().getParameters().values().stream()
                        .filter(Parameter::requiresGradient)
                        .mapToLong(p -> p.getArray().size())
                        .sum();
                System.out.printf(
                        Locale.ROOT,
                        "{\"model\": \"%s\", \"library\": \"DJL %s, PyTorch %s\", \"batch\": %d, \"parameters\": %d, \"peakResident\": %d}%n",
                        args[0],
                        Engine.getDjlVersion(),
                        Engine.getEngine("PyTorch").getVersion(),
                        batch,
                        parameters,
                        peakResident());
            }
        }
        System.exit(0); // engines leave threads behind
    }

    private static void step(Trainer trainer, Shape images, int batch) {
        try (NDManager scope = trainer.getManager().newSubManager()) {
            NDArray x = scope.randomUniform(0, 1, images);
            NDArray y = scope.zeros(new Shape(batch));
            try (GradientCollector gradients = trainer.newGradientCollector()) {
                NDList scores = trainer.forward(new NDList(x), new NDList(y));
                NDArray loss = trainer.getLoss().evaluate(new NDList(y), scores);
                gradients.backward(loss);
                if (!Float.isFinite(loss.getFloat())) {
                    throw new IllegalStateException("the loss is not finite");
                }
            }
            trainer.step();
        }
    }

    private static long peakResident() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024)
                .findFirst()
                .orElseThrow();
    }

    private static Conv2d conv(int filters, int window, int stride, int pad, int groups) {
        return Conv2d.builder()
                .setKernelShape(new Shape(window, window))
                .optStride(new Shape(stride, stride))
                .optPadding(new Shape(pad, pad))
                .optGroups(groups)
                .setFilters(filters)
                .build();
    }

    private static Block pool(int window, int stride) {
        return Pool.maxPool2dBlock(new Shape(window, window), new Shape(stride, stride));
    }

    private static SequentialBlock dense(SequentialBlock net, int... units) {
        net.add(Blocks.batchFlattenBlock());
        for (int i = 0; i < units.length; i++) {
            net.add(Linear.builder().setUnits(units[i]).build());
            if (i + 1 < units.length) {
                net.add(Activation.reluBlock());
            }
        }
        return net;
    }

    private static SequentialBlock convolutions(Block... parts) {
        SequentialBlock net = new SequentialBlock();
        for (Block part : parts) {
            net.add(part);
            if (part instanceof Conv2d) {
                net.add(Activation.reluBlock());
            }
        }
        return net;
    }

    private static Block peerCnn() {
        return dense(convolutions(conv(32, 3, 1, 1, 1), conv(64, 3, 1, 1, 1), pool(2, 2)), 128, 10);
    }

    private static Block lenet5() {
        return dense(convolutions(conv(6, 5, 1, 2, 1), pool(2, 2), conv(16, 5, 1, 0, 1), pool(2, 2)), 120, 84, 10);
    }

    private static Block alexnet() {
        SequentialBlock net = convolutions(
                conv(96, 11, 4, 0, 1),
                pool(3, 2),
                conv(256, 5, 1, 2, 2),
                pool(3, 2),
                conv(384, 3, 1, 1, 1),
                conv(384, 3, 1, 1, 2),
                conv(256, 3, 1, 1, 2),
                pool(3, 2),
                Blocks.batchFlattenBlock());
        for (int i = 0; i < 2; i++) {
            net.add(Linear.builder().setUnits(4096).build())
                    .add(Activation.reluBlock())
                    .add(Dropout.builder().optRate(0.5f).build());
        }
        return net.add(Linear.builder().setUnits(1000).build());
    }

    private static Block resnet50() {
        return ResNetV1.builder()
                .setImageShape(new Shape(3, 224, 224))
                .setNumLayers(50)
                .setOutSize(1000)
                .build();
    }
}
