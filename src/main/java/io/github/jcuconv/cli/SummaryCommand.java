package io.github.jcuconv.cli;

import io.github.jcuconv.Dims;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Parameter;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Types;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** A model's layers; opens no engine. */
final class SummaryCommand extends Command {
    private static final Pattern CHW = Pattern.compile("(\\d{1,5})x(\\d{1,5})x(\\d{1,5})");

    @Option(
            names = "--model",
            paramLabel = "M",
            required = true,
            description = "a model's name; a wrong one lists them all")
    String model = "";

    @Option(names = "--input", paramLabel = "CxHxW", description = "shape of an image; default: the model's usual one")
    @Nullable
    String input;

    @Override
    String example() {
        return "--model lenet5 --input 1x32x32";
    }

    @Override
    int run() {
        Network network = network(model, input);
        Text.Table table = new Text.Table(3, "layer", "operation", "output", "parameters", "multiply-adds");
        List<Map<String, Object>> layers = new ArrayList<>();
        for (Network.Node node : network.nodes()) {
            long parameters = parameters(network, node.name());
            long work = network.multiplyAdds(node);
            String output = shape(node.output());
            table.row(
                    node.name(),
                    operation(network, node),
                    output,
                    Text.format("%,d", parameters),
                    Text.format("%,d", work));
            Map<String, Object> layer = new LinkedHashMap<>();
            layer.put("name", node.name());
            layer.put("operation", operation(network, node));
            layer.put("output", output);
            layer.put("parameters", parameters);
            layer.put("multiplyAdds", work);
            layers.add(layer);
        }
        table.rule();
        long all = network.totalParameters();
        table.row("total", "", "", Text.format("%,d", all), Text.format("%,d", network.multiplyAdds()));
        say(network.name() + " for images of " + shape(network.input()) + " (channels x height x width)");
        table.lines().forEach(this::say);
        say("  %,d parameters are trained (%s in fp32)", network.trainableParameters(), Text.bytes(4 * all));
        long auxiliary = all - network.inference().totalParameters();
        if (auxiliary > 0) {
            say(
                    "  %,d of them and no multiply-adds of the total are in auxiliary outputs, which inference leaves out",
                    auxiliary);
        }
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("model", network.name());
        json.put("parameters", all);
        json.put("trainableParameters", network.trainableParameters());
        json.put("multiplyAdds", network.multiplyAdds());
        json.put("layers", layers);
        writeJson(json);
        return 0;
    }

    /** A model by name, for its usual input or another. */
    static Network network(String model, @Nullable String input) {
        Names.model(model);
        if (input == null) {
            return Models.get(model);
        }
        Matcher m = CHW.matcher(input);
        require(m.matches(), "--input " + input + ": channels x height x width such as 1x28x28 is needed");
        int classes = Models.get(model).output().output().c();
        Dims dims =
                new Dims(1, Integer.parseInt(m.group(1)), Integer.parseInt(m.group(2)), Integer.parseInt(m.group(3)));
        try {
            return Models.get(model, dims, classes);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "--input " + input + " does not fit " + model + ": " + e.getMessage(), e);
        }
    }

    private static long parameters(Network network, String layer) {
        return network.parameters().stream()
                .filter(p -> p.layer().equals(layer))
                .map(Parameter::dims)
                .mapToLong(Dims::count)
                .sum();
    }

    private static String operation(Network network, Network.Node node) {
        if (!(node.layer() instanceof Layer.Single single)) {
            return node.layer() instanceof Layer.Sum
                    ? "add"
                    : node.layer() instanceof Layer.Join ? "concat" : "channel-scale";
        }
        Dims x = node.inputs().get(0).equals(Network.INPUT)
                ? network.input()
                : network.nodes().stream()
                        .filter(n -> n.name().equals(node.inputs().get(0)))
                        .findFirst()
                        .orElseThrow()
                        .output();
        String activation = single instanceof Layer.Weighted w
                ? w.activation()
                        .map(a -> " + " + a.name().toLowerCase(java.util.Locale.ROOT))
                        .orElse("")
                : "";
        return single.op(x, Types.FP32, Phase.INFERENCE).name() + activation;
    }

    private static String shape(Dims d) {
        return d.h() == 1 && d.w() == 1 ? String.valueOf(d.c()) : d.c() + "x" + d.h() + "x" + d.w();
    }
}
