package io.github.jcuconv.cli;

import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Datasets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What {@code --data} may say: {@code NAME}, {@code NAME:FOLDER}, or a folder with the files of mnist. */
record DataOption(String name, Optional<Path> folder) {
    static final String HELP = "mnist, fashion-mnist or digits; NAME:FOLDER reads that folder";

    static DataOption parse(String text) {
        if (Datasets.NAMES.contains(text)) {
            return new DataOption(text, Optional.empty());
        }
        int colon = text.indexOf(':');
        if (colon > 0 && Datasets.NAMES.contains(text.substring(0, colon))) {
            return new DataOption(text.substring(0, colon), Optional.of(Path.of(text.substring(colon + 1))));
        }
        if (text.indexOf('/') >= 0 || Files.isDirectory(Path.of(text))) {
            return new DataOption("mnist", Optional.of(Path.of(text)));
        }
        throw new IllegalArgumentException(Names.unknown("--data", text, Datasets.NAMES));
    }

    Dataset load() {
        return Datasets.load(name, folder);
    }
}
