package io.github.jcuconv.testing;

import io.github.jcuconv.Engine;
import io.github.jcuconv.spi.EngineProvider;
import java.util.List;

/** The engines that every suite runs on. */
public final class Engines {
    private Engines() {}

    /** Names of all engines that can be opened here. */
    public static List<String> available() {
        return Engine.providers().stream()
                .filter(provider -> provider.unavailable().isEmpty())
                .map(EngineProvider::name)
                .toList();
    }
}
