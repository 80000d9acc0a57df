package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.memory.HostLink;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.nn.Emitter.Bindings;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.StepControl;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The numbers of a training that change with its steps. They lie in the engine's memory, and only {@link StepControl} changes them; the host
 * sets them when a training begins or goes on, and reads them when somebody asks.
 */
final class Control {
    private static final int GROWTH_INTERVAL = 500;
    private static final float FIRST_SCALE = 1 << 12;
    /** Rows of HYPER: weights decay, vectors do not. */
    private static final int ROWS = 2;

    final Value seed;
    final Value lossScale;
    private final TrainerConfig config;
    private final Value rates;
    private final Value counters;
    private final Value hyper;
    private final @Nullable Value flag;
    private final Map<Value, Float> constants = new LinkedHashMap<>();
    /** What the engine's counter says; nothing but {@link #setRanks} changes it. */
    private int ranks = 1;

    Control(Emitter emitter, TrainerConfig config) {
        this.config = config;
        this.seed = add(emitter, "seed", 4, DataType.INT32);
        this.lossScale = add(emitter, "loss scale", 1, DataType.FP32);
        this.rates = add(emitter, "learning rates", config.rates(), DataType.FP32);
        this.counters = add(emitter, "counters", StepControl.COUNTERS, DataType.INT32);
        this.hyper = add(emitter, "hyper", ROWS * Hyper.COUNT, DataType.FP32);
        this.flag = scalesLoss() ? add(emitter, "overflow", 1, DataType.INT32) : null;
    }

    /** A number that stays as it is from the beginning to the end. */
    Value constant(Emitter emitter, String name, float number) {
        Value value = add(emitter, name, 1, DataType.FP32);
        constants.put(value, number);
        return value;
    }

    private static Value add(Emitter emitter, String name, int count, DataType type) {
        return emitter.add(name, Part.OTHER, Dims.vector(count), type, Layout.Plain.NCHW);
    }

    private boolean scalesLoss() {
        return config.precision() == Precision.FP16;
    }

    /** What lives as long as the training. */
    List<Value> persistent() {
        List<Value> all = new ArrayList<>(List.of(seed, lossScale, rates, counters, hyper));
        if (flag != null) {
            all.add(flag);
        }
        all.addAll(constants.keySet());
        return all;
    }

    /** The steps between the gradients and the update. */
    void emit(Emitter emitter, Value gradients) {
        Bindings b = new Bindings()
                .use(Arg.RATES, rates)
                .use(Arg.COUNTERS, counters)
                .use(Arg.LOSS_SCALE, lossScale)
                .use(Arg.SEED, seed)
                .use(Arg.HYPER, hyper);
        if (flag != null) {
            Bindings finite = new Bindings().use(Arg.X, gradients).use(Arg.FLAG, flag);
            emitter.emit("overflow check", new FiniteCheck(gradients.dims, DataType.FP32), Pass.FWD, finite);
            b.use(Arg.FLAG, flag);
        }
        StepControl op = new StepControl(config.rates(), ROWS, flag != null, GROWTH_INTERVAL);
        emitter.emit("step control", op, Pass.UPDATE, b);
    }

    /** The numbers of the optimizer of weights (0) or of vectors (1). */
    Value row(int row) {
        return hyper.range(row * Hyper.COUNT, Hyper.COUNT);
    }

    /** Sets everything for a training that begins. */
    void begin(HostLink link) {
        float[] table = new float[config.rates()];
        for (int i = 0; i < table.length; i++) {
            table[i] = config.schedule().rate(i, config.totalSteps());
        }
        link.write(rates.memory(), table);
        float[] rows = new float[ROWS * Hyper.COUNT];
        for (int row = 0; row < ROWS; row++) {
            config.optimizer().write(rows, row * Hyper.COUNT);
        }
        rows[Hyper.WEIGHT_DECAY] = config.optimizer().weightDecay();
        link.write(hyper.memory(), rows);
        constants.forEach((value, number) -> link.write(value.memory(), new float[] {number}));
        resume(link, 0, 0, scalesLoss() ? FIRST_SCALE : 1, 0);
    }

    /** Sets what a training goes on from. */
    void resume(HostLink link, long step, long updates, float scale, int goodSteps) {
        int[] words = new int[StepControl.COUNTERS];
        split(words, StepControl.STEP, step);
        split(words, StepControl.UPDATES, updates);
        words[StepControl.GOOD_STEPS] = goodSteps;
        words[StepControl.RANKS] = ranks;
        link.write(counters.memory(), words);
        link.write(lossScale.memory(), new float[] {scale});
        int[] key = new int[4];
        split(key, 0, config.seed());
        split(key, 2, step);
        link.write(seed.memory(), key);
    }

    /** How many gradients the next update finds summed. */
    void setRanks(HostLink link, int newRanks) {
        if (newRanks < 1) {
            throw new IllegalArgumentException("ranks " + newRanks + ": must be at least 1");
        }
        if (newRanks != ranks) {
            ranks = newRanks;
            link.write(counters.memory().slice(StepControl.RANKS * Integer.BYTES, Integer.BYTES), new int[] {ranks});
        }
    }

    /**
     * Tells the parts of a batch apart, for dropout: in the upper half of the step in SEED, which {@link StepControl} sets anew with each step and
     * no training fills.
     */
    void setPart(HostLink link, int part) {
        link.write(seed.memory().slice(3 * Integer.BYTES, Integer.BYTES), new int[] {part});
    }

    /** The counters after all queued steps. */
    int[] counters(HostLink link) {
        int[] words = new int[StepControl.COUNTERS];
        link.read(counters.memory(), words);
        return words;
    }

    private static void split(int[] halves, int low, long value) {
        halves[low] = (int) value;
        halves[low + 1] = (int) (value >>> 32);
    }

    static long join(int[] halves, int low) {
        return (long) halves[low + 1] << 32 | halves[low] & 0xFFFFFFFFL;
    }
}
