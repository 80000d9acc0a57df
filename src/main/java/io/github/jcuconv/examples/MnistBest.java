package io.github.jcuconv.examples;

import io.github.jcuconv.Engine;
import io.github.jcuconv.FileException;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Datasets;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.data.Split;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.report.Curve;
import io.github.jcuconv.report.Picture;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * From a baseline to a good classifier of MNIST: changes tried one by one and kept where they help on images held out from the training ones, then
 * five trainings on all of these, and the test images read once. Every training is saved, so that a second call goes on where the first stopped.
 */
final class MnistBest implements Example {
    private static final Path FOLDER = Path.of("jcuconv-mnist-best");
    private static final int ENSEMBLE = 3;

    /**
     * How much is done.
     *
     * @param width filters of the first stage
     * @param batch images per step
     * @param precision of the training
     * @param images of the training part to choose with
     * @param folds into which they are cut
     * @param trials epochs of a trial
     * @param epochs of a final training
     * @param models final trainings
     */
    private record Size(
            int width, int batch, Precision precision, int images, int folds, int trials, int epochs, int models) {}

    private static final Size QUICK = new Size(16, 25, Precision.FP32, 1_400, 2, 4, 4, ENSEMBLE);
    private static final Size FULL = new Size(32, 100, Precision.BF16, 24_000, 2, 8, 16, 5);

    @Override
    public String question() {
        return "How good can a small CNN become, one improvement after the other?";
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        return run(engine, quick, seed, line -> {});
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed, Consumer<String> told) {
        if (!quick) {
            Dataset data = Datasets.load("mnist", Optional.empty());
            return new Work(engine, data, FULL, seed, FOLDER.resolve("seed-" + seed), told).run();
        }
        Path folder = temporary();
        try {
            return new Work(engine, Digits.make(seed, QUICK.images, 500), QUICK, seed, folder, told).run();
        } finally {
            delete(folder);
        }
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("jcuconv-mnist-best");
        } catch (IOException e) {
            throw new FileException(System.getProperty("java.io.tmpdir"), "cannot be written", "make room there", e);
        }
    }

    private static void delete(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** One run of the experiment. */
    private record Work(Engine engine, Dataset data, Size size, long seed, Path folder, Consumer<String> told) {
        Finding run() {
            Finding finding = new Finding();
            Recipe best = choose(finding);
            double mean = test(finding, best);
            return finding.answer(
                    "Chosen on held-out images alone, the recipe is right on %.2f %% of the test images as the mean of %d seeds.",
                    mean, size.models);
        }

        private Recipe choose(Finding finding) {
            Dataset part = Classifier.first(data, size.images);
            finding.table(
                    data.name() + ", one change after the other", "held-out images right %", "least", "most", "kept");
            Recipe best = new Recipe(size.width, size.batch, size.precision, Set.of());
            double[] right = trial("baseline", best, part);
            finding.row("baseline", right[0], right[1], right[2], "yes");
            for (Recipe.Change change : Recipe.Change.values()) {
                Recipe changed = best.with(change);
                double[] now = trial("+ " + change.words, changed, part);
                boolean better = now[0] > right[0];
                finding.row("+ " + change.words, now[0], now[1], now[2], better ? "yes" : "no");
                best = better ? changed : best;
                right = better ? now : right;
            }
            List<Double> curve = trained(best, part, 0).curve();
            finding.table("epoch of the chosen recipe", "held-out images right %");
            Curve drawn = new Curve(Math.floor(curve.get(0)));
            for (int epoch = 1; epoch <= curve.size(); epoch++) {
                finding.row(String.valueOf(epoch), Classifier.rounded(curve.get(epoch - 1), 100));
                drawn.add(epoch, curve.get(epoch - 1));
            }
            finding.chart(Picture.file(Curve.WIDTH, Curve.HEIGHT, drawn.svg("#1f77b4")));
            return best;
        }

        /** Mean, least and most over the folds. */
        private double[] trial(String name, Recipe recipe, Dataset part) {
            List<Double> right = new ArrayList<>();
            for (int fold = 0; fold < size.folds; fold++) {
                Dataset cut = part.fold(fold, size.folds, seed);
                Map<String, float[]> weights = trained(recipe, part, fold).weights();
                right.add(Classifier.rounded(Classifier.accuracy(recipe.answers(engine, cut, weights), cut), 1000));
                told.accept(String.format("%s, part %d of %d: %.2f %%", name, fold + 1, size.folds, right.get(fold)));
            }
            return statistics(right);
        }

        private Recipe.Trained trained(Recipe recipe, Dataset part, int fold) {
            Path at = folder.resolve("trial" + recipe.label() + "-" + fold);
            return recipe.trained(engine, part.fold(fold, size.folds, seed), true, size.trials, seed, at);
        }

        /** Trains the models, all of them before the first look at the test images. */
        private double test(Finding finding, Recipe recipe) {
            List<Map<String, float[]>> models = new ArrayList<>();
            for (int i = 0; i < size.models; i++) {
                Path at = folder.resolve("model" + recipe.label() + "-" + (seed + i));
                models.add(recipe.trained(engine, data, false, size.epochs, seed + i, at)
                        .weights());
                told.accept(String.format("model %d of %d is trained", i + 1, size.models));
            }
            finding.table("trained on all " + data.train().count() + " images, seed", "test images right %");
            List<Double> right = new ArrayList<>();
            float[] sum = new float[data.test().count() * data.classes()];
            for (int i = 0; i < size.models; i++) {
                float[] logits = recipe.answers(engine, data, models.get(i));
                right.add(Classifier.accuracy(logits, data));
                finding.row(String.valueOf(seed + i), right.get(i));
                if (i < ENSEMBLE) {
                    addProbabilities(sum, logits, data.classes());
                }
            }
            double[] all = statistics(right);
            finding.row("mean", all[0]).row("least", all[1]).row("most", all[2]);
            finding.row("the first " + ENSEMBLE + " together", Classifier.accuracy(sum, data));
            Split digits = Digits.make(seed + 1, 1, data.test().count() / 10).test();
            Dataset drawn = new Dataset("digits", data.train(), digits, 10, data.mean(), data.std());
            double fresh = Classifier.accuracy(recipe.answers(engine, drawn, models.get(0)), drawn);
            finding.row("drawn digits, by the first", fresh);
            return all[0];
        }

        private static double[] statistics(List<Double> values) {
            double mean = values.stream().mapToDouble(v -> v).average().orElseThrow();
            double least = values.stream().mapToDouble(v -> v).min().orElseThrow();
            double most = values.stream().mapToDouble(v -> v).max().orElseThrow();
            return new double[] {
                Classifier.rounded(mean, 1000), Classifier.rounded(least, 100), Classifier.rounded(most, 100)
            };
        }

        private static void addProbabilities(float[] sum, float[] logits, int classes) {
            for (int from = 0; from < logits.length; from += classes) {
                double total = 0;
                double highest = logits[from + Classifier.argmax(logits, from, classes, 1)];
                for (int c = 0; c < classes; c++) {
                    total += Math.exp(logits[from + c] - highest);
                }
                for (int c = 0; c < classes; c++) {
                    sum[from + c] += (float) (Math.exp(logits[from + c] - highest) / total);
                }
            }
        }
    }
}
