package io.github.jcuconv.reference;

import io.github.jcuconv.spi.EngineProvider;
import io.github.jcuconv.spi.EngineSpi;
import java.util.Optional;

/** Finds the engine {@code reference}; only its name selects it. */
public final class ReferenceProvider implements EngineProvider {
    /** For the service loader. */
    public ReferenceProvider() {}

    @Override
    public String name() {
        return ReferenceEngine.NAME;
    }

    @Override
    public int priority() {
        return -1;
    }

    @Override
    public Optional<String> unavailable() {
        return Optional.empty();
    }

    @Override
    public EngineSpi open() {
        return new ReferenceEngine();
    }
}
