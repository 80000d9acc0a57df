package io.github.jcuconv.cli;

import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.JcuconvException;
import io.github.jcuconv.data.Images;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Predictor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Parameters;

/** A saved model on image files; one that cannot be read does not keep the others from being named. */
final class PredictCommand extends Command {
    @Parameters(index = "0", paramLabel = "DIR", description = "a folder that train or mnist wrote")
    Path folder = Path.of("");

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "IMAGE",
            description = "PNG or JPEG of any size: of one digit, or what the classes show")
    List<Path> files = List.of();

    @Override
    String example() {
        return "jcuconv-mnist/fp16 photo.png";
    }

    @Override
    int run() {
        SavedModel saved = SavedModel.load(folder);
        Network network = saved.network();
        Dims in = network.input();
        boolean digits = in.equals(new Dims(1, 1, Images.SIZE, Images.SIZE));
        if (!digits && (in.c() != 3 || in.h() != in.w())) {
            throw new Failure(folder + ": takes images of " + in
                    + ", but predict makes grey ones of 28x28 and squares in colour");
        }
        List<String> labels = saved.labels();
        int status = 0;
        Text.Table table = new Text.Table(2, "image", "shows", "probability");
        List<Map<String, Object>> results = new ArrayList<>();
        try (Engine opened = Engines.open(engine, err);
                Predictor predictor = new Predictor(
                        network, opened, 1, Settings.precision(saved.text("precision")), saved.tensors())) {
            for (Path file : files) {
                try {
                    byte[] pixels = digits ? Images.readDigit(file) : Images.readSquare(file, in.h());
                    float[] image = decode(pixels, saved.decimal("mean"), saved.decimal("std"));
                    float[] y = predictor.infer(image);
                    int label = TrainRun.argmax(y, 0, y.length);
                    double probability = probability(y, label);
                    table.row(file.toString(), labels.get(label), Text.percent(probability));
                    Map<String, Object> result = new LinkedHashMap<>();
                    result.put("image", file.toString());
                    result.put("label", label);
                    result.put("probability", probability);
                    results.add(result);
                } catch (JcuconvException e) {
                    status = fail(FAILED, e.getMessage(), e);
                }
            }
        }
        if (!results.isEmpty()) {
            table.lines().forEach(this::say);
        }
        writeJson(Map.of("model", saved.text("model"), "images", results));
        return status;
    }

    /** The normalisation that the model was trained with. */
    private static float[] decode(byte[] grey, float mean, float std) {
        float[] image = new float[grey.length];
        for (int i = 0; i < image.length; i++) {
            image[i] = ((grey[i] & 0xff) / 255f - mean) / std;
        }
        return image;
    }

    /** Softmax at the largest output. */
    private static double probability(float[] y, int label) {
        double sum = 0;
        for (float v : y) {
            sum += Math.exp(v - y[label]);
        }
        return 1 / sum;
    }
}
