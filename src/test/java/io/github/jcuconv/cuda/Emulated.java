package io.github.jcuconv.cuda;

import java.util.Optional;
import org.junit.jupiter.api.Assumptions;

/** Tests that need the emulated device: not run, with the reason, where it was not built. */
final class Emulated {
    private Emulated() {}

    static void require() {
        Optional<String> reason = new EmulatedProvider().unavailable();
        Assumptions.assumeTrue(reason.isEmpty(), () -> "engine emulated: " + reason.orElse(""));
    }
}
