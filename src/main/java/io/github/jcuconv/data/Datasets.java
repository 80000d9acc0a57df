package io.github.jcuconv.data;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Data sets by name. */
public final class Datasets {
    /** The names that {@link #load} knows. */
    public static final List<String> NAMES = List.of("mnist", "fashion-mnist", "digits");

    /** The seed of {@code digits}, the same in every run: a data set is fixed, only training is seeded. */
    private static final long DIGITS_SEED = 1;

    /**
     * MNIST, or {@code digits} in its place.
     *
     * @param data what was found; its name says which
     * @param reason if it is {@code digits}, one line that says why MNIST is not here
     */
    public record Found(Dataset data, Optional<String> reason) {}

    private Datasets() {}

    /**
     * Loads a data set; {@code mnist} is downloaded if no folder has it, and never replaced by another.
     *
     * @param name one of {@link #NAMES}
     * @param dir the folder to read, instead of looking it up; {@code digits} needs none
     * @throws IllegalArgumentException if the name is unknown, or a folder is given for {@code digits}
     * @throws FileException if the data is nowhere; the message names the folder to fill
     * @throws CorruptFileException if a file is broken
     */
    public static Dataset load(String name, Optional<Path> dir) {
        return load(name, dir, DataEnvironment.system(), Mnist.HASHES);
    }

    static Dataset load(String name, Optional<Path> dir, DataEnvironment environment, List<String> hashes) {
        return switch (name) {
            case "mnist" -> mnist(dir, environment, hashes);
            case "fashion-mnist" -> Mnist.fashion(environment, dir);
            case "digits" -> {
                if (dir.isPresent()) {
                    throw new IllegalArgumentException(
                            "digits is drawn, not read: leave the folder " + dir.get() + " out");
                }
                yield Digits.make(DIGITS_SEED);
            }
            default ->
                throw new IllegalArgumentException(
                        "data set " + name + " is unknown; take one of " + String.join(", ", NAMES));
        };
    }

    private static Dataset mnist(Optional<Path> dir, DataEnvironment environment, List<String> hashes) {
        Mnist mnist = new Mnist(environment, hashes);
        if (dir.isPresent()) {
            return mnist.inNamedFolder(dir.get());
        }
        return mnist.find()
                .orElseThrow(() -> new FileException(
                        "mnist",
                        "not found (" + String.join(", ", mnist.tried()) + ")",
                        "fill " + environment.cache().resolve("mnist")
                                + " with its four gzipped IDX files, or name their folder with --data"));
    }

    /**
     * MNIST from a folder, $MNIST_DIR, the cache or a mirror, otherwise {@code digits}.
     *
     * @param dir the folder to read; if given, nothing takes its place
     * @throws FileException if {@code dir} is given and incomplete
     * @throws CorruptFileException if a file in {@code dir} or $MNIST_DIR is broken
     */
    public static Found mnistOrDigits(Optional<Path> dir) {
        return mnistOrDigits(dir, DataEnvironment.system(), Mnist.HASHES);
    }

    static Found mnistOrDigits(Optional<Path> dir, DataEnvironment environment, List<String> hashes) {
        Mnist mnist = new Mnist(environment, hashes);
        if (dir.isPresent()) {
            return new Found(mnist.inNamedFolder(dir.get()), Optional.empty());
        }
        Optional<Dataset> found = mnist.find();
        if (found.isPresent()) {
            return new Found(found.get(), Optional.empty());
        }
        return new Found(Digits.make(DIGITS_SEED), Optional.of(String.join(", ", mnist.tried())));
    }

    /** The folder on this machine from which {@code mnist} would be read: $MNIST_DIR or the cache; downloads nothing. */
    public static Optional<Path> mnistFolder() {
        DataEnvironment environment = DataEnvironment.system();
        return environment
                .folder("MNIST_DIR")
                .filter(folder -> IdxFolder.missing(folder).isEmpty())
                .or(() -> Optional.of(environment.cache().resolve("mnist"))
                        .filter(folder -> IdxFolder.missing(folder).isEmpty()));
    }
}
