package io.github.jcuconv.nn;

import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Activation;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Dropout;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Types;
import io.github.jcuconv.op.Window;
import java.util.List;
import java.util.Optional;

/** A layer without its input: a value that becomes an operation once the input's shape is known. */
public sealed interface Layer {
    /** Shape of the output for these inputs. */
    Dims output(List<Dims> inputs);

    /** How many inputs it takes: at least, and at most. */
    default boolean takes(int inputs) {
        return inputs == 1;
    }

    /** Layers that are one operation. */
    sealed interface Single extends Layer {
        /** The operation for this input. */
        OpDescriptor op(Dims x, Types types, Phase phase);

        @Override
        default Dims output(List<Dims> inputs) {
            OpDescriptor op = op(inputs.get(0), Types.FP32, Phase.INFERENCE);
            return op.arguments(op.passes().get(0)).stream()
                    .filter(spec -> spec.arg() == Arg.Y)
                    .findFirst()
                    .orElseThrow()
                    .dims();
        }
    }

    /** Layers with weights, a bias and a fused activation. */
    sealed interface Weighted extends Single {
        /** The activation after the bias, if any. */
        Optional<Activation.Kind> activation();

        /** Whether it has a bias. */
        boolean bias();
    }

    /** How a window layer pads. */
    sealed interface Pad {
        /** The padding for this window. */
        Window apply(Window window, Dims x);
    }

    /** TensorFlow's SAME. */
    record Same() implements Pad {
        @Override
        public Window apply(Window window, Dims x) {
            return window.same(x.h(), x.w());
        }
    }

    /** Fixed numbers. */
    record Fixed(Padding padding) implements Pad {
        @Override
        public Window apply(Window window, Dims x) {
            return window.pad(padding);
        }
    }

    /** Convolution; see {@link #conv}. */
    record Conv(int k, Window window, Pad pad, int groups, boolean bias, Optional<Activation.Kind> activation)
            implements Weighted {
        /** The same with SAME padding. */
        public Conv same() {
            return new Conv(k, window, new Same(), groups, bias, activation);
        }

        /** The same with this padding on all sides. */
        public Conv pad(int all) {
            return new Conv(k, window, new Fixed(Padding.of(all)), groups, bias, activation);
        }

        /** The same with this stride in both directions. */
        public Conv stride(int stride) {
            return new Conv(k, window.stride(stride, stride), pad, groups, bias, activation);
        }

        /** The same with this many groups. */
        public Conv groups(int newGroups) {
            return new Conv(k, window, pad, newGroups, bias, activation);
        }

        /** The same without a bias. */
        public Conv noBias() {
            return new Conv(k, window, pad, groups, false, activation);
        }

        /** The same with ReLU behind it. */
        public Conv relu() {
            return activation(Activation.Kind.RELU);
        }

        /** The same with this activation behind it. */
        public Conv activation(Activation.Kind kind) {
            return new Conv(k, window, pad, groups, bias, Optional.of(kind));
        }

        @Override
        public Conv2d op(Dims x, Types types, Phase phase) {
            Window w = pad.apply(window, x);
            return new Conv2d(x, k, w, groups, types, epilogue(bias, activation), phase, Conv2d.Pool.NONE);
        }
    }

    /** Transposed convolution; see {@link #convTranspose}. */
    record ConvTranspose(
            int k, Window window, int outputPad, int groups, boolean bias, Optional<Activation.Kind> activation)
            implements Weighted {
        /** The same with ReLU behind it. */
        public ConvTranspose relu() {
            return new ConvTranspose(k, window, outputPad, groups, bias, Optional.of(Activation.Kind.RELU));
        }

        @Override
        public ConvTranspose2d op(Dims x, Types types, Phase phase) {
            return new ConvTranspose2d(x, k, window, outputPad, outputPad, groups, types, epilogue(bias, activation));
        }
    }

    /** Fully connected; see {@link #dense}. */
    record FullyConnected(int k, boolean bias, Optional<Activation.Kind> activation) implements Weighted {
        /** The same with ReLU behind it. */
        public FullyConnected relu() {
            return activation(Activation.Kind.RELU);
        }

        /** The same with this activation behind it. */
        public FullyConnected activation(Activation.Kind kind) {
            return new FullyConnected(k, bias, Optional.of(kind));
        }

        @Override
        public Dense op(Dims x, Types types, Phase phase) {
            return new Dense(x, k, types, epilogue(bias, activation), phase);
        }
    }

    /** Max-pooling; see {@link #maxPool}. */
    record MaxPool(Window window, Pad pad, boolean ceil) implements Single {
        /** The same with padding on all sides. */
        public MaxPool pad(int all) {
            return new MaxPool(window, new Fixed(Padding.of(all)), ceil);
        }

        /** The same with SAME padding. */
        public MaxPool same() {
            return new MaxPool(window, new Same(), ceil);
        }

