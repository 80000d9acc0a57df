package io.github.jcuconv.cli;

import io.github.jcuconv.Engine;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.spi.EngineProvider;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Opens engines by name, and says why one was passed over. */
final class Engines {
    /** A command that opens its engine twice says it once. */
    private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

    private Engines() {}

    /** Whether this names our kernels for a GPU that is not here, while their emulation, which plans alike, is. */
    static boolean isMissingGpu(String name) {
        return name.equals("cuda") && !runs("cuda") && runs("emulated");
    }

    private static boolean runs(String name) {
        return Engine.providers().stream()
                .anyMatch(p -> p.name().equals(name) && p.unavailable().isEmpty());
    }

    /**
     * Opens an engine.
     *
     * @throws IllegalArgumentException if there is no such engine
     * @throws UnsupportedException if it cannot run here
     */
    static Engine open(String name, PrintStream err) {
        List<EngineProvider> all = Engine.providers();
        List<String> names = new ArrayList<>(List.of("auto"));
        all.forEach(p -> names.add(p.name()));
        Names.require("--engine", name, names);
        List<String> reasons = new ArrayList<>();
        for (EngineProvider provider : all) {
            boolean wanted = name.equals("auto")
                    ? provider.priority() >= 0
                    : provider.name().equals(name);
            if (wanted) {
                Optional<String> reason = provider.unavailable();
                if (reason.isEmpty()) {
                    reasons.stream().filter(SAID::add).forEach(r -> err.println("jcuconv: engine " + r));
                    return Engine.open(provider.name());
                }
                reasons.add(provider.name() + " passed over: " + reason.get());
            }
        }
        String why = reasons.isEmpty() ? "no engine of this build is for everyday use" : String.join("; ", reasons);
        throw new UnsupportedException(name, "here", why, List.of("reference"));
    }
}
