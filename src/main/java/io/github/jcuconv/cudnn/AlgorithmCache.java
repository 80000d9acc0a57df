package io.github.jcuconv.cudnn;

import io.github.jcuconv.internal.MeasuredCache;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What cuDNN measured, kept in the user's cache per GPU and version of cuDNN. All algorithms are kept: another limit of the workspace chooses among
 * the same ones.
 */
final class AlgorithmCache {
    private static final System.Logger LOG = System.getLogger(AlgorithmCache.class.getName());
    private static final String SEPARATOR = "\t";

    private final MeasuredCache cache;
    private final Map<String, List<Algorithm>> known = new HashMap<>();

    private AlgorithmCache(MeasuredCache cache) {
        this.cache = cache;
    }

    /** @param description GPU and version */
    static AlgorithmCache of(String description) {
        return new AlgorithmCache(
                MeasuredCache.of("cudnn", description, line -> LOG.log(System.Logger.Level.WARNING, line)));
    }

    /** The algorithms of a problem, measured if they are not known yet; fastest first. */
    synchronized List<Algorithm> get(String problem, Supplier<List<Algorithm>> measure) {
        return known.computeIfAbsent(
                problem, p -> cache.get(p).flatMap(AlgorithmCache::parse).orElseGet(() -> measured(p, measure)));
    }

    private List<Algorithm> measured(String problem, Supplier<List<Algorithm>> measure) {
        List<Algorithm> found = List.copyOf(measure.get());
        cache.put(problem, found.stream().map(Algorithm::written).collect(Collectors.joining(SEPARATOR)));
        return found;
    }

    /** Empty if it is no whole line. */
    private static Optional<List<Algorithm>> parse(String line) {
        String[] fields = line.split(SEPARATOR);
        List<Algorithm> algorithms =
                Stream.of(fields).map(Algorithm::read).flatMap(Optional::stream).toList();
        return algorithms.size() == fields.length ? Optional.of(algorithms) : Optional.empty();
    }
}
