package io.github.jcuconv.verify;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One line of a shape list: letters with numbers, then optionally a name, e.g. {@code n2c64h14w14k64r3s3pt1pb1pl1pr1 resnet:s3}. Text from
 * {@code #} on is a comment.
 *
 * @param source file, or what stands for it in messages
 * @param number line number, from 1
 * @param shape the letters and numbers as written
 * @param name what the shape is called; the shape itself if the line gives no name
 * @param values number of each key, in the order of the line
 */
public record ShapeLine(String source, int number, String shape, String name, Map<String, Integer> values) {
    private static final Pattern PAIR = Pattern.compile("([a-z]+)([0-9]{1,9})");

    /** Copies the map, order kept. */
    public ShapeLine {
        values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /**
     * Parses a line.
     *
     * @return empty for a blank line or a comment
     * @throws IllegalArgumentException naming source and line, for anything that is no pair of letters and a number, or a repeated key
     */
    public static Optional<ShapeLine> parse(String source, int number, String line) {
        int comment = line.indexOf('#');
        String[] words =
                (comment < 0 ? line : line.substring(0, comment)).strip().split("\\s+");
        if (words[0].isEmpty()) {
            return Optional.empty();
        }
        if (words.length > 2) {
            throw wrong(source, number, "a line holds a shape and at most one name, found " + words.length + " words");
        }
        String shape = words[0].toLowerCase(Locale.ROOT);
        Map<String, Integer> values = new LinkedHashMap<>();
        Matcher matcher = PAIR.matcher(shape);
        int end = 0;
        while (end < shape.length()) {
            if (!matcher.find(end) || matcher.start() != end) {
                throw wrong(
                        source,
                        number,
                        "letters and then a number of at most 9 digits expected at '" + shape.substring(end) + "'");
            }
            if (values.put(matcher.group(1), Integer.valueOf(matcher.group(2))) != null) {
                throw wrong(source, number, "key '" + matcher.group(1) + "' stands twice");
            }
            end = matcher.end();
        }
        return Optional.of(new ShapeLine(source, number, shape, words.length == 2 ? words[1] : shape, values));
    }

    /** The same with one more key. */
    public ShapeLine with(String key, int value) {
        Map<String, Integer> more = new LinkedHashMap<>(values);
        more.put(key, value);
        return new ShapeLine(source, number, shape + key + value, name, more);
    }

    /** The error for this line. */
    IllegalArgumentException wrong(String problem) {
        return wrong(source, number, problem);
    }

    private static IllegalArgumentException wrong(String source, int number, String problem) {
        return new IllegalArgumentException(source + ":" + number + ": " + problem);
    }
}
