package io.github.jcuconv;

import java.util.List;

/** An engine lacks an operation, a pass or a variant of it. Never answered by a silent fallback. */
public final class UnsupportedException extends JcuconvException {
    private static final long serialVersionUID = 1L;
    private final String engine;
    private final String operation;
    private final String rule;
    private final List<String> enginesThatCan;

    /**
     * @param engine the engine that was asked
     * @param operation the operation and pass
     * @param rule what the engine lacks
     * @param enginesThatCan engines that have it, may be empty
     */
    public UnsupportedException(String engine, String operation, String rule, List<String> enginesThatCan) {
        super("engine " + engine + " cannot run " + operation + ": " + rule
                + (enginesThatCan.isEmpty() ? "" : "; engines that can: " + String.join(", ", enginesThatCan)));
        this.engine = engine;
        this.operation = operation;
        this.rule = rule;
        this.enginesThatCan = List.copyOf(enginesThatCan);
    }

    /** The engine that was asked. */
    public String engine() {
        return engine;
    }

    /** The operation and pass. */
    public String operation() {
        return operation;
    }

    /** What the engine lacks. */
    public String rule() {
        return rule;
    }

    /** Engines that have it. */
    public List<String> enginesThatCan() {
        return enginesThatCan;
    }
}
