package io.github.jcuconv.testing;

import io.github.jcuconv.DataType;
import io.github.jcuconv.DeviceException;
import io.github.jcuconv.Engine;
import io.github.jcuconv.verify.ShapeLine;
import io.github.jcuconv.verify.VerifyCase;
import io.github.jcuconv.verify.VerifyResult;
import io.github.jcuconv.verify.VerifyRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The program behind run-gpu's stage `verify`: seeded shapes, all passes of each, on several engines, until there are enough or the time is over.
 * Shapes come in parts, each of one operation with a seed of its own; a part appends a row per engine to a file, and a part that stands there is
 * not run again. What deviates from the oracle is printed with its engine's name.
 */
public final class SeededVerify {
    private static final String HEADER = "part,op,shapes,engine,cases,failed,not_run\n";
    private static final int PART = 100;
    /** As often as an operation stands here, of ten parts. */
    private static final List<String> TURNS = List.of(
            "conv2d",
            "conv2d",
            "max-pool2d",
            "conv2d",
            "conv-transpose2d",
            "conv2d",
            "avg-pool2d",
            "conv2d",
            "lrn",
            "conv2d");

    /** The last two are for {@link RandomShapes}'s ways to multiply fp32. */
    private static final List<DataType> TYPES =
            List.of(DataType.FP32, DataType.FP16, DataType.BF16, DataType.FP32, DataType.FP32);
    /** A device that failed is lost to this process: whoever started it starts it again. */
    private static final int AGAIN = 10;

    private final List<String> engines;
    private final Function<String, Engine> open;
    private final int count;
    private final long deadline;
    private final Path file;
    private final Set<String> done = new HashSet<>();
    private int shapes;
    private int cases;
    private int failed;
    private int notRun;

    SeededVerify(List<String> engines, Function<String, Engine> open, int count, long seconds, Path file)
            throws IOException {
        this.open = open;
        this.engines = engines;
        this.count = count;
        this.deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        this.file = file;
        if (!Files.exists(file)) {
            Files.writeString(file, HEADER);
        }
        for (String line : Files.readAllLines(file)) {
            String[] row = line.split(",");
            if (!row[0].equals("part")) {
                done.add(row[0]);
                add(row[3], Integer.parseInt(row[2]), Integer.parseInt(row[4]), Integer.parseInt(row[5]), row[6]);
            }
        }
    }

    /** Takes: engines with commas between, how many shapes, seconds, threads, the file. */
    public static void main(String[] args) throws Exception {
        SeededVerify verify = new SeededVerify(
                List.of(args[0].split(",")),
                Engine::open,
                Integer.parseInt(args[1]),
                Long.parseLong(args[2]),
                Path.of(args[4]));
        System.exit(verify.run(Integer.parseInt(args[3])));
    }

    /** 1 where a case deviates or nothing ran, else 0. */
    int run(int threads) throws Exception {
        ExecutorService workers = Executors.newFixedThreadPool(threads);
        for (int part = 0; part * PART < count; part++) {
            int number = part;
            if (!done.contains(Integer.toString(part))) {
                workers.execute(() -> part(number, Math.min(PART, count - number * PART)));
            }
        }
        workers.shutdown();
        workers.awaitTermination(1, TimeUnit.DAYS);
        String all = shapes < count ? String.format(Locale.ROOT, " of %,d, the time being over", count) : "";
        System.out.printf(
                Locale.ROOT,
                "%,d shapes%s: %,d cases on %s, %,d deviate, %,d refused%n",
                shapes,
                all,
                cases,
                String.join(" and ", engines),
                failed,
                notRun);
        return failed > 0 || cases == notRun ? 1 : 0;
    }

    private void part(int part, int size) {
        if (System.nanoTime() > deadline) {
            return;
        }
        String op = TURNS.get(part % TURNS.size());
        List<ShapeLine> lines = draw(op, 1000 + part, size);
        StringBuilder rows = new StringBuilder();
        for (String name : engines) {
            int ran = 0;
            int wrong = 0;
            int refused = 0;
            try (Engine engine = open.apply(name)) {
                for (int i = 0; i < size; i++) {
                    List<VerifyCase> of = VerifyRun.cases(
                            op,
                            lines.subList(i, i + 1),
                            List.of(),
                            TYPES.get(i % TYPES.size()),
                            VerifyRun.Tier.ALL,
                            part);
                    VerifyRun.Report report = VerifyRun.run(engine, of, null, result -> {});
                    report.failures().forEach(SeededVerify::show);
                    ran += report.cases();
                    wrong += report.failures().size();
                    refused += report.notRun().size();
                }
            } catch (DeviceException e) {
                System.out.println("part " + part + ", " + op + ": " + e.getMessage());
                append(part + "," + op + "," + size + "," + name + ",1,1,0\n");
                Runtime.getRuntime().halt(AGAIN);
            }
            rows.append(String.join(",", "" + part, op, "" + size, name, "" + ran, "" + wrong, refused + "\n"));
        }
        append(rows.toString());
    }

    private static void show(VerifyResult r) {
        System.out.println(r.engine() + " " + r.verified() + ": " + r.text() + "\n    again: "
                + r.verified().rerunLine(r.engine()));
    }

    private synchronized void append(String rows) {
        try {
            Files.writeString(file, rows, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        rows.lines()
                .map(line -> line.split(","))
                .forEach(row -> add(
                        row[3], Integer.parseInt(row[2]), Integer.parseInt(row[4]), Integer.parseInt(row[5]), row[6]));
    }

    private void add(String engine, int drawn, int ran, int wrong, String refused) {
        shapes += engine.equals(engines.get(0)) ? drawn : 0;
        cases += ran;
        failed += wrong;
        notRun += Integer.parseInt(refused);
    }

    private static List<ShapeLine> draw(String op, long seed, int size) {
        return switch (op) {
            case "conv2d" -> RandomShapes.convolutions(seed, size);
            case "conv-transpose2d" -> RandomShapes.transposed(seed, size);
            case "max-pool2d" -> RandomShapes.maxPools(seed, size);
            case "avg-pool2d" -> RandomShapes.averagePools(seed, size);
            default -> RandomShapes.lrns(seed, size);
        };
    }
}
