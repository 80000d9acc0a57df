package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Predictor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** A saved model on the test images of a data set. */
final class EvaluateCommand extends Command {
    @Parameters(paramLabel = "DIR", description = "a folder that train or mnist wrote")
    Path folder = Path.of("");

    @Option(names = "--data", paramLabel = "D", description = DataOption.HELP + "; default: what it was trained on")
    @Nullable
    String data;

    @Option(names = "--batch", paramLabel = "N", description = "images per step; default ${DEFAULT-VALUE}")
    int batch = 128;

    @Override
    String example() {
        return "jcuconv-mnist/fp16";
    }

    @Override
    int run() {
        require(batch >= 1, "--batch " + batch + ": must be at least 1");
        SavedModel saved = SavedModel.load(folder);
        Network network = saved.network();
        Dataset images = DataOption.parse(data == null ? saved.text("data") : data)
                .load(network.input().h());
        requireFit(network, images);
        Precision precision = Settings.precision(saved.text("precision"));
        try (Engine opened = Engines.open(engine, err);
                Predictor predictor = new Predictor(network, opened, batch, precision, saved.tensors())) {
            long began = System.nanoTime();
            double accuracy = TrainRun.accuracy(predictor::infer, images, batch);
            double seconds = (System.nanoTime() - began) / 1e9;
            int count = images.test().count();
            say(
                    "%s (%s) on %s: %s of %,d test images right, %,.0f images/s",
                    saved.text("model"),
                    precision.label(),
                    images.name(),
                    Text.percent(accuracy),
                    count,
                    count / seconds);
            Map<String, Object> json = new LinkedHashMap<>();
            json.put("engine", opened.name());
            json.put("model", saved.text("model"));
            json.put("data", images.name());
            json.put("precision", precision.label());
            json.put("testAccuracy", accuracy);
            json.put("images", count);
            json.put("seconds", seconds);
            writeJson(json);
        }
        return 0;
    }

    private void requireFit(Network network, Dataset images) {
        String wanted = network.input().c() + "x" + network.input().h() + "x"
                + network.input().w();
        String given = images.test().channels() + "x" + images.test().height() + "x"
                + images.test().width();
        if (!wanted.equals(given)) {
            throw new Failure(folder + ": takes images of " + wanted + ", but those of " + images.name() + " are "
                    + given + "; name other --data");
        }
    }
}
