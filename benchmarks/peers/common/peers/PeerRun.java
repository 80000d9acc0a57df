package peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * The frame that measures a peer, the same for all of them: reads the data, trains one epoch (or 50 + N steps) of
 * shuffled batches of 128, times every step from raw bytes to updated weights, and tests.
 *
 * <p>Prints and writes as JSON: steady images/s from step 51 to the end (mean, and from the median step), the wall time
 * of the epoch and of the process, the peak resident memory, the test accuracy after a whole epoch.
 */
public final class PeerRun {
    private static final int WARM_UP = 50;
    private static final long SHUFFLE_SEED = 1;
    private static final Path FASHION_MNIST = Path.of("/usr/share/datasets/fashion-mnist");

    private PeerRun() {}

    /** Runs the peer with the flags {@code [--steps N] [--precision fp32] [--data DIR] [--json FILE]}. */
    public static void main(String peer, String[] args, Supplier<Trainer> trainers) {
        int status = 0;
        try {
            run(peer, Flags.parse(args), trainers);
        } catch (IllegalArgumentException e) {
            System.err.println(peer + ": " + e.getMessage());
            status = 2;
        } catch (IOException e) {
            System.err.println(peer + ": " + e.getMessage());
            status = 1;
        }
        // Engines may leave non-daemon threads behind; a benchmark must end when it is done.
        System.exit(status);
    }

    private static void run(String peer, Flags flags, Supplier<Trainer> trainers) throws IOException {
        Idx train = Idx.read(flags.data, "train");
        int batches = train.size() / Trainer.BATCH;
        if (batches - WARM_UP < Math.max(1, flags.steps)) {
            throw new IllegalArgumentException("--steps " + flags.steps + ": " + flags.data + " has " + batches
                    + " batches and the first " + WARM_UP + " are warm-up");
        }
        int steps = flags.steps == 0 ? batches : WARM_UP + flags.steps;
        try (Trainer trainer = trainers.get()) {
            System.out.printf("%s: %s, %d steps, data %s%n", peer, trainer.describe(), steps, flags.data);
            int[] order = train.shuffled(SHUFFLE_SEED);
            float[] x = new float[Trainer.BATCH * Idx.PIXELS];
            int[] y = new int[Trainer.BATCH];
            double[] millis = new double[steps];
            double loss = 0;
            long start = System.nanoTime();
            long begin = start;
            for (int step = 0; step < steps; step++) {
                train.batch(order, step * Trainer.BATCH, Trainer.BATCH, x, y);
                loss = trainer.step(x, y);
                long end = System.nanoTime();
                millis[step] = (end - begin) / 1e6;
                begin = end;
                if (!Double.isFinite(loss)) {
                    throw new IOException(
                            "loss is " + loss + " in step " + (step + 1) + ": figures would mean nothing");
                }
            }
            double epochSeconds = (begin - start) / 1e9;
            double accuracy = flags.steps == 0 ? accuracy(trainer, Idx.read(flags.data, "t10k")) : Double.NaN;
            report(peer, flags, trainer, millis, epochSeconds, loss, accuracy);
        }
    }

    private static double accuracy(Trainer trainer, Idx test) {
        int[] order = test.inOrder();
        float[] x = new float[Trainer.BATCH * Idx.PIXELS];
        int[] y = new int[Trainer.BATCH];
        int correct = 0;
        for (int from = 0; from < test.size(); from += Trainer.BATCH) {
            int count = Math.min(Trainer.BATCH, test.size() - from);
            test.batch(order, from, count, x, y);
            float[] scores = trainer.scores(x);
            for (int i = 0; i < count; i++) {
                int best = 0;
                for (int c = 1; c < Trainer.CLASSES; c++) {
                    if (scores[i * Trainer.CLASSES + c] > scores[i * Trainer.CLASSES + best]) {
                        best = c;
                    }
                }
                correct += best == y[i] ? 1 : 0;
            }
        }
        return correct / (double) test.size();
    }

