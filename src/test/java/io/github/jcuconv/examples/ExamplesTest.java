package io.github.jcuconv.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.xml.sax.SAXException;

/** What each example says must be so, by a margin, also in its quick form. */
class ExamplesTest {
    private static final String WITH_SKIPS = "IoU with skips";
    private static final String WITHOUT_SKIPS = "IoU without skips";

    private static Finding run(String name, boolean quick, long seed) {
        try (Engine engine = Engine.open("onednn")) {
            Finding finding = Objects.requireNonNull(Example.ALL.get(name)).run(engine, quick, seed);
            for (Finding.Table table : finding.tables()) {
                table.rows().forEach(row -> assertEquals(table.columns().size(), row.size(), name + " " + row));
            }
            assertTrue(finding.answer().endsWith("."), finding.answer());
            assertEquals(Example.DRAWN.contains(name), finding.chart().isPresent(), name);
            finding.chart().ifPresent(ExamplesTest::parse);
            return finding;
        }
    }

    private static void parse(String svg) {
        try {
            DocumentBuilderFactory.newInstance()
                    .newDocumentBuilder()
                    .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
        } catch (ParserConfigurationException | SAXException | IOException e) {
            throw new AssertionError(e);
        }
    }

    private static double gain(Finding.Table table, String better, String worse, String column) {
        return table.number(better, column) - table.number(worse, column);
    }

    /** Those whose full form is to show the same as the quick one; the others have tests of their own below. */
    private static final Map<String, Consumer<Finding>> SAME_IN_FULL = Map.of(
            "maxpool-vs-strided", ExamplesTest::poolingCostsLess,
            "lrn", ExamplesTest::lrnInhibits,
            "architectures", ExamplesTest::skipsCarryTheGradient,
            "three-layer-memory", ExamplesTest::plannedIsAllocated,
            "out-of-memory", ExamplesTest::remediesFit,
            "feature-maps", ExamplesTest::classesComeApart);

    static Set<String> sameInFull() {
        return SAME_IN_FULL.keySet();
    }

    @Tag("full")
    @ParameterizedTest
    @MethodSource("sameInFull")
    void full_forms_show_the_same(String name) {
        Objects.requireNonNull(SAME_IN_FULL.get(name)).accept(run(name, false, 1));
    }

    @Test
    void a_cnn_sees_digits_elsewhere_with_fewer_parameters() {
        cnnBeatsDense(run("cnn-vs-dense", true, 1));
    }

    @Tag("full")
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void a_cnn_sees_digits_elsewhere_in_the_full_form(long seed) {
        cnnBeatsDense(run("cnn-vs-dense", false, seed));
    }

    private static void cnnBeatsDense(Finding finding) {
        Finding.Table table = finding.tables().get(0);
        assertTrue(gain(table, "lenet5", "dense-mnist", "shifted %") >= 10, table.toString());
        assertTrue(gain(table, "lenet5", "dense-mnist", "a tenth of the data %") >= 1, table.toString());
        assertTrue(gain(table, "lenet5", "dense-mnist", "parameters") < -30_000, table.toString());
    }

    @Test
    void pooling_costs_less_than_a_strided_convolution_and_is_as_good() {
        poolingCostsLess(run("maxpool-vs-strided", true, 1));
    }

    private static void poolingCostsLess(Finding finding) {
        Finding.Table table = finding.tables().get(0);
        String pool = "max-pooling";
        String strided = "strided convolution";
        assertTrue(table.number(pool, "parameters") < 0.8 * table.number(strided, "parameters"), table.toString());
        assertTrue(
                table.number(pool, "multiply-adds") < 0.8 * table.number(strided, "multiply-adds"), table.toString());
        assertTrue(gain(table, pool, strided, "test %") > -5, table.toString());
        double cheap = table.number("stride in the convolution", "kept MiB");
        assertTrue(cheap < 0.5 * table.number(pool, "kept MiB"), table.toString());
    }

    @Test
    void lrn_inhibits_neighbours_and_nobody_else() {
        lrnInhibits(run("lrn", true, 1));
    }

    private static void lrnInhibits(Finding finding) {
        Finding.Table table = finding.tables().get(0);
        Object[] weak = table.rows().get(0).toArray();
        Object[] strong = table.rows().get(2).toArray();
        assertTrue((double) strong[2] < 0.2 * (double) weak[2], table.toString());
        assertEquals(weak[3], strong[3]);
        assertTrue((double) strong[1] > (double) weak[1], table.toString());
    }

    @Test
    void skips_carry_the_gradient_and_separable_convolutions_are_cheap() {
        skipsCarryTheGradient(run("architectures", true, 1));
    }

    private static void skipsCarryTheGradient(Finding finding) {
        Finding.Table gradients = finding.tables().get(1);
        String plain = "gradient at the first / the last, plain";
        assertTrue(gradients.number("16", plain) < 1e-6, gradients.toString());
        assertTrue(gradients.number("16", "with skip connections") > 1e-3, gradients.toString());
        Finding.Table separable = finding.tables().get(2);
        assertTrue(
                separable.number("separable", "multiply-adds") < 0.15 * separable.number("full", "multiply-adds"),
                separable.toString());
        Finding.Table gates = finding.tables().get(4);
        String differ = "between classes by";
        assertTrue(gates.number("gates2", differ) > 1.2 * gates.number("gates1", differ), gates.toString());
    }

