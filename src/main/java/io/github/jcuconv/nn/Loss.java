package io.github.jcuconv.nn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Layout;
import io.github.jcuconv.memory.Part;
import io.github.jcuconv.nn.Emitter.Bindings;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import io.github.jcuconv.op.Types;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;

/** What a training minimises: the cross-entropy of the output, and those of the auxiliary outputs times their weights. */
final class Loss {
    final Value labels;
    final Value loss;
    private final Network network;
    private final Emitter emitter;
    private final Control control;
    private final boolean accumulate;

    /** @param accumulate whether the loss is added to what its tensor holds */
    Loss(Network network, Emitter emitter, Control control, boolean accumulate, int batch) {
        this.network = network;
        this.emitter = emitter;
        this.control = control;
        this.accumulate = accumulate;
        Dims y = network.output().output();
        Dims perPixel = new Dims(batch, 1, y.h(), y.w());
        labels = emitter.add("labels", Part.INPUT, perPixel, DataType.INT32, Layout.Plain.NCHW);
        labels.touch(0);
        loss = emitter.add("loss", Part.OTHER, Dims.vector(1), DataType.FP32, Layout.Plain.NCHW);
    }

    /** Appends the steps behind a forward pass; gives the gradients of the outputs by layer. */
    Map<String, Value> emit(Lowering.Trace trace, Types storage) {
        Map<String, Value> gradients = new HashMap<>();
        String main = network.output().name();
        Value y = trace.output(main);
        SoftmaxCrossEntropy op = crossEntropy(y, storage);
        if (accumulate) {
            emitter.addTo(loss, forward(op, y, "loss", "loss of a part"));
        } else {
            Bindings b = new Bindings().use(Arg.X, y).use(Arg.LABELS, labels).use(Arg.LOSS, loss);
            emitter.emit("loss", op, Pass.FWD, b);
        }
        gradients.put(main, backward(op, y, main, "d loss", control.lossScale));
        for (Network.Node node : network.auxiliaries()) {
            String name = node.name();
            Value weight = control.constant(emitter, "loss weight of " + name, node.lossWeight());
            Value logits = trace.output(name);
            SoftmaxCrossEntropy side = crossEntropy(logits, storage);
            Value lossOfSide = forward(side, logits, "loss of " + name, "loss of " + name);
            emitter.addTo(loss, product(lossOfSide, weight, "weighted loss of " + name));
            Value scale = product(control.lossScale, weight, "loss scale of " + name);
            gradients.put(name, backward(side, logits, name, "d loss of " + name, scale));
        }
        return gradients;
    }

    private static SoftmaxCrossEntropy crossEntropy(Value y, Types storage) {
        return crossEntropy(y.dims, storage.with(Arg.X, y.type));
    }

    static SoftmaxCrossEntropy crossEntropy(Dims y, Types types) {
        return new SoftmaxCrossEntropy(y, SoftmaxCrossEntropy.IGNORE, types);
    }

    private Value forward(SoftmaxCrossEntropy op, Value y, String step, String name) {
        Bindings b = new Bindings().use(Arg.X, y).use(Arg.LABELS, labels).create(Arg.LOSS, name, Part.OTHER);
        return get(emitter.emit(step, op, Pass.FWD, b), Arg.LOSS);
    }

    private Value backward(SoftmaxCrossEntropy op, Value y, String layer, String step, Value scale) {
        Bindings b = new Bindings().use(Arg.X, y).use(Arg.LABELS, labels).use(Arg.LOSS_SCALE, scale);
        b.create(Arg.DX, "d " + layer, Part.ACTIVATION_GRADIENTS);
        return get(emitter.emit(step, op, Pass.BWD, b), Arg.DX);
    }

    /** Of two numbers, on the device: a plane of one pixel times the gate of its channel. */
    private Value product(Value a, Value b, String name) {
        Bindings bound = new Bindings().use(Arg.X, a).use(Arg.X2, b).create(Arg.Y, name, Part.OTHER);
        return get(emitter.emit(name, new ChannelScale(a.dims, Types.FP32), Pass.FWD, bound), Arg.Y);
    }

    private static Value get(Map<Arg, Value> bound, Arg arg) {
        return Objects.requireNonNull(bound.get(arg), arg.name());
    }
}