    private static void report(
            String peer,
            Flags flags,
            Trainer trainer,
            double[] millis,
            double epochSeconds,
            double loss,
            double accuracy)
            throws IOException {
        double[] steady = Arrays.copyOfRange(millis, WARM_UP, millis.length);
        double mean = Arrays.stream(steady).average().orElseThrow();
        Arrays.sort(steady);
        double median = steady[steady.length / 2];
        double perMean = Trainer.BATCH * 1e3 / mean;
        double perMedian = Trainer.BATCH * 1e3 / median;
        double processSeconds =
                Duration.between(ProcessHandle.current().info().startInstant().orElseThrow(), Instant.now())
                                .toMillis()
                        / 1e3;
        long peakBytes = peakBytes();
        System.out.printf(
                Locale.ROOT,
                "%s: steady %.0f images/s (mean of %d steps), %.0f images/s (median step %.2f ms)%n"
                        + "%s: %d steps in %.1f s, process %.1f s, peak memory %.0f MB, loss %.3f, test accuracy %s%n",
                peer,
                perMean,
                steady.length,
                perMedian,
                median,
                peer,
                millis.length,
                epochSeconds,
                processSeconds,
                peakBytes / 1e6,
                loss,
                Double.isNaN(accuracy) ? "not run (needs a whole epoch)" : "" + accuracy);
        if (flags.json != null) {
            Files.writeString(
                    flags.json,
                    String.format(
                            Locale.ROOT,
                            "{\"peer\": \"%s\", \"library\": \"%s\", \"precision\": \"fp32\", "
                                    + "\"batch\": %d, \"steps\": %d, "
                                    + "\"imagesPerSecond\": %.1f, \"imagesPerSecondMedian\": %.1f, "
                                    + "\"medianStepMillis\": %.3f, "
                                    + "\"epochSeconds\": %.2f, \"processSeconds\": %.2f, \"peakBytes\": %d, "
                                    + "\"lastLoss\": %.4f, \"testAccuracy\": %s}%n",
                            peer,
                            trainer.describe(),
                            Trainer.BATCH,
                            millis.length,
                            perMean,
                            perMedian,
                            median,
                            epochSeconds,
                            processSeconds,
                            peakBytes,
                            loss,
                            Double.isNaN(accuracy) ? "null" : "" + accuracy));
        }
    }

    /** The most memory this process ever had resident: VmHWM of Linux, in bytes. */
    private static long peakBytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
            }
        }
        throw new IOException("/proc/self/status has no VmHWM line");
    }

    private static final class Flags {
        private int steps;
        private Path data = folder();
        private Path json;

        /** Fashion-MNIST where Debian puts it, else the MNIST that the user points to. */
        private static Path folder() {
            String mnist = System.getenv("MNIST_DIR");
            return Files.isDirectory(FASHION_MNIST) || mnist == null ? FASHION_MNIST : Path.of(mnist);
        }

        static Flags parse(String[] args) {
            Flags flags = new Flags();
            for (int i = 0; i < args.length; i += 2) {
                if (i + 1 == args.length) {
                    throw new IllegalArgumentException(args[i] + " needs a value");
                }
                String value = args[i + 1];
                switch (args[i]) {
                    case "--steps" -> flags.steps = positive(value);
                    case "--data" -> flags.data = Path.of(value);
                    case "--json" -> flags.json = Path.of(value);
                    case "--precision" -> {
                        if (!value.equals("fp32")) {
                            throw new IllegalArgumentException(
                                    "--precision " + value + ": this peer is measured in fp32 only");
                        }
                    }
                    default ->
                        throw new IllegalArgumentException(args[i]
                                + " is unknown; flags are [--steps N] [--precision fp32] [--data DIR] [--json FILE]");
                }
            }
            return flags;
        }

        private static int positive(String value) {
            if (!value.matches("[1-9][0-9]{0,6}")) {
                throw new IllegalArgumentException("--steps " + value + ": give a whole number from 1");
            }
            return Integer.parseInt(value);
        }
    }
}
