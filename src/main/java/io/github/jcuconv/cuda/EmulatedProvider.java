package io.github.jcuconv.cuda;

import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.spi.EngineProvider;
import io.github.jcuconv.spi.EngineSpi;
import java.util.Optional;

/** Finds the engine {@code emulated}: the kernels of {@code cuda} run by the CPU. A test instrument, slow by design. */
public final class EmulatedProvider implements EngineProvider {
    private static final String NAME = "emulated";

    /** For the service loader. */
    public EmulatedProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int priority() {
        return -1;
    }

    @Override
    public Optional<String> unavailable() {
        try {
            Native.of(NAME);
            return Optional.empty();
        } catch (UnsupportedException e) {
            return Optional.of(e.rule());
        }
    }

    @Override
    public EngineSpi open() {
        return new CudaEngine(Native.of(NAME));
    }
}
