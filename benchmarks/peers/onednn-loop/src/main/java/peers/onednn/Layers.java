package peers.onednn;

import static org.bytedeco.dnnl.global.dnnl.*;
import static peers.Trainer.BATCH;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.inner_product_backward_data;
import org.bytedeco.dnnl.inner_product_backward_weights;
import org.bytedeco.dnnl.inner_product_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.pooling_backward;
import org.bytedeco.dnnl.pooling_forward;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.stream;

/**
 * The layers of `peer-cnn`. Making a layer appends its forward primitives to one program; its {@code backward}, called
 * in reverse order, appends the backward ones to the other.
 */
final class Layers {
    private static final long[] ONE = {1, 1};
    private static final long[] TWO = {2, 2};
    private static final long[] NONE = {0, 0};

    final Program forward;
    final Program backward;
    final List<Parameter> parameters = new ArrayList<>();
    private final engine cpu;
    private final stream stream;
    private final Random random = new Random(7);

    Layers(engine cpu, stream stream) {
        this.cpu = cpu;
        this.stream = stream;
        forward = new Program(cpu);
        backward = new Program(cpu);
    }

    /** Masks the gradient in place where the ReLU's output was 0. */
    memory reluBackward(memory y, memory gradient) {
        memory.desc layout = y.get_desc();
        memory dy = backward.adapt(gradient, layout);
        var hint = new eltwise_forward.primitive_desc(
                cpu, prop_kind.forward_training, algorithm.eltwise_relu_use_dst_for_bwd, layout, layout, 0f, 0f);
        var relu = new eltwise_backward.primitive_desc(
                cpu, algorithm.eltwise_relu_use_dst_for_bwd, layout, layout, layout, 0f, 0f, hint);
        backward.add(relu, DNNL_ARG_DST, y, DNNL_ARG_DIFF_DST, dy, DNNL_ARG_DIFF_SRC, dy);
        return dy;
    }

    /** A 3x3 convolution with zero padding 1 and a fused ReLU. */
    final class Conv {
        final memory y;
        private final memory.desc anyX;
        private final memory.desc anyW;
        private final memory.desc anyB;
        private final memory.desc anyY;
        private final convolution_forward.primitive_desc fwd;
        private final memory x;
        private final Parameter w;
        private final Parameter b;

        Conv(memory input, int c, int k) {
            anyX = any(BATCH, c, 28, 28);
            anyW = any(k, c, 3, 3);
            anyB = any(k);
            anyY = any(BATCH, k, 28, 28);
            fwd = new convolution_forward.primitive_desc(
                    cpu,
                    prop_kind.forward_training,
                    algorithm.convolution_direct,
                    anyX,
                    anyW,
                    anyB,
                    anyY,
                    ONE,
                    ONE,
                    ONE,
                    fusedRelu(),
                    false);
            x = forward.adapt(input, fwd.src_desc());
            y = new memory(fwd.dst_desc(), cpu);
            w = weights(fwd.weights_desc(), memory.format_tag.oihw, c * 9, k, c, 3, 3);
            b = bias(fwd.bias_desc());
            forward.add(fwd, DNNL_ARG_SRC, x, DNNL_ARG_WEIGHTS, w.value, DNNL_ARG_BIAS, b.value, DNNL_ARG_DST, y);
        }

        memory backward(memory gradient, boolean dataToo) {
            var wgrad = new convolution_backward_weights.primitive_desc(
                    cpu, algorithm.convolution_direct, anyX, anyW, anyB, anyY, ONE, ONE, ONE, fwd);
            memory dw = gradientTarget(w, wgrad.diff_weights_desc());
            backward.add(
                    wgrad,
                    DNNL_ARG_SRC,
                    backward.adapt(x, wgrad.src_desc()),
                    DNNL_ARG_DIFF_DST,
                    backward.adapt(gradient, wgrad.diff_dst_desc()),
                    DNNL_ARG_DIFF_WEIGHTS,
                    dw,
                    DNNL_ARG_DIFF_BIAS,
                    b.gradient);
            if (!dataToo) {
                return gradient;
            }
            var dgrad = new convolution_backward_data.primitive_desc(
                    cpu, algorithm.convolution_direct, anyX, anyW, anyY, ONE, ONE, ONE, fwd);
            memory dx = new memory(dgrad.diff_src_desc(), cpu);
            backward.add(
                    dgrad,
                    DNNL_ARG_DIFF_DST,
                    backward.adapt(gradient, dgrad.diff_dst_desc()),
                    DNNL_ARG_WEIGHTS,
                    backward.adapt(w.value, dgrad.weights_desc()),
                    DNNL_ARG_DIFF_SRC,
                    dx);
            return dx;
        }
    }

    /** Max-pool 2x2, stride 2; the workspace keeps which input won. */
    final class Pool {
        final memory y;
        private final memory.desc inputLayout;
        private final pooling_forward.primitive_desc fwd;
        private final memory workspace;

        Pool(memory x) {
            inputLayout = x.get_desc();
            fwd = new pooling_forward.primitive_desc(
                    cpu,
                    prop_kind.forward_training,
                    algorithm.pooling_max,
                    inputLayout,
                    any(BATCH, 64, 14, 14),
                    TWO,
                    TWO,
                    NONE,
                    NONE,
                    NONE);
            y = new memory(fwd.dst_desc(), cpu);
            workspace = new memory(fwd.workspace_desc(), cpu);
            forward.add(fwd, DNNL_ARG_SRC, x, DNNL_ARG_DST, y, DNNL_ARG_WORKSPACE, workspace);
        }

