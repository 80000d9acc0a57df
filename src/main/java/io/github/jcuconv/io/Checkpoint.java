package io.github.jcuconv.io;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A saved model: a folder with {@code model.json} (the caller's configuration; name, bytes and SHA-256 of the weights) and
 * one {@code weights-STEP.safetensors}.
 *
 * <p>The weights are written first and under a new name, {@code model.json} is replaced last: whenever the writer is
 * killed, the folder holds the old model or the new one, whole. One writer per folder at a time; a reader must not run
 * beside it.
 */
public final class Checkpoint implements AutoCloseable {
    /** The file that makes a folder a checkpoint. */
    public static final String MODEL = "model.json";

    private static final long FORMAT = 1;
    private static final Pattern WEIGHTS = Pattern.compile("weights-\\d{1,19}(\\.\\d{1,9})?\\.safetensors");

    private final Map<String, Object> config;
    private final Safetensors weights;

    private Checkpoint(Map<String, Object> config, Safetensors weights) {
        this.config = config;
        this.weights = weights;
    }

    /** What the caller saved beside the weights, as {@link Json} reads it. */
    public Map<String, Object> config() {
        return config;
    }

    /** The tensors, open until this checkpoint is closed. */
    public Safetensors weights() {
        return weights;
    }

    @Override
    public void close() {
        weights.close();
    }

    /** Whether a folder holds a checkpoint, whole or not. */
    public static boolean exists(Path folder) {
        return Files.exists(folder.resolve(MODEL));
    }

    /**
     * Saves a model, replacing the one in the folder.
     *
     * @param folder made if missing
     * @param step the training step, part of the weights' file name, at least 0
     * @param config anything that {@link Json} can write
     * @param tensors written in this order
     * @return SHA-256 (hex) of the weights file
     * @throws FileException if the folder cannot be written; the checkpoint that was there stays loadable
     * @throws IllegalArgumentException if {@code config} has a value without a JSON form, or tensors share a name
     */
    public static String save(Path folder, long step, Map<String, ?> config, List<NamedTensor> tensors) {
        if (step < 0) {
            throw new IllegalArgumentException("step " + step + " must be at least 0");
        }
        // Found out before anything is written.
        Json.write(config);
        Path file = unusedName(folder, step);
        MessageDigest digest = sha256();
        try {
            AtomicFiles.write(file, out -> writeWeights(out, digest, tensors));
            String hash = HexFormat.of().formatHex(digest.digest());
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("file", file.getFileName().toString());
            entry.put("bytes", Files.size(file));
            entry.put("sha256", hash);
            Map<String, Object> model = new LinkedHashMap<>();
            model.put("format", FORMAT);
            model.put("weights", entry);
            model.put("config", config);
            AtomicFiles.writeString(folder.resolve(MODEL), Json.write(model));
            removeOthers(folder, file);
            return hash;
        } catch (IOException e) {
            throw new FileException(
                    folder.toString(), "cannot be written: " + AtomicFiles.reason(e), "choose another folder", e);
        }
    }

    private static void writeWeights(OutputStream out, MessageDigest digest, List<NamedTensor> tensors)
            throws IOException {
        digest.reset();
        OutputStream digesting = new DigestOutputStream(out, digest);
        Safetensors.write(digesting, Map.of(), tensors);
    }

    /** A name that no file has: the weights that model.json names must stay as they are until it names others. */
    private static Path unusedName(Path folder, long step) {
        Path file = folder.resolve("weights-" + step + ".safetensors");
        for (int i = 1; Files.exists(file); i++) {
            file = folder.resolve("weights-" + step + "." + i + ".safetensors");
        }
        return file;
    }

    private static void removeOthers(Path folder, Path current) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                if (WEIGHTS.matcher(name).matches() && !file.getFileName().equals(current.getFileName())) {
                    Files.deleteIfExists(file);
                }
            }
        }
    }

    /**
     * Opens a saved model after comparing its weights with the hash in {@code model.json}.
     *
     * @throws FileException if the folder or a file is missing or cannot be read
     * @throws CorruptFileException if a file is broken or the weights are not those that were saved
     */
    public static Checkpoint load(Path folder) {
        Path modelFile = folder.resolve(MODEL);
        Map<String, Object> model = Json.read(modelFile);
        if (!(model.get("format") instanceof Long format) || format != FORMAT) {
            throw corrupt(modelFile, "its format must be " + FORMAT);
        }
        if (!(model.get("config") instanceof Map<?, ?> config)
                || !(model.get("weights") instanceof Map<?, ?> entry)
                || !(entry.get("file") instanceof String name)
                || !(entry.get("bytes") instanceof Long bytes)
                || !(entry.get("sha256") instanceof String hash)) {
            throw corrupt(modelFile, "it must have config and weights with file, bytes and sha256");
        }
        // Also keeps a hostile file from naming one outside the folder.
        if (!WEIGHTS.matcher(name).matches()) {
            throw corrupt(modelFile, "its weights file must be called weights-STEP.safetensors");
        }
        Path weightsFile = folder.resolve(name);
        requireContent(weightsFile, bytes, hash);
        Map<String, Object> values = new LinkedHashMap<>();
        config.forEach((key, value) -> values.put(String.valueOf(key), value));
        return new Checkpoint(Collections.unmodifiableMap(values), Safetensors.open(weightsFile));
    }

    private static void requireContent(Path file, long bytes, String hash) {
        try (InputStream in = Files.newInputStream(file)) {
            if (Files.size(file) != bytes) {
                throw corrupt(file, "it has " + Files.size(file) + " bytes, but " + MODEL + " says " + bytes);
            }
            MessageDigest digest = sha256();
            byte[] buffer = new byte[1 << 16];
            int n;
            while ((n = in.read(buffer)) > 0) {
                digest.update(buffer, 0, n);
            }
            if (!HexFormat.of().formatHex(digest.digest()).equals(hash)) {
                throw corrupt(file, "its SHA-256 is not the one in " + MODEL);
            }
        } catch (IOException e) {
            throw AtomicFiles.unreadable(file, e);
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    private static CorruptFileException corrupt(Path file, String rule) {
        return SafetensorsHeader.corrupt(file.toString(), rule);
    }
}
