package io.github.jcuconv.data;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** A folder with the four files that MNIST and the sets made after it consist of, each gzipped or plain. */
final class IdxFolder {
    /** Training images, training labels, test images, test labels. */
    static final List<String> FILES = List.of(
            "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte");

    private static final int CLASSES = 10;

    private IdxFolder() {}

    /** The file as {@code name.gz} or {@code name}, whichever is there. */
    static Optional<Path> find(Path folder, String name) {
        for (String candidate : List.of(name + ".gz", name)) {
            Path file = folder.resolve(candidate);
            if (Files.isRegularFile(file)) {
                return Optional.of(file);
            }
        }
        return Optional.empty();
    }

    /** What the folder lacks, as a phrase for people; empty if it holds all four files. */
    static Optional<String> missing(Path folder) {
        if (!Files.isDirectory(folder)) {
            return Optional.of("no such folder");
        }
        return FILES.stream()
                .filter(name -> find(folder, name).isEmpty())
                .findFirst()
                .map(name -> "no " + name + ".gz in it");
    }

    /**
     * Reads a folder that {@link #missing} found complete.
     *
     * @param hashes SHA-256 of the four uncompressed files, or an empty list to take any content
     */
    static Dataset read(String name, Path folder, List<String> hashes, float mean, float std) {
        Path[] files = new Path[4];
        Idx[] parts = new Idx[4];
        for (int i = 0; i < 4; i++) {
            files[i] = find(folder, FILES.get(i)).orElseThrow();
            parts[i] = i % 2 == 0 ? Idx.readImages(files[i]) : Idx.readLabels(files[i]);
            if (!hashes.isEmpty() && !parts[i].sha256().equals(hashes.get(i))) {
                throw Idx.corrupt(files[i], "its content is not that of " + name + " (SHA-256 differs)");
            }
        }
        Split train = Idx.join(files[0], parts[0], files[1], parts[1], CLASSES);
        Split test = Idx.join(files[2], parts[2], files[3], parts[3], CLASSES);
        if (train.height() != test.height() || train.width() != test.width()) {
            throw Idx.corrupt(
                    files[2],
                    "its images are " + test.height() + "x" + test.width() + ", but those to train on are "
                            + train.height() + "x" + train.width());
        }
        return new Dataset(name, train, test, CLASSES, mean, std);
    }
}
