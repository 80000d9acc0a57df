package io.github.jcuconv.testing;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

/** The Java releases that tests start in processes of their own. */
public final class Jdks {
    private Jdks() {}

    /** The java of this release: the one that runs this test, or one installed beside it. */
    public static Optional<Path> java(int release) throws IOException {
        Path own = Path.of(System.getProperty("java.home"));
        if (Runtime.version().feature() == release) {
            return Optional.of(own.resolve("bin/java"));
        }
        try (Stream<Path> beside = Files.list(own.resolveSibling("."))) {
            return beside.filter(home -> home.getFileName().toString().matches("\\D*" + release + "\\b.*"))
                    .map(home -> home.resolve("bin/java"))
                    .filter(Files::isExecutable)
                    .sorted()
                    .findFirst();
        }
    }
}
