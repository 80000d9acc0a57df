package io.github.jcuconv.cli;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Datasets;
import io.github.jcuconv.internal.Cause;
import io.github.jcuconv.internal.Machine;
import io.github.jcuconv.spi.EngineProvider;
import io.github.jcuconv.verify.ShapeFile;
import io.github.jcuconv.verify.VerifyRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What this machine offers, which engines work, and the one next action. */
final class DoctorCommand extends Command {
    private static final String SELF_TEST = "n2c16h9w9k16r3s3pt1pb1pl1pr1";

    private final Map<String, Object> results = new LinkedHashMap<>();
    private final List<String> refusals = new ArrayList<>();
    private boolean wrong;

    @Override
    String example() {
        return "--json doctor.json";
    }

    @Override
    int run() {
        show(
                "java",
                System.getProperty("java.vm.name") + " " + Runtime.version() + ", " + System.getProperty("java.home"));
        show(
                "system",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch") + ", "
                        + Machine.here(List.of()).libc());
        show("cpu", cpu());
        show(
                "threads",
                Runtime.getRuntime().availableProcessors() + " processors; OMP_NUM_THREADS="
                        + System.getenv().getOrDefault("OMP_NUM_THREADS", "(not set)") + ", OMP_WAIT_POLICY="
                        + System.getenv().getOrDefault("OMP_WAIT_POLICY", "(not set)"));
        show("memory", memory());
        boolean usable = false;
        String next = "";
        for (EngineProvider provider : Engine.providers()) {
            String problem = engine(provider);
            usable |= provider.priority() >= 0 && problem.isEmpty();
            next = next.isEmpty() ? problem : next;
        }
        Machine machine = Machine.here(refusals);
        show(
                "gpu",
                Cause.of(machine)
                        .map(c -> c.finding(machine) + ": " + c.action())
                        .orElseGet(machine::gpus));
        // What one engine lacks is nobody's next action while another one works; a wrong result always is.
        next = usable && !wrong
                ? ""
                : next.isEmpty() ? "./jcuconv mnist --engine reference, since no other works" : next;
        Optional<Path> mnist = Datasets.mnistFolder();
        show(
                "mnist",
                mnist.map(Path::toString)
                        .orElse(
                                "not on this machine: `mnist` downloads it (11 MB), or draws digits where there is no network"));
        say("");
        String last = next.isEmpty() ? "everything works; next: ./jcuconv mnist" : "next: " + next;
        say(last);
        results.put("works", next.isEmpty());
        results.put("next", last);
        writeJson(results);
        return next.isEmpty() ? 0 : FAILED;
    }

    private void show(String what, String value) {
        results.put(what, value);
        say("%-18s %s", what, value);
        out.flush();
    }

    /** Opens an engine and has it convolve; gives what to do if that fails. */
    private String engine(EngineProvider provider) {
        String label = "engine " + provider.name();
        Optional<String> reason = provider.unavailable();
        if (reason.isPresent()) {
            show(label, "not available: " + reason.get());
            refusals.add(reason.get());
            return reason.get();
        }
        try (Engine opened = Engine.open(provider.name())) {
            VerifyRun.Report report = VerifyRun.run(
                    opened,
                    VerifyRun.cases(
                            "conv2d", ShapeFile.read(SELF_TEST), List.of(), DataType.FP32, VerifyRun.Tier.ALL, 1),
                    null,
                    result -> {});
            boolean well = report.failures().isEmpty();
            wrong |= !well;
            show(label, opened.describe() + (well ? "; self-test passed" : "; SELF-TEST FAILED"));
            return well ? "" : report.failures().get(0).verified().rerunLine(provider.name());
        } catch (RuntimeException e) {
            show(label, "does not open: " + e.getMessage());
            return "./jcuconv doctor --verbose, and report what it says of engine " + provider.name();
        }
    }

    static String cpu() {
        String flags = line("/proc/cpuinfo", "flags");
        StringBuilder text = new StringBuilder(line("/proc/cpuinfo", "model name"));
        for (String flag : List.of("avx2", "fma", "f16c", "avx512f", "avx512_bf16", "avx512_fp16", "amx_bf16")) {
            if ((" " + flags + " ").contains(" " + flag + " ")) {
                text.append(text.indexOf(":") < 0 ? ": " : " ").append(flag);
            }
        }
        return text.toString();
    }

    private static String memory() {
        return line("/proc/meminfo", "MemTotal") + ", " + line("/proc/meminfo", "MemAvailable") + " available";
    }

    private static String line(String file, String key) {
        try (java.util.stream.Stream<String> lines = Files.lines(Path.of(file))) {
            return lines.filter(l -> l.startsWith(key))
                    .findFirst()
                    .map(l -> l.substring(l.indexOf(':') + 1).strip())
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
