package io.github.jcuconv.onednn;

import io.github.jcuconv.spi.EngineProvider;
import io.github.jcuconv.spi.EngineSpi;
import java.util.Optional;

/** Finds oneDNN. Touches no class of the preset until asked, since its jars are optional. */
public final class OnednnProvider implements EngineProvider {
    /** For the service loader. */
    public OnednnProvider() {}

    @Override
    public String name() {
        return "onednn";
    }

    @Override
    public int priority() {
        return 20;
    }

    @Override
    public Optional<String> unavailable() {
        try {
            return Native.problem();
        } catch (LinkageError e) {
            return Optional.of(
                    "oneDNN's preset is not there; add org.bytedeco:dnnl and its jar for this platform to the class path");
        }
    }

    @Override
    public EngineSpi open() {
        return new OnednnEngine();
    }
}
