package io.github.jcuconv.cli;

import io.github.jcuconv.FileException;
import io.github.jcuconv.io.Checkpoint;
import io.github.jcuconv.io.Safetensors;
import io.github.jcuconv.models.Torchvision;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Parameter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a training begins with instead of random numbers.
 *
 * @param taken parameters by name, in plain order
 * @param lines what was taken, and what not, for people
 */
record Pretrained(Map<String, float[]> taken, List<String> lines) {
    static final Pretrained NONE = new Pretrained(Map.of(), List.of());

    /**
     * Reads the tensors that a network has in the same shape, under our names or torchvision's.
     *
     * @param from a safetensors file, or a folder that {@code train} wrote
     * @param frozen the last layer that is to be left as it is, empty for none
     * @throws FileException if nothing in it fits, or nothing for a layer that is to be frozen
     */
    static Pretrained read(Path from, Network network, String frozen) {
        if (Checkpoint.exists(from)) {
            try (Checkpoint checkpoint = Checkpoint.load(from)) {
                return read(from, checkpoint.weights(), network, frozen);
            }
        }
        try (Safetensors file = Safetensors.open(from)) {
            return read(from, file, network, frozen);
        }
    }

    private static Pretrained read(Path from, Safetensors file, Network network, String frozen) {
        Network wanted = frozen.isEmpty() ? network : network.frozenThrough(frozen);
        Map<String, Torchvision.Tensor> theirs = theirs(network);
        Map<String, float[]> taken = new LinkedHashMap<>();
        List<String> random = new ArrayList<>();
        for (Parameter p : wanted.parameters()) {
            Torchvision.Tensor other = theirs.get(p.name());
            if (file.has(p.name()) && Arrays.equals(SavedModel.shape(p.dims()), sizes(file, p.name()))) {
                taken.put(p.name(), file.readFloats(p.name()));
            } else if (other != null && file.has(other.name()) && other.shape().equals(file.shape(other.name()))) {
                taken.put(p.name(), file.readFloats(other.name()));
            } else if (p.frozen()) {
                throw new FileException(
                        from.toString(),
                        "has no " + p.name() + " of " + p.dims(),
                        "freeze fewer layers than those up to " + frozen + ", or name another file");
            } else {
                random.add(p.name());
            }
        }
        if (taken.isEmpty()) {
            throw new FileException(
                    from.toString(),
                    "has no tensor of " + network.name() + " in its shape",
                    "name a file of this model");
        }
        String at = random.isEmpty() ? "" : "; at random: " + String.join(", ", random);
        return new Pretrained(taken, List.of("from    " + from + ": " + taken.size() + " tensors" + at));
    }

    private static Map<String, Torchvision.Tensor> theirs(Network network) {
        try {
            return Torchvision.tensors(network);
        } catch (IllegalArgumentException e) {
            return Map.of(); // A model that torchvision lacks.
        }
    }

    private static long[] sizes(Safetensors file, String name) {
        return file.shape(name).stream().mapToLong(n -> n).toArray();
    }
}
