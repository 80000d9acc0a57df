package io.github.jcuconv.nn;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which activations of a network are kept for the backward pass, and which are computed again (Chen et al. 2016, "Training deep nets with
 * sublinear memory cost"). The network is cut where a single tensor carries everything that later layers read: between the blocks of a
 * residual network. Values are sizes of one image, so the choice is the same for every batch, engine and type.
 */
public final class Recomputation {
    private final List<Network.Node> nodes;
    private final boolean[] cut;
    private final long[] elements;

    private Recomputation(Network network) {
        nodes = network.nodes();
        Set<String> overwritten = overwritten(network);
        cut = new boolean[nodes.size()];
        elements = new long[nodes.size()];
        Map<String, Integer> lastReader = new HashMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            for (String input : nodes.get(i).inputs()) {
                lastReader.put(input, i);
            }
        }
        int reach = lastReader.getOrDefault(Network.INPUT, 0);
        for (int i = 0; i < nodes.size(); i++) {
            Network.Node node = nodes.get(i);
            boolean stays = !overwritten.contains(node.name());
            cut[i] = reach <= i && stays;
            elements[i] = stays && !node.frozen() ? node.output().perImage() : 0;
            reach = Math.max(reach, lastReader.getOrDefault(node.name(), i));
        }
    }

    /** The number of segments with which the activations alive at once are fewest; 1 where recomputation saves nothing. */
    public static int segments(Network network) {
        Recomputation r = new Recomputation(network);
        int best = 1;
        long least = r.alive(r.cuts(1));
        for (int segments = 2; segments <= r.most(); segments++) {
            long alive = r.alive(r.cuts(segments));
            if (alive < least) {
                best = segments;
                least = alive;
            }
        }
        return best;
    }

    /** Names of the layers whose activations are not kept. */
    static Set<String> dropped(Network network, int segments) {
        Recomputation r = new Recomputation(network);
        List<Integer> cuts = r.cuts(segments == TrainerConfig.BEST ? segments(network) : segments);
        Set<String> dropped = new HashSet<>();
        int lastCut = cuts.isEmpty() ? -1 : cuts.get(cuts.size() - 1);
        for (int i = 0; i < lastCut; i++) {
            if (!cuts.contains(i) && !r.nodes.get(i).frozen()) {
                dropped.add(r.nodes.get(i).name());
            }
        }
        return dropped;
    }

    private int most() {
        int count = 1;
        for (boolean c : cut) {
            count += c ? 1 : 0;
        }
        return count;
    }

    /** What is kept throughout, and the largest segment. */
    private long alive(List<Integer> cuts) {
        long kept = 0;
        long largest = 0;
        long inside = 0;
        for (int i = 0; i < nodes.size(); i++) {
            if (cuts.contains(i)) {
                kept += elements[i];
                largest = Math.max(largest, inside);
                inside = 0;
            } else {
                inside += elements[i];
            }
        }
        return kept + Math.max(largest, inside);
    }

    /** Where to cut into at most so many segments whose largest is smallest: bisection over its size. */
    private List<Integer> cuts(int segments) {
        long low = 0;
        long high = 0;
        for (long e : elements) {
            high += e;
        }
        while (low < high) {
            long middle = (low + high) / 2;
            if (cutsAt(middle).size() < segments) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return cutsAt(high);
    }

    /** Cuts greedily at the last place before a segment would exceed the size, if there is one. */
    private List<Integer> cutsAt(long size) {
        List<Integer> cuts = new ArrayList<>();
        long inside = 0;
        long sinceCandidate = 0;
        int candidate = -1;
        for (int i = 0; i < nodes.size(); i++) {
            if (inside + elements[i] > size && candidate >= 0) {
                cuts.add(candidate);
                inside = sinceCandidate;
                candidate = -1;
            }
            inside += elements[i];
            sinceCandidate += elements[i];
            if (cut[i] && i < nodes.size() - 1) {
                candidate = i;
                sinceCandidate = 0;
            }
        }
        return cuts;
    }

    /**
     * Names of the layers whose output the next layer overwrites: an activation, dropout or sum whose input nobody else reads, neither later
     * layers nor the backward pass of the layer that made it.
     */
    static Set<String> overwritten(Network network) {
        Set<String> needsOutput = new HashSet<>();
        Map<String, Integer> readers = new HashMap<>();
        for (Network.Node node : network.nodes()) {
            if (needsOutput(node.layer())) {
                needsOutput.add(node.name());
            }
            node.inputs().forEach(i -> readers.merge(i, 1, Integer::sum));
        }
        Set<String> found = new HashSet<>();
        for (Network.Node node : network.nodes()) {
            Layer layer = node.layer();
            if (layer instanceof Layer.Activate || layer instanceof Layer.Drop || layer instanceof Layer.Sum) {
                node.inputs().stream()
                        .filter(i -> !i.equals(Network.INPUT) && readers.getOrDefault(i, 0) == 1)
                        .filter(i -> !needsOutput.contains(i))
                        .findFirst()
                        .ifPresent(found::add);
            }
        }
        return found;
    }

    /** Whether a layer's backward pass reads its output. Dropout passes its input through in inference, where others may read it. */
    private static boolean needsOutput(Layer layer) {
        return layer instanceof Layer.Activate
                || layer instanceof Layer.Drop
                || layer instanceof Layer.Weighted weighted
                        && weighted.activation().isPresent();
    }
}
