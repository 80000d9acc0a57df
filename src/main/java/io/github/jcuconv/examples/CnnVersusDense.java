package io.github.jcuconv.examples;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Digits;
import io.github.jcuconv.models.Models;
import io.github.jcuconv.nn.Network;
import java.util.List;

/** LeNet-5 beside a dense network: with all data, with a tenth of it, and on test digits that lie elsewhere. */
final class CnnVersusDense implements Example {
    static final int SHIFT = 3;

    @Override
    public String question() {
        return "What are the advantages of a CNN over a fully connected network for images?";
    }

    @Override
    public Finding run(Engine engine, boolean quick, long seed) {
        Dataset data = Digits.make(seed, quick ? 2_000 : Digits.TRAIN, quick ? 1_000 : Digits.TEST);
        Dataset tenth = Classifier.first(data, data.train().count() / 10);
        Dataset shifted = Classifier.shifted(data, SHIFT);
        int epochs = quick ? 4 : 8;
        Finding finding =
                new Finding().table("digits", "parameters", "seconds", "test %", "shifted %", "a tenth of the data %");
        for (String model : List.of("lenet5", "dense-mnist")) {
            Network network = Models.get(model);
            // With a tenth of the data as many steps, so that only the data differs.
            try (Classifier all = new Classifier(engine, network, data, epochs, seed);
                    Classifier few = new Classifier(engine, network, tenth, 10 * epochs, seed)) {
                finding.row(
                        model,
                        network.totalParameters(),
                        all.seconds(),
                        all.accuracy(data),
                        all.accuracy(shifted),
                        few.accuracy(data));
            }
        }
        Finding.Table table = finding.tables().get(0);
        return finding.answer(
                "Filters are shared over the image: the CNN is right %.1f points more often on digits moved by %d pixels, "
                        + "with %.0f %% of the parameters.",
                table.number("lenet5", "shifted %") - table.number("dense-mnist", "shifted %"),
                SHIFT,
                100 * table.number("lenet5", "parameters") / table.number("dense-mnist", "parameters"));
    }
}