        memory backward(memory gradient) {
            var bwd = new pooling_backward.primitive_desc(
                    cpu, algorithm.pooling_max, inputLayout, y.get_desc(), TWO, TWO, NONE, NONE, NONE, fwd);
            memory dx = new memory(bwd.diff_src_desc(), cpu);
            backward.add(
                    bwd,
                    DNNL_ARG_DIFF_DST,
                    backward.adapt(gradient, bwd.diff_dst_desc()),
                    DNNL_ARG_WORKSPACE,
                    workspace,
                    DNNL_ARG_DIFF_SRC,
                    dx);
            return dx;
        }
    }

    /** A dense layer over all dimensions but the batch. */
    final class Dense {
        final memory y;
        private final memory.desc anyX;
        private final memory.desc anyW;
        private final memory.desc anyB;
        private final memory.desc anyY;
        private final inner_product_forward.primitive_desc fwd;
        private final memory x;
        private final Parameter w;
        private final Parameter b;

        Dense(memory input, int outputs, boolean relu, long... inputDims) {
            boolean image = inputDims.length == 3;
            anyX = any(prepend(BATCH, inputDims));
            anyW = any(prepend(outputs, inputDims));
            anyB = any(outputs);
            anyY = any(BATCH, outputs);
            fwd = new inner_product_forward.primitive_desc(
                    cpu,
                    prop_kind.forward_training,
                    anyX,
                    anyW,
                    anyB,
                    anyY,
                    relu ? fusedRelu() : new primitive_attr(),
                    false);
            x = forward.adapt(input, fwd.src_desc());
            y = new memory(fwd.dst_desc(), cpu);
            int inputs = image ? Math.toIntExact(inputDims[0] * inputDims[1] * inputDims[2]) : (int) inputDims[0];
            w = weights(
                    fwd.weights_desc(),
                    image ? memory.format_tag.oihw : memory.format_tag.oi,
                    inputs,
                    prepend(outputs, inputDims));
            b = bias(fwd.bias_desc());
            forward.add(fwd, DNNL_ARG_SRC, x, DNNL_ARG_WEIGHTS, w.value, DNNL_ARG_BIAS, b.value, DNNL_ARG_DST, y);
        }

        memory backward(memory gradient) {
            var wgrad = new inner_product_backward_weights.primitive_desc(cpu, anyX, anyW, anyB, anyY, fwd);
            memory dw = gradientTarget(w, wgrad.diff_weights_desc());
            backward.add(
                    wgrad,
                    DNNL_ARG_SRC,
                    backward.adapt(x, wgrad.src_desc()),
                    DNNL_ARG_DIFF_DST,
                    backward.adapt(gradient, wgrad.diff_dst_desc()),
                    DNNL_ARG_DIFF_WEIGHTS,
                    dw,
                    DNNL_ARG_DIFF_BIAS,
                    b.gradient);
            var dgrad = new inner_product_backward_data.primitive_desc(cpu, anyX, anyW, anyY, fwd);
            memory dx = new memory(dgrad.diff_src_desc(), cpu);
            backward.add(
                    dgrad,
                    DNNL_ARG_DIFF_DST,
                    backward.adapt(gradient, dgrad.diff_dst_desc()),
                    DNNL_ARG_WEIGHTS,
                    backward.adapt(w.value, dgrad.weights_desc()),
                    DNNL_ARG_DIFF_SRC,
                    dx);
            return dx;
        }
    }

    /**
     * Where a weight gradient goes. The kernels chose one layout for both so far; another choice would need a reorder
     * here.
     */
    private static memory gradientTarget(Parameter parameter, memory.desc layout) {
        if (!parameter.gradient.get_desc().equals(layout)) {
            throw new IllegalStateException(
                    "oneDNN wants the weight gradient in another layout than the weights on this CPU");
        }
        return parameter.gradient;
    }

    /** Weights drawn from N(0, 2 / inputs). */
    private Parameter weights(memory.desc layout, memory.format_tag order, int inputs, long... dims) {
        double deviation = Math.sqrt(2.0 / inputs);
        return keep(new Parameter(layout, cpu, stream, plain(order, dims), () -> random.nextGaussian() * deviation));
    }

    private Parameter bias(memory.desc layout) {
        return keep(new Parameter(layout, cpu, stream, layout, () -> 0));
    }

    private Parameter keep(Parameter parameter) {
        parameters.add(parameter);
        return parameter;
    }

    private static primitive_attr fusedRelu() {
        post_ops operations = new post_ops();
        operations.append_eltwise(algorithm.eltwise_relu, 0f, 0f);
        primitive_attr attributes = new primitive_attr();
        attributes.set_post_ops(operations);
        return attributes;
    }

    private static memory.desc any(long... dims) {
        return plain(memory.format_tag.any, dims);
    }

    static memory.desc plain(memory.format_tag order, long... dims) {
        return new memory.desc(dims, memory.data_type.f32, order);
    }

    private static long[] prepend(long first, long... rest) {
        long[] all = new long[rest.length + 1];
        all[0] = first;
        System.arraycopy(rest, 0, all, 1, rest.length);
        return all;
    }
}