    @Test
    void a_classifier_turned_convolutional_is_the_same_function() {
        Finding.Table table = run("fully-convolutional", true, 1).tables().get(0);
        assertTrue(table.number("classifier, test %", "number") > 70, table.toString());
        assertTrue(table.number("largest difference at 28x28", "number") < 1e-5, table.toString());
        assertTrue(table.number("largest difference to the moved window", "number") < 1e-4, table.toString());
        assertTrue(table.number("digits of 3 named at their places", "number") >= 2, table.toString());
        assertTrue(table.number("transposed convolution against bilinear resize", "number") < 1e-6, table.toString());
    }

    @Test
    void improvements_are_chosen_on_held_out_images() {
        Finding finding = run("mnist-best", true, 1);
        Finding.Table steps = finding.tables().get(0);
        String right = "held-out images right %";
        double best = 0;
        for (List<Object> row : steps.rows()) {
            double now = (double) row.get(1);
            assertEquals(now > best, row.get(4).equals("yes"), steps.toString());
            best = Math.max(best, now);
        }
        assertTrue(best >= steps.number("baseline", right) + 10, steps.toString());
        Finding.Table test = finding.tables().get(2);
        String tested = "test images right %";
        assertTrue(test.number("mean", tested) > 70, test.toString());
        assertTrue(test.number("the first 3 together", tested) >= test.number("mean", tested), test.toString());
    }

    @Test
    void what_was_learned_serves_other_classes() {
        Finding.Table table = run("transfer-learning", true, 1).tables().get(0);
        assertTrue(table.number("20", "gain") >= 5, table.toString());
        assertTrue(table.number("20", "from the trained network %") > 60, table.toString());
    }

    @Test
    void scores_of_earlier_maps_find_thin_poles() {
        Finding finding = run("segmentation", true, 1);
        Finding.Table classes = finding.tables().get(0);
        assertTrue(classes.number("mean", WITH_SKIPS) >= 0.7, classes.toString());
        assertTrue(
                classes.number("mean", WITH_SKIPS) >= classes.number("mean", WITHOUT_SKIPS) + 0.05, classes.toString());
        assertTrue(
                classes.number("pole", WITH_SKIPS) >= classes.number("pole", WITHOUT_SKIPS) + 0.2, classes.toString());
        Finding.Table places = finding.tables().get(1);
        String wrong = "wrong % with skips";
        assertTrue(
                places.number("within 2 of another class", wrong) > 3 * places.number("others", wrong),
                places.toString());
    }

    @Tag("full")
    @Test
    void segmentation_in_the_full_form_as_the_mean_of_three_seeds() {
        double sum = 0;
        for (long seed = 1; seed <= 3; seed++) {
            sum += run("segmentation", false, seed).tables().get(0).number("mean", WITH_SKIPS);
        }
        assertTrue(sum / 3 >= 0.85, "mean IoU over three seeds: " + sum / 3);
    }

    @Test
    void three_layers_take_what_is_planned_and_more_than_is_counted_by_hand() {
        plannedIsAllocated(run("three-layer-memory", true, 1));
    }

    private static void plannedIsAllocated(Finding finding) {
        assertEquals(903_400, finding.tables().get(0).number("all", "parameters"));
        Finding.Table bytes = finding.tables().get(1);
        assertEquals(12_613_600, bytes.number("an inference of one image", "counted by hand"));
        for (List<Object> row : bytes.rows()) {
            assertEquals(row.get(2), row.get(3), row.toString());
        }
        String training = String.valueOf(bytes.rows().get(1).get(0));
        int images = Integer.parseInt(training.replaceAll("\\D", ""));
        // 903,400 parameters, and per image its pixels and three layers of maps.
        assertEquals(4 * (903_400 + images * (180_000L + 2_630_000)), bytes.number(training, "counted by hand"));
        assertTrue(
                bytes.number(training, "planned") > 1.5 * bytes.number(training, "counted by hand"), bytes.toString());
    }

    @Test
    void every_remedy_trains_within_a_limit_that_the_training_exceeds() {
        remediesFit(run("out-of-memory", true, 1));
    }

    private static void remediesFit(Finding finding) {
        Finding.Table table = finding.tables().get(0);
        assertEquals(8, table.rows().size());
        for (List<Object> row : table.rows()) {
            assertEquals(row.get(1), row.get(2), row.toString());
            assertEquals(row.get(0).equals("nothing"), (double) row.get(3) > 100, row.toString());
        }
        for (String half : List.of("half the batch", "two devices", "two micro-batches", "16-bit floats (bf16)")) {
            assertTrue(table.number(half, "of the limit %") < 0.6 * table.number("nothing", "of the limit %"), half);
        }
        assertEquals(table.number("nothing", "test %"), table.number("recomputation", "test %"));
    }

    @Test
    void classes_come_apart_from_layer_to_layer() {
        classesComeApart(run("feature-maps", true, 1));
    }

    private static void classesComeApart(Finding finding) {
        Finding.Table table = finding.tables().get(0);
        String right = "the nearest mean is right %";
        assertTrue(gain(table, "pool2", "the image", right) >= 10, table.toString());
        assertTrue(gain(table, "fc1", "pool2", right) >= 10, table.toString());
        assertTrue(table.number("the image", right) > 15, table.toString());
    }

    @Tag("full")
    @Test
    void fine_tuning_gains_in_the_full_form_as_the_mean_of_three_seeds() {
        double sum = 0;
        for (long seed = 1; seed <= 3; seed++) {
            sum += run("transfer-learning", false, seed).tables().get(0).number("100", "gain");
        }
        assertTrue(sum / 3 >= 5, "mean gain over three seeds: " + sum / 3);
    }

    @Tag("full")
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void a_converted_classifier_is_equal_in_the_full_form(long seed) {
        Finding.Table table = run("fully-convolutional", false, seed).tables().get(0);
        assertTrue(table.number("largest difference at 28x28", "number") < 1e-5, table.toString());
    }
}
