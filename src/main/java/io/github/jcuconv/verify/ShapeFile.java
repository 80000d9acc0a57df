package io.github.jcuconv.verify;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Reads shape lists. */
public final class ShapeFile {
    private ShapeFile() {}

    /**
     * The lines of a list.
     *
     * @param fileOrShape a file, or one shape line itself
     * @throws FileException if it is neither
     * @throws IllegalArgumentException naming file and line, if a line is wrong
     */
    public static List<ShapeLine> read(String fileOrShape) {
        Path path;
        try {
            path = Path.of(fileOrShape);
        } catch (InvalidPathException e) {
            throw new FileException(fileOrShape, "is no file name", "give a shape list or one shape line");
        }
        if (!Files.exists(path) && fileOrShape.matches("n[0-9].*|count[0-9]+.*")) {
            return parse("--shapes", List.of(fileOrShape));
        }
        if (!Files.isRegularFile(path)) {
            throw new FileException(fileOrShape, "is no file", "give a shape list or one shape line");
        }
        try {
            return parse(fileOrShape, Files.readAllLines(path));
        } catch (CharacterCodingException e) {
            throw new CorruptFileException(fileOrShape, "a shape list is UTF-8 text", "check the file");
        } catch (IOException e) {
            throw new FileException(fileOrShape, "cannot be read: " + e.getMessage(), "check the file's permissions");
        }
    }

    /** The shapes among these lines. */
    public static List<ShapeLine> parse(String source, List<String> lines) {
        List<ShapeLine> shapes = new ArrayList<>();
        for (int i = 0; i < lines.size(); i++) {
            ShapeLine.parse(source, i + 1, lines.get(i)).ifPresent(shapes::add);
        }
        return shapes;
    }
}
