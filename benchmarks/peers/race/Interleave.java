import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Races ours and the peers on `peer-cnn`, batch 128: N rounds, in each round every contender once in its own process on
 * the same cpus, every second round in reverse order, so that drift of the machine meets all alike. Started by
 * {@code run}.
 *
 * <p>Measured per run: steady training images/s (as the contender reports it, warm-up left out), the peak resident
 * memory (VmHWM, polled, so growth in the last quarter second is missed) and the share of the cpus that others took
 * meanwhile (busy time in /proc/stat less our children's). The table holds medians of this invocation only, never of
 * several.
 */
final class Interleave {
    private static final int BATCH = 128;
    private static final int DL4J_STEPS = 60;
    private static final String CSV_HEADER =
            "run,commit,round,contender,batch,threads,cpus,steps,images_per_second,images_per_second_median_step,"
                    + "resident_bytes,foreign_percent\n";

    /** One way to train the network: its name in the table and its command; the JSON file's name is appended. */
    private record Contender(String name, List<String> command) {}

    private record Result(double imagesPerSecond, double medianStep, long residentBytes, double foreignPercent) {}

    private final Path peers;
    private final Path root;
    private final Map<String, String> flags = new LinkedHashMap<>(Map.of(
            "--rounds", "5", "--steps", "200", "--threads", "2", "--cpus", "", "--precision", "both", "--data", "", "--with",
            ""));
    private final Map<String, List<Result>> results = new LinkedHashMap<>();
    private final int threads;
    private final String cpus;

    public static void main(String[] args) throws Exception {
        try {
            new Interleave(args).race(String.join(" ", Arrays.asList(args).subList(1, args.length)));
        } catch (IllegalArgumentException e) {
            System.err.println("run: " + e.getMessage());
            System.exit(2);
        } catch (IOException e) {
            System.err.println("run: " + e.getMessage());
            System.exit(1);
        }
    }

    private Interleave(String[] args) throws IOException {
        peers = Path.of(args[0]);
        root = peers.getParent().getParent();
        for (int i = 1; i < args.length; i += 2) {
            if (!flags.containsKey(args[i]) || i + 1 == args.length) {
                throw new IllegalArgumentException(args[i] + ": flags, each with a value, are "
                        + String.join(" ", flags.keySet().stream().sorted().toList()));
            }
            flags.put(args[i], args[i + 1]);
        }
        if (!List.of("fp32", "bf16", "both").contains(flags.get("--precision"))) {
            throw new IllegalArgumentException("--precision " + flags.get("--precision") + ": take fp32, bf16 or both");
        }
        if (!List.of("", "dl4j").contains(flags.get("--with"))) {
            throw new IllegalArgumentException("--with " + flags.get("--with") + ": the only further peer is dl4j");
        }
        threads = positive("--threads");
        cpus = flags.get("--cpus").isEmpty() ? Machine.firstCpus(threads) : flags.get("--cpus");
    }

    private void race(String command) throws Exception {
        LocalDateTime start = LocalDateTime.now().truncatedTo(ChronoUnit.SECONDS);
        boolean pinned = Machine.hasTaskset();
        List<Contender> contenders = contenders();
        int rounds = positive("--rounds");
        String commit = commit();
        for (int round = 1; round <= rounds; round++) {
            List<Contender> order = new ArrayList<>(contenders);
            if (round % 2 == 0) {
                Collections.reverse(order);
            }
            for (Contender contender : order) {
                Result result = measure(contender, pinned);
                if (result == null) {
                    contenders.remove(contender);
                    results.remove(contender.name);
                    continue;
                }
                results.computeIfAbsent(contender.name, name -> new ArrayList<>())
                        .add(result);
                System.out.printf(
                        Locale.ROOT,
                        "round %d/%d  %-12s %6.0f images/s  %4.0f MB resident  %4.1f %% foreign load%n",
                        round,
                        rounds,
                        contender.name,
                        result.imagesPerSecond,
                        result.residentBytes / 1e6,
                        result.foreignPercent);
                append(start, commit, round, contender, result);
            }
        }
        print(start, commit, pinned, rounds, command);
    }

    /**
     * Builds everybody first, outside the measured processes; leaves ours out, with a line, where it cannot run yet.
     */
    private List<Contender> contenders() throws Exception {
        List<Contender> all = new ArrayList<>();
        Path launcher = root.resolve("jcuconv");
        if (!Files.isExecutable(launcher)) {
            System.out.println("ours: left out, there is no executable ./jcuconv in this checkout");
        } else {
            Path log = Files.createTempFile("jcuconv-bench-help", ".log");
            if (start(log, List.of(launcher.toString(), "bench", "--help")).waitFor() != 0) {
                System.out.println("ours: left out, `./jcuconv bench --help` fails; see " + log);
            } else {
                Files.delete(log);
                for (String precision : List.of("fp32", "bf16")) {
                    if (flags.get("--precision").matches("both|" + precision)) {
                        all.add(new Contender(
                                "ours-" + precision,
                                List.of(
                                        launcher.toString(),
                                        "bench",
                                        "--model",
                                        "peer-cnn",
                                        "--batch",
                                        "" + BATCH,
                                        "--threads",
                                        "" + threads,
                                        "--precision",
                                        precision,
                                        "--json")));
                    }
                }
            }
        }
        List<String> others = new ArrayList<>(List.of("djl", "onednn-loop"));
        if (flags.get("--with").equals("dl4j")) {
            others.add("dl4j");
        }
        for (String peer : others) {
            String script = peers.resolve(peer).resolve("run").toString();
            if (new ProcessBuilder(script, "--build").inheritIO().start().waitFor() != 0) {
                throw new IOException(peer + " does not build");
            }
            List<String> command = new ArrayList<>(List.of(script, "--steps", steps(peer)));
            if (!flags.get("--data").isEmpty()) {
                command.addAll(List.of(
                        "--data", Path.of(flags.get("--data")).toAbsolutePath().toString()));
            }
            command.add("--json");
            all.add(new Contender(peer, command));
        }
        return all;
    }

    /** One run of one contender; null, after a line that says why, where ours does not run. */
    private Result measure(Contender contender, boolean pinned) throws Exception {
        Path json = Files.createTempFile("peer", ".json");
        Path log = Files.createTempFile("peer-" + contender.name + "-", ".log");
        List<String> command = new ArrayList<>(pinned ? List.of("taskset", "-c", cpus) : List.of());
        command.addAll(contender.command);
        command.add(json.toString());
        List<Integer> used = pinned ? Machine.cpuList(cpus) : Machine.allCpus();
        double busy = Machine.busySeconds(used);
        double children = Machine.childSeconds();
        long begin = System.nanoTime();
        Process process = start(log, command);
        long resident = 0;
        while (!process.waitFor(250, TimeUnit.MILLISECONDS)) {
            resident = Math.max(resident, Machine.residentBytes(process.toHandle()));
        }
        double seconds = (System.nanoTime() - begin) / 1e9;
        double foreign = Machine.busySeconds(used) - busy - (Machine.childSeconds() - children);
        if (process.exitValue() != 0) {
            List<String> lines = Files.readAllLines(log);
            String why = contender.name + " ended with status " + process.exitValue() + ": "
                    + (lines.isEmpty() ? "it printed nothing" : lines.get(lines.size() - 1)) + " (log: " + log + ")";
            if (!contender.name.startsWith("ours") || results.containsKey(contender.name)) {
                throw new IOException(why);
            }
            System.out.println("left out: " + why);
            return null;
        }
        String text = Files.readString(json);
        Files.delete(json);
        Files.delete(log);
        return new Result(
                number(contender, text, "imagesPerSecond", true),
                number(contender, text, "imagesPerSecondMedian", false),
                resident,
                100 * Math.max(0, foreign) / (seconds * used.size()));
    }

    private Process start(Path log, List<String> command) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        builder.directory(root.toFile());
        builder.environment().put("OMP_NUM_THREADS", "" + threads);
        return builder.start();
    }

    private void print(LocalDateTime start, String commit, boolean pinned, int rounds, String command)
            throws IOException {
        double djl = median("djl", Result::imagesPerSecond);
        double loop = median("onednn-loop", Result::imagesPerSecond);
        System.out.printf(
                "%npeer-cnn, batch %d, %d threads on %s, median of %d interleaved runs%n%s, %s, commit %s%n",
                BATCH,
                threads,
                pinned ? "cpus " + cpus : "any cpus (no taskset)",
                rounds,
                Machine.name(),
                start,
                commit);
        System.out.println("benchmarks/peers/run " + command);
        System.out.println("contender     images/s   x DJL  x oneDNN loop  resident MB  foreign load");
        for (String name : results.keySet()) {
            double speed = median(name, Result::imagesPerSecond);
            double worst = results.get(name).stream()
                    .mapToDouble(Result::foreignPercent)
                    .max()
                    .orElseThrow();
            System.out.printf(
                    Locale.ROOT,
                    "%-12s %9.0f  %6.2f  %13.2f  %11.0f  %4.1f %% (most %.1f %%)%n",
                    name,
                    speed,
                    speed / djl,
                    speed / loop,
                    median(name, r -> r.residentBytes / 1e6),
                    median(name, Result::foreignPercent),
                    worst);
        }
        if (results.containsKey("ours-fp32") && results.containsKey("ours-bf16")) {
            System.out.printf(
                    Locale.ROOT,
                    "ours: bf16 is %.2f x fp32%n",
                    median("ours-bf16", Result::imagesPerSecond) / median("ours-fp32", Result::imagesPerSecond));
        }
        System.out.println("single runs: " + root.relativize(csv(start)));
    }

    private double median(String name, java.util.function.ToDoubleFunction<Result> figure) {
        double[] sorted =
                results.get(name).stream().mapToDouble(figure).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    private void append(LocalDateTime start, String commit, int round, Contender contender, Result result)
            throws IOException {
        Path csv = csv(start);
        Files.createDirectories(csv.getParent());
        String row = String.format(
                Locale.ROOT,
                "%s,%s,%d,%s,%d,%d,%s,%s,%.1f,%s,%d,%.1f%n",
                start,
                commit,
                round,
                contender.name,
                BATCH,
                threads,
                cpus.replace(',', ' '),
                contender.name.startsWith("ours") ? "" : steps(contender.name),
                result.imagesPerSecond,
                Double.isNaN(result.medianStep) ? "" : "" + result.medianStep,
                result.residentBytes,
                result.foreignPercent);
        Files.writeString(
                csv, Files.exists(csv) ? row : CSV_HEADER + row, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    }

    private Path csv(LocalDateTime start) throws IOException {
        return root.resolve("benchmarks/results").resolve(Machine.name()).resolve(start.toLocalDate() + ".csv");
    }

    private String commit() throws Exception {
        String commit = git("rev-parse", "--short", "HEAD");
        return commit.isEmpty()
                ? "unknown"
                : git("status", "--porcelain", "-uno", "--", ".", ":!benchmarks/results")
                                .isEmpty()
                        ? commit
                        : commit + "-dirty";
    }

    private String git(String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of("git", "-C", root.toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String output = new String(process.getInputStream().readAllBytes()).trim();
        return process.waitFor() == 0 ? output : "";
    }

    private static double number(Contender contender, String json, String key, boolean needed) throws IOException {
        Matcher matcher =
                Pattern.compile("\"" + key + "\"\\s*:\\s*(-?[0-9.eE+-]+)").matcher(json);
        if (!matcher.find()) {
            if (needed) {
                throw new IOException(contender.name + " wrote JSON without the number \"" + key + "\": " + json);
            }
            return Double.NaN;
        }
        return Double.parseDouble(matcher.group(1));
    }

    /** The slow one has 110 steps in all: more would only take longer. */
    private String steps(String peer) {
        int steps = positive("--steps");
        return "" + (peer.equals("dl4j") ? Math.min(DL4J_STEPS, steps) : steps);
    }

    private int positive(String flag) {
        if (!flags.get(flag).matches("[1-9][0-9]{0,5}")) {
            throw new IllegalArgumentException(flag + " " + flags.get(flag) + ": give a whole number from 1");
        }
        return Integer.parseInt(flags.get(flag));
    }
}
