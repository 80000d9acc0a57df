package io.github.jcuconv.data;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A folder with one sub-folder of PNG and JPEG files per class, as a data set of squares in colour. Of each class a part is kept to test on;
 * {@link Dataset#fold} cuts the rest into one to train on and one to validate on.
 *
 * <p>Needs the module java.desktop.
 */
public final class ImageFolder {
    /** Of each class one image in so many is kept to test on. */
    static final int TEST_PART = 5;

    private static final int MOST_CLASSES = 256;
    private static final long TEST_SPLIT = 0x54455354L;
    private static final String LAYOUT =
            "fill it with one folder of PNG or JPEG files per class, at least two images in each";

    private record Picture(Path file, int label) {}

    private ImageFolder() {}

    /** Whether a folder holds folders, which {@link #load} takes for classes, and no files of MNIST. */
    public static boolean isOne(Path folder) {
        return Files.isDirectory(folder)
                && !folders(folder).isEmpty()
                && !IdxFolder.missing(folder).isEmpty();
    }

    /**
     * Reads all images, on all cores.
     *
     * @param folder its sub-folders are the classes, in the order of their names
     * @param side rows and columns that each image is scaled and cut to, see {@link Images#readSquare}
     * @param seed of the choice of the images to test on
     * @return 3 x side x side images; the classes are called as their folders
     * @throws FileException if the folder cannot be read or is not so built
     * @throws CorruptFileException naming the first file that is no image
     */
    public static Dataset load(Path folder, int side, long seed) {
        if (side < 1 || side > 1 << 12) {
            throw new IllegalArgumentException("side " + side + ": must lie in 1..4096");
        }
        List<Path> classes = folders(folder);
        if (classes.size() < 2 || classes.size() > MOST_CLASSES) {
            throw new FileException(
                    folder.toString(),
                    "has " + classes.size() + " folders, 2 to " + MOST_CLASSES + " are needed",
                    LAYOUT);
        }
        List<Picture> train = new ArrayList<>();
        List<Picture> test = new ArrayList<>();
        for (int label = 0; label < classes.size(); label++) {
            List<Path> files = images(classes.get(label));
            if (files.size() < 2) {
                throw new FileException(classes.get(label).toString(), "has " + files.size() + " images", LAYOUT);
            }
            int[] order = SplitMix64.of(seed, TEST_SPLIT, label).permutation(files.size());
            int tested = Math.max(1, files.size() / TEST_PART);
            for (int i = 0; i < order.length; i++) {
                (i < tested ? test : train).add(new Picture(files.get(order[i]), label));
            }
        }
        Split images = decoded(folder, train, side);
        double sum = 0;
        double squares = 0;
        for (byte b : images.rawImages()) {
            double v = (b & 0xff) / 255.0;
            sum += v;
            squares += v * v;
        }
        double mean = sum / images.rawImages().length;
        double std = Math.sqrt(Math.max(squares / images.rawImages().length - mean * mean, 1e-6));
        String name = folder.toAbsolutePath().normalize().getFileName().toString();
        List<String> names =
                classes.stream().map(c -> c.getFileName().toString()).toList();
        return new Dataset(name, images, decoded(folder, test, side), names, (float) mean, (float) std);
    }

    private static Split decoded(Path folder, List<Picture> pictures, int side) {
        long bytes = 3L * side * side * pictures.size();
        if (bytes > Integer.MAX_VALUE - 8) {
            throw new FileException(
                    folder.toString(),
                    "its " + pictures.size() + " images of " + side + "x" + side + " take " + bytes
                            + " B, 2 GiB at most",
                    "take smaller squares or fewer images");
        }
        byte[] all = new byte[(int) bytes];
        byte[] labels = new byte[pictures.size()];
        int size = 3 * side * side;
        IntStream.range(0, labels.length).parallel().forEach(i -> {
            System.arraycopy(Images.readSquare(pictures.get(i).file, side), 0, all, i * size, size);
            labels[i] = (byte) pictures.get(i).label;
        });
        return new Split(all, labels, 3, side, side);
    }

    private static List<Path> folders(Path folder) {
        return list(folder).filter(Files::isDirectory).toList();
    }

    private static List<Path> images(Path folder) {
        return list(folder)
                .filter(file ->
                        file.getFileName().toString().toLowerCase(Locale.ROOT).matches(".*\\.(png|jpe?g)"))
                .toList();
    }

    /** What is not hidden, by name. */
    private static Stream<Path> list(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(f -> !f.getFileName().toString().startsWith(".")).sorted().toList().stream();
        } catch (IOException e) {
            throw new FileException(folder.toString(), "cannot be read: " + Idx.reason(e), "name a readable folder", e);
        }
    }
}
