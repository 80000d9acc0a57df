package io.github.jcuconv.cli;

import io.github.jcuconv.models.Models;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/** Messages about names that nobody knows. */
final class Names {
    private Names() {}

    /** One line: what is unknown, what there is, and which of these was probably meant. */
    static String unknown(String what, String name, Collection<String> known) {
        String nearest = "";
        int least = Math.max(2, name.length() / 2) + 1;
        for (String candidate : known) {
            int distance = distance(name, candidate);
            if (distance < least) {
                least = distance;
                nearest = candidate;
            }
        }
        return what + " " + name + ": unknown; there are " + String.join(", ", known)
                + (nearest.isEmpty() ? "" : "; did you mean " + nearest + "?");
    }

    /** Refuses a name that is not among those known. */
    static String require(String what, String name, Collection<String> known) {
        if (!known.contains(name)) {
            throw new IllegalArgumentException(unknown(what, name, known));
        }
        return name;
    }

    /** The constant of that name in lower case. */
    static <E extends Enum<E>> E constant(String what, String name, E[] all) {
        List<String> names =
                Arrays.stream(all).map(e -> e.name().toLowerCase(Locale.ROOT)).toList();
        return all[names.indexOf(require(what, name, names))];
    }

    /** Refuses an unknown model. */
    static String model(String name) {
        return require("--model", name, Models.names());
    }

    /** Levenshtein's distance. */
    static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, Math.min(row[j], row[j - 1]) + 1);
            }
        }
        return row[b.length()];
    }
}
