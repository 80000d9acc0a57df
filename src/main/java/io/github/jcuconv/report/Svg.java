package io.github.jcuconv.report;

import java.util.Locale;

/** An SVG picture being written, to stand inside of a page: it names no namespace, which HTML does not need. */
final class Svg {
    private final StringBuilder text = new StringBuilder();

    Svg(int width, int height) {
        add("<svg viewBox=\"0 0 %d %d\" width=\"%1$d\" height=\"%2$d\" font-size=\"12\">", width, height);
    }

    /** Adds elements. */
    Svg add(String format, Object... values) {
        text.append(String.format(Locale.ROOT, format, values)).append('\n');
        return this;
    }

    /** Adds words at a place; the anchor is start, middle or end. */
    Svg words(double x, double y, String anchor, String words) {
        return add("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%s</text>", x, y, anchor, escaped(words));
    }

    /** The whole element. */
    String done() {
        return text + "</svg>\n";
    }

    /** Text as markup. */
    static String escaped(String words) {
        return words.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
