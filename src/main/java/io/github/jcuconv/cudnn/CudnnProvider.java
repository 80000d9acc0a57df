package io.github.jcuconv.cudnn;

import io.github.jcuconv.Engine;
import io.github.jcuconv.spi.EngineProvider;
import io.github.jcuconv.spi.EngineSpi;
import java.util.Optional;

/** Finds cuDNN. Touches no class of JCuda until asked, since its jars are optional. */
public final class CudnnProvider implements EngineProvider {
    /** The engine whose memory and streams are used; {@code emulated} with a cuDNN that computes in host memory, in tests. */
    private static final String DEVICE = System.getProperty("jcuconv.cudnn.device", "cuda");

    /** For the service loader. */
    public CudnnProvider() {}

    @Override
    public String name() {
        return "cudnn";
    }

    @Override
    public int priority() {
        return -1;
    }

    @Override
    public Optional<String> unavailable() {
        Optional<String> device = device().unavailable();
        if (device.isPresent()) {
            return Optional.of("it needs the engine " + DEVICE + ": " + device.get());
        }
        try {
            return Cudnn.problem();
        } catch (LinkageError e) {
            return Optional.of("JCuda is not there (" + e.getMessage()
                    + "); add org.jcuda:jcuda and jcudnn and jcudnn-natives for linux-x86_64 to the class path");
        }
    }

    @Override
    public EngineSpi open() {
        return new CudnnEngine(device().open(), hasCublas());
    }

    /** Its jars may be left out, too. */
    private static boolean hasCublas() {
        try {
            return Cublas.isAvailable();
        } catch (LinkageError e) {
            return false;
        }
    }

    private static EngineProvider device() {
        return Engine.providers().stream()
                .filter(provider -> provider.name().equals(DEVICE))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("engine " + DEVICE + " is not part of this build"));
    }
}
