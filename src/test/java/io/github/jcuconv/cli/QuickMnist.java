package io.github.jcuconv.cli;

import io.github.jcuconv.data.Datasets;
import io.github.jcuconv.data.Digits;
import java.util.Optional;

/** The command `mnist` over a few digits, in the place of it where run-gpu only shows that its stages work. */
public final class QuickMnist {
    private QuickMnist() {}

    /** Takes the command's arguments. */
    public static void main(String[] args) {
        MnistCommand command = new MnistCommand();
        command.lookUp = () -> new Datasets.Found(Digits.make(1, 16, 8), Optional.of("a few digits do here"));
        System.exit(command.execute("mnist", "", System.out, System.err, false, args));
    }
}
