package io.github.jcuconv.internal;

import io.github.jcuconv.FileException;
import io.github.jcuconv.io.AtomicFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * What was measured, kept in the user's cache: one file per kind of device and version of a library, whose first line names both, then one line per
 * problem. So the choices, on which bits depend, stay the same from process to process, and nothing is measured twice. Delete the file to measure
 * again. A file that is damaged or belongs to something else is passed over as a whole and replaced. Safe for use by several threads and processes.
 */
public final class MeasuredCache {
    private static final String SEPARATOR = "\t";

    private final Path file;
    private final String header;
    private final Consumer<String> warn;
    private final Map<String, String> known;
    private boolean unwritable;

    /**
     * Reads what is there.
     *
     * @param measuredOn device and version, in one line
     * @param warn gets one line if the file cannot be used, and one if it cannot be written
     */
    public MeasuredCache(Path folder, String measuredOn, Consumer<String> warn) {
        this.file = folder.resolve(measuredOn.replaceAll("[^A-Za-z0-9.]+", "-") + ".txt");
        this.header = "measured on " + measuredOn;
        this.warn = warn;
        this.known = read(warn);
    }

    /**
     * The one in the user's cache.
     *
     * @param kind name of the folder there
     */
    public static MeasuredCache of(String kind, String measuredOn, Consumer<String> warn) {
        return new MeasuredCache(NativeFolder.userCache().resolve(kind), measuredOn, warn);
    }

    /** What was found for a problem. */
    public synchronized Optional<String> get(String problem) {
        return Optional.ofNullable(known.get(problem));
    }

    /**
     * Keeps what was found for a problem.
     *
     * @param problem without tabs, in one line, like {@code found}
     */
    public synchronized void put(String problem, String found) {
        known.put(problem, found);
        Map<String, String> lines = read(unheard -> {});
        lines.put(problem, found);
        StringBuilder text = new StringBuilder(header).append('\n');
        lines.forEach(
                (key, value) -> text.append(key).append(SEPARATOR).append(value).append('\n'));
        try {
            AtomicFiles.writeString(file, text.toString());
        } catch (FileException e) {
            if (!unwritable) {
                warn.accept("what is measured is lost with this process: " + e.getMessage());
            }
            unwritable = true;
        }
    }

    private Map<String, String> read(Consumer<String> heard) {
        Map<String, String> lines = new TreeMap<>();
        try {
            List<String> all = Files.readAllLines(file);
            boolean whole = !all.isEmpty() && all.get(0).equals(header);
            for (String line : all.subList(Math.min(1, all.size()), all.size())) {
                int tab = line.indexOf(SEPARATOR);
                whole &= tab > 0 && lines.put(line.substring(0, tab), line.substring(tab + 1)) == null;
            }
            if (whole) {
                return lines;
            }
            heard.accept(file + " is damaged or of something else: measured again and replaced");
        } catch (NoSuchFileException e) {
            return lines;
        } catch (IOException | UncheckedIOException e) {
            heard.accept(file + " cannot be read, so everything is measured again: " + e.getMessage());
        }
        return new TreeMap<>();
    }
}
