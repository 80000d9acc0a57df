package io.github.jcuconv.testing;

import io.github.jcuconv.Engine;
import io.github.jcuconv.spi.EngineProvider;
import java.util.List;
import java.util.stream.Stream;

/** The engines that every suite runs on. */
public final class Engines {
    /** {@code -Djcuconv.engines=onednn,reference} tests these only. */
    private static final String ONLY = System.getProperty("jcuconv.engines", "");

    private Engines() {}

    /** Names of all engines that can be opened here. */
    public static List<String> available() {
        return Engine.providers().stream()
                .filter(provider -> provider.unavailable().isEmpty())
                .map(EngineProvider::name)
                .filter(Engines::isWanted)
                .toList();
    }

    /** The same and {@link LateEngine}, for tests of what surrounds an engine. */
    public static List<String> availableAndLate() {
        return Stream.concat(available().stream(), Stream.of(LateEngine.NAME).filter(Engines::isWanted))
                .toList();
    }

    private static boolean isWanted(String name) {
        return ONLY.isEmpty() || List.of(ONLY.split(",")).contains(name);
    }

    /** Opens any of them. */
    public static Engine open(String name) {
        return name.equals(LateEngine.NAME) ? LateEngine.open() : Engine.open(name);
    }
}
