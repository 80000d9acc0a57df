package io.github.jcuconv.data;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What looking up data depends on outside this program; tests give their own.
 *
 * @param variables environment variables by name
 * @param home the user's home folder
 * @param systemFolder where the system's packages put Fashion-MNIST
 * @param mirrors folders on the network that hold the four MNIST files, best first
 * @param fetcher the network
 * @param nanoTime a clock for time limits
 */
record DataEnvironment(
        Function<String, @Nullable String> variables,
        Path home,
        Path systemFolder,
        List<URI> mirrors,
        Fetcher fetcher,
        LongSupplier nanoTime) {

    /** The real one. */
    static DataEnvironment system() {
        return new DataEnvironment(
                System::getenv,
                Path.of(System.getProperty("user.home", ".")),
                Path.of("/usr/share/datasets/fashion-mnist"),
                List.of(
                        URI.create("https://ossci-datasets.s3.amazonaws.com/mnist/"),
                        URI.create("https://storage.googleapis.com/cvdf-datasets/mnist/")),
                new HttpFetcher(),
                System::nanoTime);
    }

    /** A folder named by an environment variable; an empty value counts as unset. */
    Optional<Path> folder(String variable) {
        String value = variables.apply(variable);
        return value == null || value.isBlank() ? Optional.empty() : Optional.of(Path.of(value));
    }

    /** The user's cache of this library; relative values of XDG_CACHE_HOME are to be ignored by its specification. */
    Path cache() {
        return folder("XDG_CACHE_HOME")
                .filter(Path::isAbsolute)
                .orElse(home.resolve(".cache"))
                .resolve("jcuconv");
    }
}
