package io.github.jcuconv.data;

import java.util.ArrayList;
import java.util.List;

/**
 * The pen strokes of the ten digits, in several handwritings each.
 *
 * <p>A glyph is text: strokes divided by {@code |}, points {@code x,y} in percent of the height, y down, x in 0..60. A
 * stroke of two points is straight; a longer one is a smooth curve (Catmull-Rom) through its points.
 */
final class DigitStrokes {
    private static final String[][] GLYPHS = {
        {
            "30,0 8,15 0,50 8,85 30,100 52,85 60,50 52,15 30,0",
            "34,0 14,14 8,48 12,84 28,100 44,86 50,52 46,16 34,0",
            "42,4 14,12 2,46 10,84 30,100 54,78 58,38 40,8 20,2"
        },
        {"30,0 30,100", "8,26 32,0|32,0 32,100", "10,20 30,0|30,0 30,100|8,100 52,100", "38,0 22,100"},
        {
            "4,22 14,5 32,0 52,10 56,30 44,52 22,76 2,98|2,98 60,98",
            "5,20 20,2 45,4 54,24 42,55 15,90 3,88 12,76 30,86 58,96",
            "2,14 26,0 50,14 46,42 20,70 4,96|4,96 30,92 58,98"
        },
        {
            "5,10 25,0 48,6 52,26 40,42 22,47|22,47 46,52 58,72 48,94 24,100 2,90",
            "4,2 54,2|54,2 24,40|24,40 48,48 58,70 46,94 22,100 2,90",
            "4,16 24,0 48,10 46,34 24,46 50,58 54,84 30,100 2,88"
        },
        {"6,0 4,30 8,52|8,52 58,50|50,0 46,100", "44,0 2,64|2,64 60,64|44,0 44,100", "40,0 0,66|0,66 60,66|44,34 42,100"
        },
        {
            "52,2 10,2|10,2 6,42|6,42 28,36 50,46 56,68 46,92 22,100 2,90",
            "50,0 14,4 10,40 36,38 54,56 50,84 28,100 4,92",
            "56,4 16,0|16,0 10,46|10,46 40,42 54,62 44,92 6,98"
        },
        {
            "46,2 20,22 4,56 6,84 28,100 50,92 56,70 42,54 20,58 6,76",
            "34,0 10,36 2,70 14,96 38,98 52,80 44,60 24,58 6,74",
            "54,6 28,4 8,30 2,68 16,96 42,96 54,74 38,54 14,60 4,80"
        },
        {
            "2,2 58,2|58,2 22,100",
            "2,6 56,2|56,2 36,40 26,100",
            "2,2 58,2|58,2 22,100|14,52 54,48",
            "4,18 6,2|6,2 58,4|58,4 28,100"
        },
        {
            "30,48 8,34 10,10 30,0 50,10 52,34 30,48|30,48 4,64 4,90 30,100 56,90 56,64 30,48",
            "52,12 30,0 8,14 14,36 44,60 54,84 30,100 6,84 16,60 46,34 52,12",
            "30,44 14,34 14,10 32,2 48,12 46,34 30,44 6,62 6,88 30,100 54,88 52,62 30,44"
        },
        {
            "54,24 36,46 12,42 4,20 22,0 46,4 54,24|54,24 52,60 40,100",
            "52,4 28,0 6,16 10,40 32,46 52,28|54,2 50,100",
            "54,24 36,46 12,42 4,20 22,0 46,4 54,24|54,24 54,66 42,94 16,98"
        }
    };

    private static final List<List<float[][]>> PARSED = parse();

    private DigitStrokes() {}

    /** The handwritings of a digit; each is an array of strokes, a stroke being x0 y0 x1 y1 ... in units of the height. */
    static List<float[][]> of(int digit) {
        return PARSED.get(digit);
    }

    private static List<List<float[][]>> parse() {
        List<List<float[][]>> digits = new ArrayList<>();
        for (String[] glyphs : GLYPHS) {
            List<float[][]> parsed = new ArrayList<>();
            for (String glyph : glyphs) {
                String[] strokes = glyph.split("\\|", -1);
                float[][] points = new float[strokes.length][];
                for (int s = 0; s < strokes.length; s++) {
                    String[] numbers = strokes[s].split("[ ,]", -1);
                    points[s] = new float[numbers.length];
                    for (int i = 0; i < numbers.length; i++) {
                        // The middle of the box (30, 50) becomes the origin.
                        points[s][i] = (Integer.parseInt(numbers[i]) - (i % 2 == 0 ? 30 : 50)) / 100f;
                    }
                }
                parsed.add(points);
            }
            digits.add(List.copyOf(parsed));
        }
        return List.copyOf(digits);
    }
}
