package io.github.jcuconv.verify;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Add;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Concat;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Dropout;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Products;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.op.Sgd;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import io.github.jcuconv.op.StepControl;
import io.github.jcuconv.op.Types;
import io.github.jcuconv.op.Window;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Makes descriptors from shape lines, one maker per operation name of the command line. */
public final class Descriptors {
    private static final String IMAGE = "n c h w ";
    private static final String WINDOW = "r s u v pt pb pl pr ";
    private static final String EPILOGUE = "bias residual relu tanh sigmoid scale ";

    @FunctionalInterface
    private interface Maker {
        OpDescriptor make(ShapeLine line, DataType storage);
    }

    private record Entry(Set<String> keys, Maker maker) {}

    private static final Map<String, Entry> MAKERS = new LinkedHashMap<>();

    static {
        add("conv2d", IMAGE + WINDOW + EPILOGUE + "k d e g ph pw terms stored wide", (l, t) -> Conv2d.of(
                        image(l), need(l, "k"), window(l))
                .groups(get(l, "g", 1))
                .types(types(l, t))
                .epilogue(epilogue(l))
                .maxPool(get(l, "ph", 1), get(l, "pw", 1)));
        add("conv-transpose2d", IMAGE + WINDOW + EPILOGUE + "k d e g oh ow terms stored", (l, t) -> ConvTranspose2d.of(
                        image(l), need(l, "k"), window(l))
                .groups(get(l, "g", 1))
                .outputPad(get(l, "oh", 0), get(l, "ow", 0))
                .types(types(l, t))
                .epilogue(epilogue(l)));
        add("dense", IMAGE + EPILOGUE + "k terms stored wide", (l, t) -> Dense.of(vector(l), need(l, "k"))
                .types(types(l, t))
                .epilogue(epilogue(l)));
        add("max-pool2d", IMAGE + WINDOW + "d e ceil infer", (l, t) -> MaxPool2d.of(image(l), window(l))
                .ceil(flag(l, "ceil"))
                .types(Types.of(t))
                .phase(phase(l)));
        add("avg-pool2d", IMAGE + WINDOW + "ceil count", (l, t) -> AvgPool2d.of(image(l), window(l))
                .ceil(flag(l, "ceil"))
                .countPadding(flag(l, "count"))
                .types(Types.of(t)));
        add("lrn", IMAGE + "size alpha beta k paper infer", Descriptors::lrn);
        add("batch-norm", IMAGE + "infer", (l, t) -> BatchNorm.of(image(l))
                .types(Types.of(t))
                .phase(phase(l)));
        add("activation", IMAGE + "relu tanh sigmoid", (l, t) -> Activation.of(image(l), kind(l))
                .types(Types.of(t)));
        add("dropout", IMAGE + "rate layer", (l, t) -> Dropout.of(
                        image(l), get(l, "rate", 50) / 100f, get(l, "layer", 0))
                .types(Types.of(t)));
        add("softmax-cross-entropy", IMAGE, (l, t) -> SoftmaxCrossEntropy.of(vector(l))
                .types(Types.of(t)));
        add("add", IMAGE, (l, t) -> Add.of(image(l)).types(Types.of(t)));
        add("concat", IMAGE + "k offset", (l, t) -> Concat.of(image(l), need(l, "k"), get(l, "offset", 0))
                .types(Types.of(t)));
        add("channel-scale", IMAGE, (l, t) -> ChannelScale.of(image(l)).types(Types.of(t)));
        add(
                "reorder",
                IMAGE + "back",
                (l, t) -> flag(l, "back")
                        ? new Reorder(image(l), t, DataType.FP32)
                        : new Reorder(image(l), DataType.FP32, t));
        add("finite-check", IMAGE, (l, t) -> new FiniteCheck(image(l), t));
        add("sgd", "count momentum", (l, t) -> new Sgd(need(l, "count"), flag(l, "momentum"), t));
        add("adam", "count", (l, t) -> new Adam(need(l, "count"), t));
        add(
                "step-control",
                "rates rows scaling growth",
                (l, t) -> new StepControl(
                        need(l, "rates"), get(l, "rows", 1), flag(l, "scaling"), get(l, "growth", 500)));
    }

    private Descriptors() {}

    private static void add(String name, String keys, Maker maker) {
        MAKERS.put(name, new Entry(Set.of(keys.strip().split(" +")), maker));
    }

    /** The operation names. */
    public static List<String> names() {
        return List.copyOf(MAKERS.keySet());
    }

    /** Whether the operation multiplies tensors: whether its lines may have {@code terms} and {@code stored}. */
    public static boolean multiplies(String op) {
        Entry entry = MAKERS.get(op);
        return entry != null && entry.keys.contains("terms");
    }

