package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.FileException;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.io.AtomicFiles;
import io.github.jcuconv.io.Json;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** A command: the common options, and one clear line for whatever goes wrong. */
abstract class Command implements Callable<Integer> {
    static final int FAILED = 1;
    static final int USAGE = 2;
    static final int NOT_RUN = 3;

    @Option(
            names = "--engine",
            paramLabel = "E",
            description = "auto (default), cuda, onednn, emulated or reference; auto takes the first that works here")
    String engine = "auto";

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "threads of the engine; default: one per physical core")
    int threads = 1;

    @Option(names = "--seed", paramLabel = "N", description = "seed of weights, order and dropout; default 1")
    long seed = 1;

    @Option(names = "--json", paramLabel = "FILE", description = "also write the results there")
    @Nullable
    Path json;

    @Option(names = "--verbose", description = "show stack traces")
    boolean verbose;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "show this text")
    boolean help;

    PrintStream out = System.out;
    PrintStream err = System.err;
    boolean terminal;

    /** Does the work; throws for anything that is not as it should be. */
    abstract int run();

    /** Options and an example: the last line of the help. */
    abstract String example();

    final int execute(
            String name, String does, PrintStream to, PrintStream errors, boolean onTerminal, String... args) {
        out = to;
        err = errors;
        terminal = onTerminal;
        CommandLine line = new CommandLine(this)
                .setCommandName("jcuconv " + name)
                .setOut(new PrintWriter(out, true, StandardCharsets.UTF_8))
                .setErr(new PrintWriter(err, true, StandardCharsets.UTF_8))
                .setUsageHelpWidth(100)
                .setParameterExceptionHandler((e, given) -> fail(USAGE, usage(e), e))
                .setExecutionExceptionHandler((e, c, parsed) -> failed(e));
        line.getCommandSpec()
                .usageMessage()
                .sortOptions(false)
                .sortSynopsis(false)
                .abbreviateSynopsis(true)
                .header("jcuconv " + name + ": " + does + ".%n")
                .footer("%nExample: ./jcuconv " + name + " " + example().replace("%", "%%"));
        try {
            return line.execute(args);
        } catch (OutOfMemoryError e) {
            return fail(FAILED, "Java's heap is full: batches are decoded there; take a smaller --batch", e);
        } catch (LinkageError e) {
            return fail(FAILED, "a library is missing or does not load: " + e + "; see doctor", e);
        }
    }

    @Override
    public final Integer call() {
        require(threads >= 1, "--threads " + threads + ": must be at least 1");
        if (json != null) {
            Path folder = json.toAbsolutePath().getParent();
            require(
                    folder != null && Files.isDirectory(folder),
                    "--json " + json + ": there is no such folder; make it first");
        }
        return run();
    }

    /** Refuses an argument. */
    static void require(boolean holds, String message) {
        if (!holds) {
            throw new IllegalArgumentException(message);
        }
    }

    private String usage(ParameterException e) {
        String guess = "";
        if (e instanceof UnmatchedArgumentException unmatched) {
            List<String> suggestions = unmatched.getSuggestions();
            guess = suggestions.isEmpty() ? "" : "; did you mean " + suggestions.get(0) + "?";
        }
        return e.getMessage() + guess + "; see " + e.getCommandLine().getCommandName() + " --help";
    }

    private int failed(Exception e) {
        if (e instanceof UnsupportedException) {
            return fail(NOT_RUN, "not run: " + e.getMessage(), e);
        }
        if (e instanceof IllegalArgumentException) {
            return fail(USAGE, e.getMessage(), e);
        }
        if (e instanceof ArithmeticException) {
            return fail(USAGE, "a tensor would have 2^31 elements or more; take a smaller --batch or --input", e);
        }
        boolean ours = e.getClass().getName().startsWith("io.github.jcuconv.");
        return fail(FAILED, ours ? e.getMessage() : e + " (unexpected; --verbose shows where)", e);
    }

    /** One line, however many the message has; the trace only when asked for. */
    final int fail(int status, @Nullable String message, Throwable e) {
        if (terminal) {
            out.print("\r\033[K");
        }
        err.println("jcuconv: " + String.valueOf(message).strip().replaceAll("\\s*\\R\\s*", "; "));
        if (verbose) {
            e.printStackTrace(err);
        }
        return status;
    }

    /** Writes the results where {@code --json} says; into devices and pipes straight, which a rename would replace. */
    final void writeJson(Map<String, ?> results) {
        if (json == null) {
            return;
        }
        String text = Json.write(results);
        if (Files.exists(json) && !Files.isRegularFile(json)) {
            try {
                Files.writeString(json, text);
            } catch (IOException e) {
                throw new FileException(
                        json.toString(), "cannot be written: " + e.getMessage(), "name another file", e);
            }
        } else {
            AtomicFiles.writeString(json, text);
        }
    }

    /** Lets an engine choose kernels by measuring, if that is asked for. */
    final void autotune(boolean asked, Engine opened) {
        if (asked) {
            opened.autotune(line -> err.println("jcuconv: " + line));
        }
    }

    final void say(String format, Object... values) {
        out.println(values.length == 0 ? format : Text.format(format, values));
    }
}
