package io.github.jcuconv.rules;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Thin stays thin. Raising a number here needs its reason in the commit. */
class LineBudgetTest {
    private static final int FILE = 600;
    private static final int EXAMPLE = 200;

    private record Budget(String part, long limit) {}

    private static final List<Budget> BUDGETS =
            List.of(new Budget("nn", 3600), new Budget("cli", 3290), new Budget("models", 1500));

    @Test
    void packages_stay_within_their_budget() {
        StringBuilder table = new StringBuilder("| package | lines | budget |\n|---|---:|---:|\n");
        boolean kept = true;
        for (Budget budget : BUDGETS) {
            long lines = javaLines(budget.part);
            table.append(row(budget.part, lines, Long.toString(budget.limit)));
            kept &= lines <= budget.limit;
        }
        for (Path example : SourceTree.files(SourceTree.PACKAGE.resolve("examples"), ".java")) {
            long lines = SourceTree.lines(example);
            table.append(row("examples/" + example.getFileName(), lines, Integer.toString(EXAMPLE)));
            kept &= lines <= EXAMPLE;
        }
        System.out.print(table);
        assertTrue(kept, () -> "over the budget:\n" + table);
    }

    @Test
    void what_computes_is_larger_than_what_drives_it() {
        long below =
                javaLines("op") + javaLines("onednn") + javaLines("cuda") + javaLines("cudnn") + javaLines("reference");
        for (Path file : SourceTree.files(Path.of("native", "kernels"), ".h", ".cuh", ".cu", ".cpp")) {
            below += SourceTree.lines(file);
        }
        long above = javaLines("nn") + javaLines("cli") + javaLines("models") + javaLines("examples");
        System.out.print(row("kernels, op and engines", below, "> " + above));
        assertTrue(below > above, "kernels, op and engines: " + below + " lines, what stands above them: " + above);
    }

    @Test
    void no_file_is_longer_than_the_limit() {
        List<String> tooLong = Stream.of("src", "native", "benchmarks")
                .flatMap(folder ->
                        SourceTree.files(Path.of(folder), ".java", ".h", ".cuh", ".cu", ".cpp", ".txt", ".py").stream())
                .filter(file -> !file.startsWith(Path.of("src", "test", "resources")))
                .filter(file -> SourceTree.lines(file) > FILE)
                .map(file -> file + ": " + SourceTree.lines(file) + " lines")
                .toList();
        assertTrue(tooLong.isEmpty(), () -> "over " + FILE + " lines: " + tooLong);
    }

    private static long javaLines(String part) {
        return SourceTree.files(SourceTree.PACKAGE.resolve(part), ".java").stream()
                .mapToLong(SourceTree::lines)
                .sum();
    }

    private static String row(String part, long lines, String limit) {
        return String.format(Locale.ROOT, "| %s | %,d | %s |%n", part, lines, limit);
    }
}
