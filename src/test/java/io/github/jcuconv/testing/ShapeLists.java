package io.github.jcuconv.testing;

import io.github.jcuconv.verify.ShapeFile;
import io.github.jcuconv.verify.ShapeLine;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** The lists under {@code src/test/resources/shapes} and the operation that each is for. */
public final class ShapeLists {
    /** Lists of each operation. */
    public static final Map<String, List<String>> BY_OPERATION = Map.ofEntries(
            Map.entry(
                    "conv2d",
                    List.of(
                            "conv_basic",
                            "conv_tail",
                            "conv_stride_pad",
                            "conv_dilated",
                            "conv_grouped",
                            "conv_depthwise",
                            "conv_1x1",
                            "conv_networks",
                            "conv_regression")),
            Map.entry("conv-transpose2d", List.of("transpose_basic")),
            Map.entry("dense", List.of("dense_basic")),
            Map.entry("max-pool2d", List.of("pool_max")),
            Map.entry("avg-pool2d", List.of("pool_avg")),
            Map.entry("lrn", List.of("lrn_basic")),
            Map.entry("batch-norm", List.of("batch_norm_basic")),
            Map.entry("softmax-cross-entropy", List.of("softmax_basic")),
            Map.entry("activation", List.of("activation_basic")),
            Map.entry("dropout", List.of("dropout_basic")),
            Map.entry("add", List.of("elementwise_basic")),
            Map.entry("concat", List.of("concat_basic")),
            Map.entry("channel-scale", List.of("channel_scale_basic")),
            Map.entry("reorder", List.of("reorder_basic")),
            Map.entry("finite-check", List.of("elementwise_basic")),
            Map.entry("sgd", List.of("optimizer_basic", "optimizer_momentum")),
            Map.entry("adam", List.of("optimizer_basic")),
            Map.entry("step-control", List.of("step_control_basic")));

    private ShapeLists() {}

    /** The shapes of a list. */
    public static List<ShapeLine> read(String list) {
        String path = "/shapes/" + list + ".txt";
        try (InputStream in = ShapeLists.class.getResourceAsStream(path)) {
            if (in == null) {
                throw new IllegalArgumentException(path + ": no such list");
            }
            return ShapeFile.parse(
                    path,
                    new String(in.readAllBytes(), StandardCharsets.UTF_8)
                            .lines()
                            .toList());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
