package io.github.jcuconv.data;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Finds MNIST and Fashion-MNIST: a folder by argument, by environment variable, the user's cache, the network. */
final class Mnist {
    static final List<String> HASHES = List.of(
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2");

    private static final float MEAN = 0.1307f;
    private static final float STD = 0.3081f;
    private static final float FASHION_MEAN = 0.2860f;
    private static final float FASHION_STD = 0.3530f;

    /** The largest of the four files has 9.9 MB. */
    private static final long DOWNLOAD_LIMIT = 16L << 20;

    /** For all mirrors together until one has answered: a machine without network must start at once. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final Duration PER_MIRROR = Duration.ofSeconds(5);

    private final DataEnvironment environment;
    private final List<String> hashes;
    private final List<String> tried = new ArrayList<>();

    Mnist(DataEnvironment environment, List<String> hashes) {
        this.environment = environment;
        this.hashes = hashes;
    }

    /** Why each place was passed over, in the order of the look-up. */
    List<String> tried() {
        return List.copyOf(tried);
    }

    /**
     * Looks in $MNIST_DIR, the cache and the network.
     *
     * @return empty if no place has it; {@link #tried} then says why
     * @throws CorruptFileException if a file in $MNIST_DIR is broken: who names a folder means it
     */
    Optional<Dataset> find() {
        Optional<Dataset> named =
                environment.folder("MNIST_DIR").flatMap(folder -> inFolder("MNIST_DIR " + folder, folder));
        if (named.isPresent()) {
            return named;
        }
        if (environment.folder("MNIST_DIR").isEmpty()) {
            tried.add("MNIST_DIR is not set");
        }
        Path cache = environment.cache().resolve("mnist");
        try {
            Optional<Dataset> cached = inFolder("cache " + cache, cache);
            if (cached.isPresent()) {
                return cached;
            }
        } catch (CorruptFileException e) {
            tried.add(e.file() + ": " + e.rule());
        }
        return download(cache) ? Optional.of(read(cache)) : Optional.empty();
    }

    /** Reads the folder of {@code --data}, which must hold everything. */
    Dataset inNamedFolder(Path folder) {
        return inFolder("--data " + folder, folder)
                .orElseThrow(() -> new FileException(
                        folder.toString(),
                        IdxFolder.missing(folder).orElse("incomplete"),
                        "fill it with the four gzipped IDX files of mnist"));
    }

    private Optional<Dataset> inFolder(String place, Path folder) {
        Optional<String> missing = IdxFolder.missing(folder);
        if (missing.isPresent()) {
            tried.add(place + ": " + missing.get());
            return Optional.empty();
        }
        return Optional.of(read(folder));
    }

    private Dataset read(Path folder) {
        return IdxFolder.read("mnist", folder, hashes, MEAN, STD);
    }

    /** Fills the cache; false, with reasons in {@link #tried}, if that is impossible. */
    private boolean download(Path cache) {
        try {
            Files.createDirectories(cache);
            // Two processes that resume the same part would mix their bytes.
            try (FileChannel lockFile = FileChannel.open(
                            cache.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = lockFile.tryLock()) {
                if (lock == null) {
                    tried.add("cache " + cache + ": another process is downloading into it");
                    return false;
                }
                long start = environment.nanoTime().getAsLong();
                for (URI mirror : environment.mirrors()) {
                    Duration left = PATIENCE.minusNanos(environment.nanoTime().getAsLong() - start);
                    if (left.isNegative() || left.isZero()) {
                        tried.add("download from " + mirror.getHost() + ": no time left");
                    } else if (downloadFrom(mirror, cache, left.compareTo(PER_MIRROR) < 0 ? left : PER_MIRROR)) {
                        return true;
                    }
                }
                return false;
            }
        } catch (OverlappingFileLockException e) {
            tried.add("cache " + cache + ": this process is already downloading into it");
            return false;
        } catch (IOException e) {
            tried.add("cache " + cache + " cannot be written: " + Idx.reason(e));
            return false;
        }
    }

    private boolean downloadFrom(URI mirror, Path cache, Duration patience) {
        for (int i = 0; i < IdxFolder.FILES.size(); i++) {
            String name = IdxFolder.FILES.get(i) + ".gz";
            Path target = cache.resolve(name);
            Path part = cache.resolve(name + ".part");
            try {
                if (Files.exists(target) && isGenuine(target, i)) {
                    continue;
                }
                environment.fetcher().fetch(mirror.resolve(name), part, DOWNLOAD_LIMIT, patience);
                if (!isGenuine(part, i)) {
                    Files.delete(part);
                    tried.add("download from " + mirror.getHost() + ": " + name + " has the wrong content");
                    return false;
                }
                Files.move(part, target, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
            } catch (IOException e) {
                tried.add("download from " + mirror.getHost() + ": " + Idx.reason(e));
                return false;
            }
        }
        return true;
    }

    private boolean isGenuine(Path file, int index) {
        try {
            Idx idx = index % 2 == 0 ? Idx.readImages(file) : Idx.readLabels(file);
            return idx.sha256().equals(hashes.get(index));
        } catch (CorruptFileException e) {
            return false;
        }
    }

    /** Fashion-MNIST from {@code --data}, $FASHION_MNIST_DIR or the system's package; it has no published hashes to check. */
    static Dataset fashion(DataEnvironment environment, Optional<Path> dir) {
        Path folder = dir.or(() -> environment.folder("FASHION_MNIST_DIR")).orElse(environment.systemFolder());
        Optional<String> missing = IdxFolder.missing(folder);
        if (missing.isPresent()) {
            throw new FileException(
                    folder.toString(),
                    missing.get(),
                    "run `apt install dataset-fashion-mnist`, or fill FASHION_MNIST_DIR with its four gzipped IDX files");
        }
        return IdxFolder.read("fashion-mnist", folder, List.of(), FASHION_MEAN, FASHION_STD);
    }
}
