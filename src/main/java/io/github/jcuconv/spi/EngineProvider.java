package io.github.jcuconv.spi;

import java.util.Optional;

/** Finds one engine; listed in {@code META-INF/services} and in the module descriptor. */
public interface EngineProvider {
    /** The engine's name on the command line: lower case, e.g. {@code onednn}. */
    String name();

    /** Order in which {@code auto} tries engines, smaller first; negative for engines that only an explicit name selects. */
    int priority();

    /** Why the engine cannot run here, in one line with the next action; empty if it can be opened. Loads what it must to know. */
    Optional<String> unavailable();

    /**
     * Opens the engine. Each call gives an independent instance.
     *
     * @throws io.github.jcuconv.DeviceException if its library or device fails
     */
    EngineSpi open();
}
