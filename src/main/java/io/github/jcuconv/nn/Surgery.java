package io.github.jcuconv.nn;

import io.github.jcuconv.Dims;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The same network with one layer changed: the change, of all that still fit together, with the fewest activations and parameters. */
final class Surgery {
    /** Parameter, gradient and two numbers of the optimizer. */
    private static final int NUMBERS_PER_PARAMETER = 4;

    private Surgery() {}

    /** @param what the change, for people */
    record Result(Network network, String what) {}

    /** A convolution with twice its stride, null if none can have it. */
    static @Nullable Result largerStride(Network network, int batch) {
        List<Result> candidates = new ArrayList<>();
        for (Network.Node node : network.nodes()) {
            if (node.layer() instanceof Layer.Conv conv) {
                int stride = 2 * conv.window().strideH();
                rebuilt(network, node, Optional.of(conv.stride(stride)))
                        .ifPresent(n -> candidates.add(new Result(n, "stride " + stride + " in " + node.name())));
            }
        }
        return smallest(network, batch, candidates);
    }

    /** One layer fewer, null if all are needed. */
    static @Nullable Result removed(Network network, int batch) {
        List<Result> candidates = new ArrayList<>();
        for (Network.Node node : network.nodes()) {
            if (node.layer() instanceof Layer.Weighted
                    && !node.name().equals(network.output().name())) {
                rebuilt(network, node, Optional.empty())
                        .ifPresent(n -> candidates.add(new Result(n, "without " + node.name())));
            }
        }
        return smallest(network, batch, candidates);
    }

    private static @Nullable Result smallest(Network network, int batch, List<Result> candidates) {
        Result best = null;
        long least = size(network, batch);
        for (Result r : candidates) {
            if (size(r.network(), batch) < least) {
                best = r;
                least = size(r.network(), batch);
            }
        }
        return best;
    }

    private static long size(Network network, int batch) {
        long activations =
                network.nodes().stream().mapToLong(n -> n.output().perImage()).sum();
        return batch * activations + NUMBERS_PER_PARAMETER * network.trainableParameters();
    }

    /** Empty where the shapes no longer fit, or there would be another number of classes. */
    private static Optional<Network> rebuilt(Network network, Network.Node changed, Optional<Layer> replacement) {
        Dims in = network.input();
        Network.Builder builder = Network.input(network.name(), in.c(), in.h(), in.w());
        try {
            for (Network.Node node : network.nodes()) {
                if (!node.name().equals(changed.name())) {
                    List<String> inputs = node.inputs().stream()
                            .map(i -> replacement.isEmpty() && i.equals(changed.name())
                                    ? changed.inputs().get(0)
                                    : i)
                            .toList();
                    builder.add(node.name(), node.layer(), inputs.toArray(new String[0]));
                } else if (replacement.isPresent()) {
                    builder.add(node.name(), replacement.get(), node.inputs().toArray(new String[0]));
                }
                if (node.lossWeight() > 0) {
                    builder.auxiliary(node.lossWeight());
                }
            }
            Network rebuilt = builder.build();
            boolean sameClasses =
                    rebuilt.output().output().c() == network.output().output().c();
            return sameClasses ? Optional.of(rebuilt) : Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }
}
