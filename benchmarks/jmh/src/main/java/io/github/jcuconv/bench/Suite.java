package io.github.jcuconv.bench;

import io.github.jcuconv.Engine;
import io.github.jcuconv.spi.EngineProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.Locale;
import java.util.function.Predicate;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/** Runs the benchmarks in processes of their own and appends a row for each to a CSV file. Started by {@code run}. */
public final class Suite {
    private static final String HEADER = "run,commit,jdk,benchmark,parameters,unit,score,error_99.9,forks,iterations\n";

    private Suite() {}

    /** Takes: whether settings are the shortest, a regular expression over names, the commit, the file. */
    public static void main(String[] args) throws IOException {
        boolean smoke = Boolean.parseBoolean(args[0]);
        LocalDateTime start = LocalDateTime.now(ZoneOffset.UTC).truncatedTo(ChronoUnit.SECONDS);
        Path csv = Path.of(args[3]);
        try {
            Collection<RunResult> results = new Runner(options(smoke, args[1]).build()).run();
            String header = Files.exists(csv) ? "" : HEADER;
            StringBuilder rows = new StringBuilder(header);
            results.forEach(result -> rows.append(row(start, args[2], result)));
            Files.writeString(csv, rows, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            System.out.println(results.size() + " rows appended to " + csv);
        } catch (RunnerException e) {
            System.err.println("jmh/run: " + e.getMessage());
            System.exit(1);
        }
    }

    private static ChainedOptionsBuilder options(boolean smoke, String pattern) {
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include(pattern)
                .param("engine", engines(provider -> true))
                .param("trainsOn", engines(provider -> provider.priority() >= 0))
                .shouldFailOnError(true)
                .forks(smoke ? 1 : 3)
                .warmupIterations(smoke ? 0 : 5)
                .measurementIterations(smoke ? 1 : 5);
        TimeValue iteration = smoke ? TimeValue.milliseconds(10) : TimeValue.seconds(1);
        return options.warmupTime(iteration).measurementTime(iteration);
    }

    /** Names of those that run here. */
    private static String[] engines(Predicate<EngineProvider> wanted) {
        return Engine.providers().stream()
                .filter(wanted)
                .filter(provider -> provider.unavailable().isEmpty())
                .map(EngineProvider::name)
                .toArray(String[]::new);
    }

    private static String row(LocalDateTime start, String commit, RunResult run) {
        Result<?> result = run.getPrimaryResult();
        String name = run.getParams().getBenchmark();
        StringBuilder parameters = new StringBuilder();
        for (String key : run.getParams().getParamsKeys()) {
            parameters.append(parameters.isEmpty() ? "" : " ");
            parameters.append(key).append('=').append(run.getParams().getParam(key));
        }
        double error = result.getScoreError();
        return String.format(
                Locale.ROOT,
                "%s,%s,%s,%s,%s,%s,%.4g,%s,%d,%d%n",
                start,
                commit,
                Runtime.version(),
                name.substring(name.lastIndexOf('.', name.lastIndexOf('.') - 1) + 1),
                parameters,
                result.getScoreUnit(),
                result.getScore(),
                Double.isNaN(error) ? "" : String.format(Locale.ROOT, "%.2g", error),
                run.getParams().getForks(),
                run.getParams().getMeasurement().getCount());
    }
}
