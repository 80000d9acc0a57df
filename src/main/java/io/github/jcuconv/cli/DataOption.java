package io.github.jcuconv.cli;

import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Datasets;
import io.github.jcuconv.data.ImageFolder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/** What {@code --data} may say: {@code NAME}, {@code NAME:FOLDER}, a folder with the files of mnist, or one with a folder of images per class. */
record DataOption(String name, Optional<Path> folder) {
    static final String HELP =
            "mnist, fashion-mnist or digits; NAME:FOLDER reads that folder; a folder with one of PNG or JPEG files per class";
    private static final String IMAGES = "images";

    /** Which images are tested on is part of a data set, which is fixed; only training is seeded. */
    private static final long SPLIT_SEED = 1;

    static DataOption parse(String text) {
        if (Datasets.NAMES.contains(text)) {
            return new DataOption(text, Optional.empty());
        }
        int colon = text.indexOf(':');
        if (colon > 0 && Datasets.NAMES.contains(text.substring(0, colon))) {
            return new DataOption(text.substring(0, colon), Optional.of(Path.of(text.substring(colon + 1))));
        }
        if (text.indexOf('/') >= 0 || Files.isDirectory(Path.of(text))) {
            Path folder = Path.of(text);
            return new DataOption(ImageFolder.isOne(folder) ? IMAGES : "mnist", Optional.of(folder));
        }
        throw new IllegalArgumentException(Names.unknown("--data", text, Datasets.NAMES));
    }

    /** @param side rows and columns of the images of a folder; those of other data have their own */
    Dataset load(int side) {
        return name.equals(IMAGES)
                ? ImageFolder.load(folder.orElseThrow(), side, SPLIT_SEED)
                : Datasets.load(name, folder);
    }
}
