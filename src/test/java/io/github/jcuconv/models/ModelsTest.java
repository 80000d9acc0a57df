package io.github.jcuconv.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Network;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every built-in network against the figures that its authors, or those who trained it again, published. */
class ModelsTest {
    private static Network.Node node(Network network, String name) {
        return network.nodes().stream()
                .filter(n -> n.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError(network.name() + " has no layer " + name));
    }

    private static String shape(Dims d) {
        return d.c() + "x" + d.h() + "x" + d.w();
    }

    /** Running statistics are not trained: batch norm keeps two numbers per channel beside the two that it learns. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "lenet5,         61706,         0",
        "lenet5-1998,    60840,         0",
        "peer-cnn,     1625866,         0",
        "three-layer,   903400,         0",
        "alexnet,     60965224,         0",
        "vgg16,      138357544,         0",
        "googlenet,   13378280,         0",
        "resnet18,    11689512,      9600",
        "resnet34,    21797672,     17024",
        "resnet50,    25557032,     53120",
        "resnet101,   44549160,    105344",
        "resnet152,   60192808,    151424",
        "se-resnet50, 28088024,     53120",
        "senet154,   115088984,    247552",
        "xception,    22855952,     54528",
        "fcn32s,     136152917,         0",
        "fcn16s,     134815994,         0",
        "fcn8s,      134489759,         0",
    })
    void parameters_are_the_published_number(String model, long trained, long statistics) {
        Network network = Models.get(model);
        assertEquals(trained, network.trainableParameters());
        assertEquals(trained + statistics, network.totalParameters());
    }

    @Test
    void googlenet_has_its_published_number_without_auxiliary_classifiers() {
        Network network = Models.get("googlenet");
        assertEquals(6_998_552, network.inference().trainableParameters());
        assertEquals("128x4x4", shape(node(network, "aux1.conv").output()));
        assertEquals("128x4x4", shape(node(network, "aux2.conv").output()));
    }

    @Test
    void lenet5_of_1998_trains_60_000_parameters_below_its_output() {
        Network network = Models.get("lenet5-1998");
        long below = network.parameters().stream()
                .filter(p -> !p.layer().equals("output"))
                .mapToLong(p -> p.dims().count())
                .sum();
        long c3 = network.parameters().stream()
                .filter(p -> p.layer().startsWith("c3"))
                .mapToLong(p -> p.dims().count())
                .sum();
        assertEquals(60_000, below);
        assertEquals(1_516, c3);
    }

    /** In billions, with the digits that were published; LeNet's and the exercise's by the formula of each layer. */
    @ParameterizedTest(name = "{0}")
    @CsvSource({
        "lenet5,      0.000416520",
        "three-layer, 1.3995",
        "alexnet,     0.724406816",
        "vgg16,      15.470264320",
        "googlenet,   1.58",
        "resnet18,    1.814073344",
        "resnet34,    3.663761408",
        "resnet50,    4.089184256",
        "resnet101,   7.801405440",
        "resnet152,  11.513626624",
        "xception,    8.4",
    })
    void multiply_adds_are_the_published_number(String model, String billions) {
        int digits = billions.length() - billions.indexOf('.') - 1;
        double got = Models.get(model).multiplyAdds() / 1e9;
        assertEquals(billions, String.format(java.util.Locale.ROOT, "%." + digits + "f", got));
    }

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({
        "lenet5,      pool2,               16x5x5",
        "lenet5-1998, s2.5,                1x14x14",
        "lenet5-1998, c3.fours.maps,       36x14x14",
        "lenet5-1998, s4,                  16x5x5",
        "lenet5-1998, c5,                  120x1x1",
        "three-layer, conv1,               100x100x150",
        "three-layer, conv2,               200x50x75",
        "three-layer, conv3,               400x25x38",
        "alexnet,     conv1,               96x55x55",
        "alexnet,     pool1,               96x27x27",
        "alexnet,     pool2,               256x13x13",
        "alexnet,     pool5,               256x6x6",
        "vgg16,       conv3_3,             256x56x56",
        "vgg16,       pool5,               512x7x7",
        "googlenet,   pool1,               64x56x56",
        "googlenet,   3a,                  256x28x28",
        "googlenet,   3b,                  480x28x28",
        "googlenet,   4e,                  832x14x14",
        "googlenet,   5b,                  1024x7x7",
        "resnet18,    pool1,               64x56x56",
        "resnet18,    conv5_2,             512x7x7",
        "resnet50,    conv2_3,             256x56x56",
        "resnet50,    conv5_1.shortcut.bn, 2048x7x7",
        "resnet152,   conv4_36,            1024x14x14",
        "se-resnet50, conv3_1.gates,       512x1x1",
        "se-resnet50, conv3_1.scale,       512x28x28",
        "senet154,    conv1_3.relu,        128x112x112",
        "senet154,    conv2_1.conv2,       256x56x56",
        "senet154,    conv5_3,             2048x7x7",
        "xception,    block1,              64x147x147",
        "xception,    block2,              128x74x74",
        "xception,    block4,              728x19x19",
        "xception,    block12,             728x19x19",
        "xception,    block14,             2048x10x10",
        "fcn32s,      fc6,                 4096x7x7",
        "fcn32s,      upscore,             21x224x224",
        "fcn16s,      fuse_pool4,          21x14x14",
        "fcn8s,       fuse_pool3,          21x28x28",
        "fcn8s,       upscore8,            21x224x224",
    })
    void layers_have_the_published_shape(String model, String layer, String shape) {
        assertEquals(shape, shape(node(Models.get(model), layer).output()));
    }

    @Test
    void resnet152_is_152_layers_deep() {
        long weighted = Models.get("resnet152").parameters().stream()
                .filter(p -> p.name().endsWith(".weight")
                        && p.dims().n() > 1
                        && !p.name().contains("shortcut"))
                .count();
        assertEquals(152, weighted);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("io.github.jcuconv.models.Models#names")
    void width_and_classes_are_arguments(String model) {
        Dims usual = Models.get(model).input();
        Network narrow = Models.get(model, usual, 7, 0.25);
        boolean table = model.equals("lenet5-1998");
        assertTrue(narrow.totalParameters() < Models.get(model).totalParameters() * (table ? 0.5 : 0.3));
        if (!model.equals("three-layer")) {
            assertEquals(7, narrow.output().output().c());
        }
        assertThrows(IllegalArgumentException.class, () -> Models.get(model, usual, 7, 0));
        assertThrows(IllegalArgumentException.class, () -> Models.get(model, usual, 7, Double.NaN));
    }

    @Test
    void an_image_that_the_upsampling_cannot_reach_is_refused() {
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> Models.get("fcn8s", new Dims(1, 3, 100, 96), 21));
        assertTrue(e.getMessage().contains("100x96") && e.getMessage().contains("32"), e.getMessage());
    }

    @Test
    void every_model_is_checked_here() {
        Set<String> checked = new TreeSet<>(Models.names());
        for (var method : ModelsTest.class.getDeclaredMethods()) {
            CsvSource rows = method.getAnnotation(CsvSource.class);
            if (rows != null) {
                for (String row : rows.value()) {
                    checked.remove(row.split(",")[0]);
                }
            }
        }
        assertEquals(Set.of("mnist-cnn", "dense-mnist"), checked, "models without a published figure");
    }
}
