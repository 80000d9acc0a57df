package io.github.jcuconv.nn;

import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Types;
import java.util.ArrayList;
import java.util.List;

/**
 * One tensor that a network learns or keeps.
 *
 * @param name layer and role, e.g. {@code conv1.weight}
 * @param layer the layer's name
 * @param arg its role in the layer's operation
 * @param dims its shape; filters are K C/G R S
 * @param fanIn inputs that one output sums, for the initial scale
 * @param frozen whether its layer is left as it is
 */
public record Parameter(String name, String layer, Arg arg, Dims dims, long fanIn, boolean frozen) {
    /** Whether gradients change it. */
    public boolean trainable() {
        return !frozen && arg != Arg.RUNNING_MEAN && arg != Arg.RUNNING_VAR;
    }

    /** Whether it is a matrix or filter: stored in the storage type, with weight decay. */
    boolean isWeight() {
        return arg == Arg.W;
    }

    /** The parameters of one layer. */
    static List<Parameter> of(Network.Node node, List<Dims> inputs) {
        List<Parameter> found = new ArrayList<>();
        if (node.layer() instanceof Layer.Weighted layer) {
            OpDescriptor op = layer.op(inputs.get(0), Types.FP32, Phase.TRAINING);
            Dims w = weights(op);
            long fanIn = op instanceof ConvTranspose2d t ? (long) w.n() / t.groups() * w.h() * w.w() : w.perImage();
            found.add(new Parameter(node.name() + ".weight", node.name(), Arg.W, w, fanIn, node.frozen()));
            if (layer.bias()) {
                found.add(vector(node, "bias", Arg.BIAS, node.output().c()));
            }
        } else if (node.layer() instanceof Layer.BatchNormalization) {
            int c = inputs.get(0).c();
            found.add(vector(node, "weight", Arg.GAMMA, c));
            found.add(vector(node, "bias", Arg.BETA, c));
            found.add(vector(node, "running_mean", Arg.RUNNING_MEAN, c));
            found.add(vector(node, "running_var", Arg.RUNNING_VAR, c));
        }
        return found;
    }

    private static Dims weights(OpDescriptor op) {
        if (op instanceof Conv2d conv) {
            return conv.w();
        }
        return op instanceof Dense dense ? dense.w() : ((ConvTranspose2d) op).w();
    }

    private static Parameter vector(Network.Node node, String suffix, Arg arg, int length) {
        return new Parameter(node.name() + "." + suffix, node.name(), arg, Dims.vector(length), length, node.frozen());
    }

    /** The initial values in plain order: He-normal weights, zeros, ones for factors and variances. */
    float[] initial(long seed, int index) {
        float[] values = new float[Math.toIntExact(dims.count())];
        if (arg == Arg.W) {
            Seeds.Normal normal = new Seeds.Normal(Seeds.mix(seed, index));
            double scale = StrictMath.sqrt(2.0 / fanIn);
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) (normal.next() * scale);
            }
        } else if (arg == Arg.GAMMA || arg == Arg.RUNNING_VAR) {
            java.util.Arrays.fill(values, 1f);
        }
        return values;
    }
}
