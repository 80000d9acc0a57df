package io.github.jcuconv.models;

import io.github.jcuconv.Dims;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Parameter;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Types;
import io.github.jcuconv.op.Window;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** A network and its weights as an ONNX file (opset 11), so that another library computes what we do. Field numbers are those of onnx.proto. */
final class OnnxFile {
    private static final int FLOAT = 1;
    private static final int ATTRIBUTE_FLOAT = 1;
    private static final int ATTRIBUTE_INT = 2;
    private static final int ATTRIBUTE_INTS = 7;
    static final String OUTPUT = "network output";

    private final Message graph = new Message();
    private final Map<String, Dims> shapes = new HashMap<>();
    /** Fully connected layers. */
    private final List<String> matrix = new ArrayList<>();

    private final int batch;

    private OnnxFile(int batch) {
        this.batch = batch;
    }

    /** Protocol buffers, as much of them as this file needs. */
    private static final class Message {
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7FL) != 0) {
                bytes.write((int) (rest & 0x7F | 0x80));
                rest >>>= 7;
            }
            bytes.write((int) rest);
        }

        Message number(int field, long value) {
            varint((long) field << 3);
            varint(value);
            return this;
        }

        Message decimal(int field, float value) {
            varint((long) field << 3 | 5);
            bytes.writeBytes(ByteBuffer.allocate(4)
                    .order(ByteOrder.LITTLE_ENDIAN)
                    .putFloat(value)
                    .array());
            return this;
        }

        Message block(int field, byte[] content) {
            varint((long) field << 3 | 2);
            varint(content.length);
            bytes.writeBytes(content);
            return this;
        }

        Message text(int field, String text) {
            return block(field, text.getBytes(StandardCharsets.UTF_8));
        }

        Message message(int field, Message content) {
            return block(field, content.bytes.toByteArray());
        }
    }

    /** The file's bytes; its input is called as ours, its output {@link #OUTPUT}. */
    static byte[] of(Network whole, int batch, Map<String, float[]> weights) {
        Network network = whole.inference();
        OnnxFile file = new OnnxFile(batch);
        file.shapes.put(Network.INPUT, network.input());
        for (Network.Node node : network.nodes()) {
            file.layer(node, node.equals(network.output()) ? OUTPUT : node.name());
            file.shapes.put(node.name(), node.output());
        }
        for (Parameter p : network.parameters()) {
            file.tensor(p, weights.get(p.name()));
        }
        Dims out = network.output().output();
        file.graph.text(2, network.name());
        file.graph.message(11, file.value(Network.INPUT, network.input()));
        file.graph.message(12, file.value(OUTPUT, out));
        Message opset = new Message().text(1, "").number(2, 11);
        Message model = new Message().number(1, 6).message(7, file.graph).message(8, opset);
        return model.bytes.toByteArray();
    }

    private Message value(String name, Dims d) {
        Message shape = new Message();
        for (long size : new long[] {batch, d.c(), d.h(), d.w()}) {
            shape.message(1, new Message().number(1, size));
        }
        Message tensor = new Message().number(1, FLOAT).message(2, shape);
        return new Message().text(1, name).message(2, new Message().message(1, tensor));
    }

    private void tensor(Parameter p, float[] values) {
        ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        raw.asFloatBuffer().put(values);
        Dims d = p.dims();
        Message tensor = new Message();
        if (p.arg() != Arg.W) {
            tensor.number(1, d.count());
        } else if (matrix.contains(p.layer())) {
            tensor.number(1, d.n()).number(1, d.perImage());
        } else {
            tensor.number(1, d.n()).number(1, d.c()).number(1, d.h()).number(1, d.w());
        }
        graph.message(5, tensor.number(2, FLOAT).text(8, p.name()).block(9, raw.array()));
    }

    private void node(String type, List<String> inputs, String output, Message... attributes) {
        Message node = new Message();
        inputs.forEach(i -> node.text(1, i));
        node.text(2, output).text(3, output).text(4, type);
        for (Message a : attributes) {
            node.message(5, a);
        }
        graph.message(1, node);
    }

    private static Message ints(String name, long... values) {
        Message a = new Message().text(1, name);
        for (long v : values) {
            a.number(8, v);
        }
        return a.number(20, ATTRIBUTE_INTS);
    }

    private static Message integer(String name, long value) {
        return new Message().text(1, name).number(3, value).number(20, ATTRIBUTE_INT);
    }

    private static Message decimal(String name, float value) {
        return new Message().text(1, name).decimal(2, value).number(20, ATTRIBUTE_FLOAT);
    }

    private static Message[] window(Window w, Message... more) {
        Padding p = w.padding();
        List<Message> all = new ArrayList<>(List.of(more));
        all.add(ints("kernel_shape", w.r(), w.s()));
        all.add(ints("strides", w.strideH(), w.strideW()));
        all.add(ints("pads", p.top(), p.left(), p.bottom(), p.right()));
        return all.toArray(new Message[0]);
    }

    private void layer(Network.Node node, String output) {
        String name = node.name();
        Layer layer = node.layer();
        List<String> in = node.inputs();
        Dims x = shapes.get(in.get(0));
        if (layer instanceof Layer.Weighted weighted) {
            String linear = weighted.activation().isPresent() ? name + " linear" : output;
            weighted(weighted, name, in.get(0), x, linear);
            weighted.activation().ifPresent(kind -> activation(kind, linear, output));
        } else if (layer instanceof Layer.Single single) {
            single(single, single.op(x.withN(batch), Types.FP32, Phase.INFERENCE), name, in.get(0), output);
        } else if (layer instanceof Layer.Sum) {
            node("Add", in, output);
        } else if (layer instanceof Layer.Scale) {
            node("Mul", in, output);
        } else {
            node("Concat", in, output, integer("axis", 1));
        }
    }

    private void weighted(Layer.Weighted layer, String name, String from, Dims x, String output) {
        OpDescriptor op = layer.op(x.withN(batch), Types.FP32, Phase.INFERENCE);
        List<String> inputs = new ArrayList<>(List.of(from, name + ".weight"));
        if (layer.bias()) {
            inputs.add(name + ".bias");
        }
        if (op instanceof Conv2d conv) {
            Window w = conv.window();
            node(
                    "Conv",
                    inputs,
                    output,
                    window(w, ints("dilations", w.dilationH(), w.dilationW()), integer("group", conv.groups())));
        } else if (op instanceof ConvTranspose2d conv) {
            Window w = conv.window();
            Message more = ints("output_padding", conv.outputPadH(), conv.outputPadW());
            node("ConvTranspose", inputs, output, window(w, more, integer("group", conv.groups())));
        } else {
            matrix.add(name);
            node("Flatten", List.of(from), name + " flat", integer("axis", 1));
            inputs.set(0, name + " flat");
            node("Gemm", inputs, name + " vector", integer("transB", 1));
            node("Unsqueeze", List.of(name + " vector"), output, ints("axes", 2, 3));
        }
    }

    private void single(Layer.Single layer, OpDescriptor op, String name, String from, String output) {
        if (op instanceof MaxPool2d pool) {
            node("MaxPool", List.of(from), output, window(pool.window(), integer("ceil_mode", pool.ceil() ? 1 : 0)));
        } else if (layer instanceof Layer.GlobalAvgPool) {
            node("GlobalAveragePool", List.of(from), output);
        } else if (op instanceof AvgPool2d pool) {
            node("AveragePool", List.of(from), output, window(pool.window(), integer("count_include_pad", 0)));
        } else if (op instanceof Lrn lrn) {
            float alpha = lrn.convention() == Lrn.Convention.ALPHA ? lrn.alpha() * lrn.size() : lrn.alpha();
            node(
                    "LRN",
                    List.of(from),
                    output,
                    integer("size", lrn.size()),
                    decimal("alpha", alpha),
                    decimal("beta", lrn.beta()),
                    decimal("bias", lrn.k()));
        } else if (layer instanceof Layer.BatchNormalization norm) {
            List<String> all =
                    List.of(from, name + ".weight", name + ".bias", name + ".running_mean", name + ".running_var");
            node("BatchNormalization", all, output, decimal("epsilon", norm.eps()));
        } else if (layer instanceof Layer.Activate activate) {
            activation(activate.kind(), from, output);
        } else {
            node("Identity", List.of(from), output); // dropout
        }
    }

    private void activation(Activation.Kind kind, String from, String output) {
        String lower = kind.name().toLowerCase(Locale.ROOT);
        node(kind.name().charAt(0) + lower.substring(1), List.of(from), output);
    }
}