    /**
     * The descriptor of a line.
     *
     * @param op name of the operation
     * @param line the shape
     * @param storage storage type
     * @throws IllegalArgumentException naming file and line, for an unknown or missing key or an impossible shape; or for an unknown operation
     */
    public static OpDescriptor of(String op, ShapeLine line, DataType storage) {
        Entry entry = MAKERS.get(op);
        if (entry == null) {
            throw new IllegalArgumentException(
                    "operation " + op + ": unknown; there are " + String.join(", ", MAKERS.keySet()));
        }
        for (String key : line.values().keySet()) {
            if (!entry.keys().contains(key)) {
                throw line.wrong("key '" + key + "' is unknown to " + op + "; it has "
                        + String.join(" ", entry.keys().stream().sorted().toList()));
            }
        }
        try {
            return entry.maker().make(line, storage);
        } catch (IllegalArgumentException e) {
            throw line.wrong(String.valueOf(e.getMessage()));
        }
    }

    private static int need(ShapeLine line, String key) {
        Integer value = line.values().get(key);
        if (value == null) {
            throw new IllegalArgumentException("the key '" + key + "' is missing");
        }
        return value;
    }

    private static int get(ShapeLine line, String key, int otherwise) {
        return line.values().getOrDefault(key, otherwise);
    }

    private static boolean flag(ShapeLine line, String key) {
        return get(line, key, 0) != 0;
    }

    private static Dims image(ShapeLine line) {
        return new Dims(need(line, "n"), need(line, "c"), need(line, "h"), need(line, "w"));
    }

    private static Dims vector(ShapeLine line) {
        return new Dims(need(line, "n"), need(line, "c"), get(line, "h", 1), get(line, "w", 1));
    }

    private static Phase phase(ShapeLine line) {
        return flag(line, "infer") ? Phase.INFERENCE : Phase.TRAINING;
    }

    private static Window window(ShapeLine l) {
        Padding padding = new Padding(get(l, "pt", 0), get(l, "pb", 0), get(l, "pl", 0), get(l, "pr", 0));
        return Window.of(need(l, "r"), need(l, "s"))
                .stride(get(l, "u", 1), get(l, "v", 1))
                .dilation(get(l, "d", 1), get(l, "e", 1))
                .pad(padding);
    }

    /**
     * {@code terms1} allows tf32 for fp32 operands, {@code terms3} its three-term product; {@code stored1} stores dw and dbias in the storage
     * type, as cuDNN does; {@code wide1} makes y and the residual fp32 whatever the storage type.
     */
    private static Types types(ShapeLine line, DataType storage) {
        Types types = Types.of(storage);
        Types gradients = flag(line, "stored") ? types.with(Arg.DW, storage).with(Arg.DBIAS, storage) : types;
        Types all =
                flag(line, "wide") ? gradients.with(Arg.Y, DataType.FP32).with(Arg.RESIDUAL, DataType.FP32) : gradients;
        return all.products(
                switch (get(line, "terms", 0)) {
                    case 0 -> Products.EXACT;
                    case 1 -> Products.TF32;
                    case 3 -> Products.TF32X3;
                    default ->
                        throw new IllegalArgumentException(
                                "terms is " + get(line, "terms", 0) + ", must be 0 (exact), 1 (tf32) or 3");
                });
    }

    /** The steps in the order in which the line names them. */
    private static Epilogue epilogue(ShapeLine line) {
        List<Epilogue.Step> steps = new ArrayList<>();
        for (String key : line.values().keySet()) {
            if (EPILOGUE.contains(key + " ") && key.length() > 1 && flag(line, key)) {
                steps.add(Epilogue.Step.valueOf(key.toUpperCase(Locale.ROOT)));
            }
        }
        return new Epilogue(steps);
    }

    private static Activation.Kind kind(ShapeLine line) {
        return flag(line, "tanh")
                ? Activation.Kind.TANH
                : flag(line, "sigmoid") ? Activation.Kind.SIGMOID : Activation.Kind.RELU;
    }

    /** alpha counts ten-thousandths, beta hundredths. */
    private static Lrn lrn(ShapeLine l, DataType storage) {
        Lrn.Convention convention = flag(l, "paper") ? Lrn.Convention.ALPHA : Lrn.Convention.ALPHA_OVER_SIZE;
        float alpha = get(l, "alpha", 1) / 10_000f;
        float beta = get(l, "beta", 75) / 100f;
        return new Lrn(
                image(l), get(l, "size", 5), alpha, beta, get(l, "k", 1), convention, Types.of(storage), phase(l));
    }
}
