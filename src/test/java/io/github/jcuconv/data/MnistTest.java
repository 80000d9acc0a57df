package io.github.jcuconv.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The look-up with a network made of a map; four tiny files stand for MNIST. */
class MnistTest {
    private static final URI A = URI.create("http://a.invalid/mnist/");
    private static final URI B = URI.create("http://b.invalid/mnist/");

    @TempDir
    Path folder;

    private final List<byte[]> plain = List.of(
            IdxTest.idx(0x803, new int[] {3, 4, 4}, IdxTest.ramp(48)),
            IdxTest.idx(0x801, new int[] {3}, IdxTest.ramp(3)),
            IdxTest.idx(0x803, new int[] {2, 4, 4}, IdxTest.ramp(32)),
            IdxTest.idx(0x801, new int[] {2}, IdxTest.ramp(2)));
    private final List<String> hashes = plain.stream()
            .map(bytes -> HexFormat.of().formatHex(Hashes.sha256().digest(bytes)))
            .toList();
    private final Map<String, String> variables = new HashMap<>();
    private final Map<URI, byte[]> network = new HashMap<>();
    private final List<URI> asked = new ArrayList<>();
    private final List<Duration> patiences = new ArrayList<>();
    private long now;
    private long costOfFailure = 1;
    private Path cache = Path.of("unset");

    @BeforeEach
    void home() {
        cache = folder.resolve(".cache/jcuconv/mnist");
    }

    private DataEnvironment environment() {
        Fetcher fetcher = (source, part, limit, patience) -> {
            asked.add(source);
            patiences.add(patience);
            byte[] content = network.get(source);
            if (content == null) {
                now += costOfFailure;
                throw new IOException("unreachable");
            }
            Files.write(part, content);
        };
        return new DataEnvironment(variables::get, folder, folder.resolve("system"), List.of(A, B), fetcher, () -> now);
    }

    private Dataset load() {
        return Datasets.load("mnist", Optional.empty(), environment(), hashes);
    }

    private Path fill(Path target) throws IOException {
        Files.createDirectories(target);
        for (int i = 0; i < 4; i++) {
            Files.write(target.resolve(IdxFolder.FILES.get(i) + ".gz"), IdxTest.gzip(plain.get(i)));
        }
        return target;
    }

    private void serve(URI mirror) throws IOException {
        for (int i = 0; i < 4; i++) {
            network.put(mirror.resolve(IdxFolder.FILES.get(i) + ".gz"), IdxTest.gzip(plain.get(i)));
        }
    }

    private String failure() {
        String message = assertThrows(FileException.class, this::load).getMessage();
        assertFalse(message.contains("\n"), message);
        assertTrue(message.contains("fill " + cache), message);
        return message;
    }

    @Test
    void theFolderOfTheVariableWinsOverCacheAndNetwork() throws IOException {
        variables.put("MNIST_DIR", fill(folder.resolve("named")).toString());
        Dataset data = load();
        assertEquals("mnist", data.name());
        assertEquals(3, data.train().count());
        assertEquals(2, data.test().count());
        assertEquals(List.of(), asked);
    }

    @Test
    void theArgumentWinsOverTheVariableAndIsNeverReplaced() throws IOException {
        variables.put("MNIST_DIR", fill(folder.resolve("named")).toString());
        Optional<Path> empty = Optional.of(Files.createDirectory(folder.resolve("empty")));
        String message = assertThrows(FileException.class, () -> Datasets.load("mnist", empty, environment(), hashes))
                .getMessage();
        assertTrue(message.contains("empty") && message.contains("no train-images-idx3-ubyte.gz in it"), message);
        assertThrows(FileException.class, () -> Datasets.mnistOrDigits(empty, environment(), hashes));
    }

    @Test
    void plainFilesServeAsWellAsGzippedOnes() throws IOException {
        for (int i = 0; i < 4; i++) {
            Files.write(folder.resolve(IdxFolder.FILES.get(i)), plain.get(i));
        }
        assertEquals(
                3,
                Datasets.load("mnist", Optional.of(folder), environment(), hashes)
                        .train()
                        .count());
    }

    @Test
    void aFullCacheNeedsNoNetwork() throws IOException {
        fill(cache);
        load();
        assertEquals(List.of(), asked);
    }

    @Test
    void theCacheFollowsXdgUnlessItIsRelative() throws IOException {
        variables.put("XDG_CACHE_HOME", folder.resolve("xdg").toString());
        fill(folder.resolve("xdg/jcuconv/mnist"));
        load();
        variables.put("XDG_CACHE_HOME", "relative");
        assertTrue(environment().cache().startsWith(folder.resolve(".cache")));
    }

