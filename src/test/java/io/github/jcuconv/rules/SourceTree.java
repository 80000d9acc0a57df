package io.github.jcuconv.rules;

import io.github.jcuconv.JcuconvException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** The checkout under test: where its sources and compiled classes lie. */
final class SourceTree {
    static final Path MAIN_JAVA = Path.of("src", "main", "java");
    static final Path PACKAGE = MAIN_JAVA.resolve(Path.of("io", "github", "jcuconv"));

    private static final Set<String> NOT_OURS =
            Set.of(".git", ".jcuconv", ".idea", ".settings", "target", "build", "out");

    private SourceTree() {}

    /** The compiled main classes, also where the build folder is not target/. */
    static Path mainClasses() {
        try {
            return Path.of(JcuconvException.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Every file below a folder whose name ends so, build outputs left out; none if the folder is not there yet. */
    static List<Path> files(Path folder, String... endings) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> walk = Files.walk(folder)) {
            return walk.filter(Files::isRegularFile)
                    .filter(SourceTree::isOurs)
                    .filter(file -> Stream.of(endings).anyMatch(file.toString()::endsWith))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(file.toString(), e);
        }
    }

    static long lines(Path file) {
        return read(file).lines().count();
    }

    private static boolean isOurs(Path file) {
        for (Path part : file) {
            if (NOT_OURS.contains(part.toString())) {
                return false;
            }
        }
        return true;
    }
}