        /** The same in ceil mode. */
        public MaxPool ceilMode() {
            return new MaxPool(window, pad, true);
        }

        @Override
        public MaxPool2d op(Dims x, Types types, Phase phase) {
            return new MaxPool2d(x, pad.apply(window, x), ceil, types, phase);
        }
    }

    /** Average pooling; see {@link #avgPool}. */
    record AvgPool(Window window) implements Single {
        @Override
        public AvgPool2d op(Dims x, Types types, Phase phase) {
            return AvgPool2d.of(x, window).types(types);
        }
    }

    /** One average per channel. */
    record GlobalAvgPool() implements Single {
        @Override
        public AvgPool2d op(Dims x, Types types, Phase phase) {
            return AvgPool2d.global(x).types(types);
        }
    }

    /** Local response normalization. */
    record LocalResponseNorm(int size, float alpha, float beta, float k, Lrn.Convention convention) implements Single {
        @Override
        public Lrn op(Dims x, Types types, Phase phase) {
            return new Lrn(x, size, alpha, beta, k, convention, types, phase);
        }
    }

    /** Batch normalization. */
    record BatchNormalization(float eps, float momentum) implements Single {
        @Override
        public BatchNorm op(Dims x, Types types, Phase phase) {
            return new BatchNorm(x, eps, momentum, types, phase);
        }
    }

    /** An activation of its own. */
    record Activate(Activation.Kind kind) implements Single {
        @Override
        public Activation op(Dims x, Types types, Phase phase) {
            return Activation.of(x, kind).types(types);
        }
    }

    /** Dropout; the number tells the dropouts of one network apart. */
    record Drop(float rate, int number) implements Single {
        @Override
        public Dropout op(Dims x, Types types, Phase phase) {
            return Dropout.of(x, rate, number).types(types);
        }
    }

    /** Maps times one gate each: the inputs are N C H W and N C 1 1. */
    record Scale() implements Layer {
        @Override
        public boolean takes(int inputs) {
            return inputs == 2;
        }

        @Override
        public Dims output(List<Dims> inputs) {
            Dims gates = new ChannelScale(inputs.get(0), Types.FP32).x2();
            OpDescriptor.require(
                    inputs.get(1).equals(gates),
                    "channel-scale: the gates are " + inputs.get(1) + ", must be " + gates);
            return inputs.get(0);
        }
    }

    /** Sum of two equal shapes. */
    record Sum() implements Layer {
        @Override
        public boolean takes(int inputs) {
            return inputs == 2;
        }

        @Override
        public Dims output(List<Dims> inputs) {
            OpDescriptor.require(
                    inputs.get(0).equals(inputs.get(1)),
                    "add: the inputs " + inputs.get(0) + " and " + inputs.get(1) + " must have the same shape");
            return inputs.get(0);
        }
    }

    /** Concatenation along the channels. */
    record Join() implements Layer {
        @Override
        public boolean takes(int inputs) {
            return inputs >= 2;
        }

        @Override
        public Dims output(List<Dims> inputs) {
            Dims first = inputs.get(0);
            int channels = 0;
            for (Dims d : inputs) {
                OpDescriptor.require(
                        d.n() == first.n() && d.h() == first.h() && d.w() == first.w(),
                        "concat: the inputs " + first + " and " + d + " may differ only in their channels");
                channels += d.c();
            }
            return new Dims(first.n(), channels, first.h(), first.w());
        }
    }

    /** k square filters of r x r, stride 1, no padding, with a bias. */
    static Conv conv(int k, int r) {
        return new Conv(k, Window.of(r, r), new Fixed(Padding.NONE), 1, true, Optional.empty());
    }

    /** Transposed convolution with k square filters of r x r that enlarges by the stride. */
    static ConvTranspose convTranspose(int k, int r, int stride, int pad) {
        return new ConvTranspose(
                k, Window.of(r, r).stride(stride, stride).pad(Padding.of(pad)), 0, 1, true, Optional.empty());
    }

    /** k outputs that see the whole image, with a bias. */
    static FullyConnected dense(int k) {
        return new FullyConnected(k, true, Optional.empty());
    }

    /** Square windows. */
    static MaxPool maxPool(int size, int stride) {
        return new MaxPool(Window.of(size, size).stride(stride, stride), new Fixed(Padding.NONE), false);
    }

    /** Square windows. */
    static AvgPool avgPool(int size, int stride) {
        return new AvgPool(Window.of(size, size).stride(stride, stride));
    }

    /** eps 1e-5, momentum 0.1. */
    static BatchNormalization batchNorm() {
        return new BatchNormalization(1e-5f, 0.1f);
    }

    private static Epilogue epilogue(boolean bias, Optional<Activation.Kind> activation) {
        Epilogue e = bias ? Epilogue.BIAS : Epilogue.NONE;
        return activation
                .map(kind -> e.then(Epilogue.Step.valueOf(kind.name())))
                .orElse(e);
    }
}