    @Test
    void aFileOfOtherContentInANamedFolderIsAnError() throws IOException {
        Path named = fill(folder.resolve("named"));
        Files.write(
                named.resolve("t10k-labels-idx1-ubyte.gz"),
                IdxTest.gzip(IdxTest.idx(0x801, new int[] {2}, new byte[] {5, 5})));
        variables.put("MNIST_DIR", named.toString());
        String message = assertThrows(CorruptFileException.class, this::load).getMessage();
        assertTrue(message.contains("t10k-labels-idx1-ubyte.gz") && message.contains("SHA-256"), message);
    }

    @Test
    void downloadsIntoTheCacheOnceAndLeavesNoParts() throws IOException {
        serve(A);
        load();
        assertEquals(4, asked.size());
        try (var files = Files.list(cache)) {
            assertTrue(files.noneMatch(f -> f.toString().endsWith(".part")));
        }
        load();
        assertEquals(4, asked.size());
    }

    @Test
    void theSecondMirrorServesWhenTheFirstDoesNot() throws IOException {
        serve(B);
        load();
        assertEquals(5, asked.size());
    }

    @Test
    void aMirrorWithWrongContentIsPassedOverAndItsFileDiscarded() throws IOException {
        serve(A);
        serve(B);
        network.put(A.resolve("train-labels-idx1-ubyte.gz"), new byte[] {1, 2, 3});
        load();
        assertEquals(3, asked.stream().filter(u -> u.getHost().startsWith("b")).count());

        network.keySet().removeIf(u -> u.getHost().startsWith("b"));
        Files.delete(cache.resolve("train-labels-idx1-ubyte.gz"));
        assertTrue(failure().contains("train-labels-idx1-ubyte.gz has the wrong content"));
        assertFalse(Files.exists(cache.resolve("train-labels-idx1-ubyte.gz.part")));
    }

    @Test
    void aDamagedCacheIsRepairedFromTheNetwork() throws IOException {
        fill(cache);
        Files.write(cache.resolve("train-labels-idx1-ubyte.gz"), new byte[] {1, 2, 3});
        String message = failure();
        assertTrue(message.contains("magic") || message.contains("truncated"), message);
        serve(A);
        asked.clear();
        load();
        assertEquals(List.of(A.resolve("train-labels-idx1-ubyte.gz")), asked);
    }

    @Test
    void withoutANetworkTheLineNamesEveryPlaceAndTheFolderToFill() {
        String message = failure();
        assertTrue(message.contains("MNIST_DIR is not set"), message);
        assertTrue(message.contains("a.invalid: unreachable") && message.contains("b.invalid: unreachable"), message);
    }

    @Test
    void noMoreThanTenSecondsAreSpentOnUnreachableMirrors() {
        costOfFailure = Duration.ofSeconds(7).toNanos();
        failure();
        assertEquals(List.of(Duration.ofSeconds(5), Duration.ofSeconds(3)), patiences);
        patiences.clear();
        costOfFailure = Duration.ofSeconds(12).toNanos();
        assertTrue(failure().contains("no time left"));
        assertEquals(1, patiences.size());
    }

    @Test
    void aCacheThatCannotBeWrittenIsNamed() throws IOException {
        Files.write(folder.resolve(".cache"), new byte[1]);
        serve(A);
        String message = failure();
        assertTrue(message.contains("cannot be written"), message);
        assertEquals(List.of(), asked);
    }

    @Test
    void digitsTakeMnistsPlaceAndSayWhy() {
        Datasets.Found found = Datasets.mnistOrDigits(Optional.empty(), environment(), hashes);
        assertEquals("digits", found.data().name());
        assertTrue(found.reason().orElseThrow().contains("unreachable"));
    }

    @Test
    void fashionMnistComesFromArgumentThenVariableThenPackage() throws IOException {
        String message = assertThrows(
                        FileException.class,
                        () -> Datasets.load("fashion-mnist", Optional.empty(), environment(), hashes))
                .getMessage();
        assertTrue(message.contains("apt install dataset-fashion-mnist"), message);
        fill(folder.resolve("system"));
        assertEquals(
                "fashion-mnist",
                Datasets.load("fashion-mnist", Optional.empty(), environment(), hashes)
                        .name());
        variables.put("FASHION_MNIST_DIR", folder.resolve("nowhere").toString());
        assertThrows(
                FileException.class, () -> Datasets.load("fashion-mnist", Optional.empty(), environment(), hashes));
    }

    @Test
    void unknownNamesListTheKnownOnes() {
        String message = assertThrows(
                        IllegalArgumentException.class,
                        () -> Datasets.load("cifar", Optional.empty(), environment(), hashes))
                .getMessage();
        assertTrue(message.contains("cifar") && message.contains("fashion-mnist"), message);
    }
}
