package io.github.jcuconv.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What deviates is counted against its own engine, what was run is not run again, and time ends it. */
class SeededVerifyTest {
    @TempDir
    private Path temp;

    @Test
    void a_wrong_engine_is_found_and_no_part_runs_twice() throws Exception {
        Path file = temp.resolve("verify.csv");
        List<String> engines = List.of("reference", "buggy");
        assertEquals(1, new SeededVerify(engines, SeededVerifyTest::open, 4, 100, file).run(1));
        List<String> rows = Files.readAllLines(file);
        assertEquals(3, rows.size(), rows.toString());
        assertTrue(rows.get(1).matches("0,conv2d,4,reference,\\d\\d+,0,0"), rows.get(1));
        assertTrue(rows.get(2).matches("0,conv2d,4,buggy,\\d\\d+,[1-9]\\d*,\\d+"), rows.get(2));
        SeededVerify again = new SeededVerify(
                engines,
                name -> {
                    throw new AssertionError("part 0 is done");
                },
                4,
                100,
                file);
        assertEquals(1, again.run(1));
        assertEquals(rows, Files.readAllLines(file));
    }

    @Test
    void nothing_begins_when_the_time_is_over() throws Exception {
        Path file = temp.resolve("verify.csv");
        assertEquals(1, new SeededVerify(List.of("reference"), SeededVerifyTest::open, 4, 0, file).run(1));
        assertEquals(1, Files.readAllLines(file).size());
        assertEquals(0, new SeededVerify(List.of("reference"), SeededVerifyTest::open, 4, 100, file).run(1));
    }

    private static Engine open(String name) {
        return name.equals("buggy") ? BuggyEngine.open(BuggyEngine.Bug.FLIPPED_FILTER) : Engine.open(name);
    }
}
