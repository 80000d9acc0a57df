package io.github.jcuconv.nn;

/**
 * Dynamic loss scaling (Micikevicius et al., 2018): halves after an overflow, doubles after {@value #GROWTH_INTERVAL} good steps. Off, it stays
 * at 1.
 */
final class LossScaler {
    static final int GROWTH_INTERVAL = 500;
    private static final float INITIAL = 1 << 12;
    private static final float MOST = 1 << 24;

    private final boolean on;
    private float scale;
    private int goodSteps;

    LossScaler(boolean on) {
        this.on = on;
        this.scale = on ? INITIAL : 1;
    }

    boolean on() {
        return on;
    }

    float scale() {
        return scale;
    }

    int goodSteps() {
        return goodSteps;
    }

    void restore(float savedScale, int savedGoodSteps) {
        scale = savedScale;
        goodSteps = savedGoodSteps;
    }

    void after(boolean overflow) {
        if (!on) {
            return;
        }
        if (overflow) {
            scale = Math.max(1, scale / 2);
            goodSteps = 0;
        } else if (++goodSteps >= GROWTH_INTERVAL) {
            scale = Math.min(MOST, scale * 2);
            goodSteps = 0;
        }
    }
}
