package io.github.jcuconv.results;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Wrong use of the scripts in benchmarks/ is told in one line, before anything is built. */
@EnabledOnOs(OS.LINUX)
class ScriptsTest {
    @Test
    void jmh_names_what_it_does_not_know() throws Exception {
        assertEquals("jmh/run: --fast is unknown; usage: run [--smoke] [PATTERN]\n", refusal("jmh/run", "--fast"));
    }

    @Test
    void the_race_names_what_it_does_not_know() throws Exception {
        assertEquals("run: --with caffe: the only further peer is dl4j\n", refusal("peers/run", "--with", "caffe"));
    }

    private static String refusal(String script, String... arguments) throws Exception {
        String[] command = new String[arguments.length + 1];
        command[0] = Path.of("benchmarks", script).toString();
        System.arraycopy(arguments, 0, command, 1, arguments.length);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(2, process.waitFor(), out);
        return out;
    }
}
