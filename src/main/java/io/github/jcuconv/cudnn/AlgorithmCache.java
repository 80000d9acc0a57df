package io.github.jcuconv.cudnn;

import io.github.jcuconv.internal.NativeFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What cuDNN measured, kept in the user's cache: one file per GPU and version of cuDNN, one line per problem. So the choice, on which bits depend,
 * stays the same from process to process, and no shape is timed twice. All algorithms are kept: another limit of the workspace chooses among the
 * same ones. Delete the file to measure again.
 */
final class AlgorithmCache {
    private static final System.Logger LOG = System.getLogger(AlgorithmCache.class.getName());
    private static final String SEPARATOR = "\t";

    private final Path file;
    private final Map<String, List<Algorithm>> known = new HashMap<>();

    private AlgorithmCache(Path file) {
        this.file = file;
        try (Stream<String> lines = Files.lines(file)) {
            lines.forEach(this::take);
        } catch (NoSuchFileException e) {
            LOG.log(System.Logger.Level.DEBUG, "{0} begins", file);
        } catch (IOException | java.io.UncheckedIOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot read {0}, so shapes are timed again: {1}", file, e);
        }
    }

    /** @param description GPU and version */
    static AlgorithmCache of(String description) {
        String name = description.replaceAll("[^A-Za-z0-9.]+", "-") + ".txt";
        return new AlgorithmCache(NativeFolder.userCache().resolve("cudnn").resolve(name));
    }

    /** The first line about a problem counts, whoever wrote it; what is no whole line is passed over. */
    private void take(String line) {
        String[] fields = line.split(SEPARATOR);
        List<Algorithm> algorithms = Stream.of(fields)
                .skip(1)
                .map(Algorithm::read)
                .flatMap(Optional::stream)
                .toList();
        if (!algorithms.isEmpty() && algorithms.size() == fields.length - 1) {
            known.putIfAbsent(fields[0], algorithms);
        }
    }

    /** The algorithms of a problem, measured if they are not known yet; fastest first. */
    synchronized List<Algorithm> get(String problem, Supplier<List<Algorithm>> measure) {
        List<Algorithm> found = known.get(problem);
        if (found == null) {
            found = List.copyOf(measure.get());
            known.put(problem, found);
            write(problem, found);
        }
        return found;
    }

    private void write(String problem, List<Algorithm> algorithms) {
        String line = problem
                + SEPARATOR
                + algorithms.stream().map(Algorithm::written).collect(Collectors.joining(SEPARATOR))
                + System.lineSeparator();
        try {
            Path folder = file.getParent();
            if (folder != null) {
                Files.createDirectories(folder);
            }
            Files.writeString(file, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
        } catch (IOException e) {
            LOG.log(System.Logger.Level.WARNING, "cannot write {0}, so the next start times again: {1}", file, e);
        }
    }
}
