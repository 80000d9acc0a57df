package io.github.jcuconv.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Words that no file of the repository may hold. The patterns are written so that this file does not match itself. */
class TrackedFilesTest {
    private static final String[] TEXT = {
        ".java",
        ".h",
        ".cuh",
        ".cu",
        ".cpp",
        ".txt",
        ".md",
        ".xml",
        ".config",
        ".py",
        ".sh",
        ".csv",
        ".yml",
        "jcuconv",
        "run",
        "run-gpu",
        "pack",
        ".gitignore"
    };

    private static final Map<String, Pattern> FORBIDDEN = Map.of(
            "a registry's host (the user's settings say where packages come from)",
            Pattern.compile(
                    "repo1?\\.mav[e]n|central\\.sonat[y]pe|registry\\.npm[j]s|py[p]i\\.org|pythonh[o]sted|deb\\.deb[i]an|crat[e]s\\.io"),
            "a path of one machine",
            Pattern.compile("(?<![\\w.~/$}-])/(wo[r]k|ro[o]t|home/[a-z]+)/"),
            "an unfinished thought",
            Pattern.compile("\\b(TO[D]O|FIX[M]E|X[X]X)\\b"));

    @Test
    void no_forbidden_words() {
        List<Path> files = SourceTree.files(Path.of(""), TEXT);
        assertTrue(files.size() > 50, "found " + files.size() + " files only");
        List<String> found = new ArrayList<>();
        for (Path file : files) {
            String text = SourceTree.read(file);
            FORBIDDEN.forEach((what, pattern) -> {
                Matcher matcher = pattern.matcher(text);
                if (matcher.find()) {
                    found.add(file + " holds " + what + ": " + matcher.group());
                }
            });
        }
        assertEquals(List.of(), found);
    }
}
