package io.github.jcuconv.cuda;

import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.spi.EngineProvider;
import io.github.jcuconv.spi.EngineSpi;
import java.util.Optional;

/** Finds the engine {@code cuda}: our kernels on an NVIDIA GPU. */
public final class CudaProvider implements EngineProvider {
    private static final String NAME = "cuda";

    /** For the service loader. */
    public CudaProvider() {}

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public int priority() {
        return 0;
    }

    @Override
    public Optional<String> unavailable() {
        try {
            Native api = Native.of(NAME);
            int devices = DeviceNatives.deviceCount(api.library());
            return devices > 0
                    ? Optional.empty()
                    : Optional.of("no NVIDIA GPU answers: "
                            + (devices == 0 ? "the driver lists none" : DeviceNatives.lastMessage(api.library())));
        } catch (UnsupportedException e) {
            return Optional.of(e.rule());
        }
    }

    @Override
    public EngineSpi open() {
        return new CudaEngine(Native.of(NAME));
    }
}
