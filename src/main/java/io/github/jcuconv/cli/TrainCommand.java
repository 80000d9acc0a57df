package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.FileException;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.io.Checkpoint;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Any model on any data, saved after each epoch, resumable bit by bit. */
final class TrainCommand extends TrainingCommand {
    @Option(names = "--model", paramLabel = "M", required = true, description = "a model's name; see summary")
    String model = "";

    @Option(names = "--data", paramLabel = "D", required = true, description = DataOption.HELP)
    String data = "";

    @Option(names = "--precision", paramLabel = "P", description = "fp32 (default), fp16 or bf16")
    String precision = "fp32";

    @Option(names = "--out", paramLabel = "DIR", description = "where the model is saved after each epoch")
    @Nullable
    Path folder;

    @Option(names = "--resume", description = "go on from the model in --out, if there is one")
    boolean resume;

    @Override
    String example() {
        return "--model lenet5 --data digits --precision fp16 --epochs 3 --out lenet5";
    }

    @Override
    int run() {
        Settings settings = settings(model, Settings.precision(precision));
        DataOption source = DataOption.parse(data);
        require(!resume || folder != null, "--resume: needs --out, the folder to go on from");
        SavedModel from = null;
        if (folder != null && Checkpoint.exists(folder)) {
            if (!resume) {
                throw new FileException(
                        folder.toString(), "holds a model already", "add --resume to go on, or choose another --out");
            }
            from = SavedModel.load(folder);
        }
        Dataset images = source.load();
        if (folder != null) {
            requireWritable(folder);
        }
        if (from != null) {
            from.requireSame(settings, images);
        }
        try (Engine opened = Engines.open(engine, err)) {
            String going = from == null ? "" : ", going on after epoch " + from.number("epochsDone");
            announce("training " + model + " on " + images.name() + going, List.of(settings), images, "", opened);
            report(opened, images, List.of(train(settings, images, opened, folder, from)));
        }
        if (folder != null) {
            say("");
            say("saved in " + folder + "; next: ./jcuconv evaluate " + folder);
        }
        return 0;
    }
}
