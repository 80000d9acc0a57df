package io.github.jcuconv.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.Engine;
import io.github.jcuconv.data.Dataset;
import io.github.jcuconv.data.Split;
import io.github.jcuconv.nn.Layer;
import io.github.jcuconv.nn.Network;
import io.github.jcuconv.nn.Optimizer;
import io.github.jcuconv.nn.Precision;
import io.github.jcuconv.nn.Schedule;
import io.github.jcuconv.nn.Trainer;
import io.github.jcuconv.nn.TrainerConfig;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class ReportTest {
    private static final String PNG = "data:image/png;base64,";

    private static Document parse(String markup) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(markup.getBytes(StandardCharsets.UTF_8)));
    }

    private static int[] read(String uri) throws IOException {
        assertTrue(uri.startsWith(PNG), uri);
        byte[] png = Base64.getDecoder().decode(uri.substring(PNG.length()));
        BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
        int[] rgb = image.getRGB(0, 0, image.getWidth(), image.getHeight(), null, 0, image.getWidth());
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] &= 0xffffff;
        }
        return rgb;
    }

    /** Java's own decoder is the oracle; noise does not get smaller, a plain colour does. */
    @ParameterizedTest
    @CsvSource({"1,1", "7,5", "300,211"})
    void pictures_hold_their_pixels(int width, int height) throws IOException {
        Random random = new Random(width);
        int[] noise = new int[width * height];
        for (int i = 0; i < noise.length; i++) {
            noise[i] = random.nextInt(1 << 24);
        }
        assertArrayEquals(noise, read(Picture.uri(noise, width)));
        assertArrayEquals(new int[noise.length], read(Picture.uri(new int[noise.length], width)));
    }

    /** Images of one pixel whose value says what the network below takes them for. */
    private static Dataset data(int... found) {
        byte[] pixels = new byte[found.length];
        byte[] labels = new byte[found.length];
        for (int i = 0; i < found.length; i++) {
            pixels[i] = (byte) found[i];
            labels[i] = (byte) (i % 3);
        }
        Split split = Split.of(pixels, labels, 1, 1, 1);
        return new Dataset("pixels", split, split, 3, 0, 1f / 255);
    }

    @Test
    void counts_what_is_taken_for_what_and_shows_the_surest_first() throws Exception {
        // Labels 0 1 2 0 1 2 0; a batch of 3 leaves padding behind the last image.
        Dataset data = data(0, 1, 2, 0, 2, 0, 1);
        Confusion confusion = new Confusion(
                data,
                x -> {
                    float[] scores = new float[9];
                    for (int i = 0; i < 3; i++) {
                        int found = Math.round(x[i]);
                        scores[3 * i + found] = 1 + found;
                    }
                    return scores;
                },
                3);
        assertEquals(3, confusion.mistakes());
        StringBuilder seen = new StringBuilder();
        var titles = parse(confusion.matrix()).getElementsByTagName("title");
        for (int i = 0; i < titles.getLength(); i++) {
            seen.append(titles.item(i).getTextContent()).append('\n');
        }
        assertEquals(
                """
                0 taken for 0: 2 of 3
                0 taken for 1: 1 of 3
                0 taken for 2: 0 of 3
                1 taken for 0: 0 of 2
                1 taken for 1: 1 of 2
                1 taken for 2: 1 of 2
                2 taken for 0: 1 of 2
                2 taken for 1: 0 of 2
                2 taken for 2: 1 of 2
                """,
                seen.toString());
        var worst = parse("<p>" + confusion.worst() + "</p>").getElementsByTagName("figcaption");
        // e^3 / (e^3 + 2), e^2 / (e^2 + 2), e / (e + 2)
        String[] expected = {"1, taken for 290.9 %image 4", "0, taken for 178.7 %image 6", "2, taken for 057.6 %image 5"
        };
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], worst.item(i).getTextContent());
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {1e-12, 0.3, 1, 99.5, 1e9})
    void curves_stay_in_their_frame(double most) throws Exception {
        for (int points : new int[] {1, 2, 500}) {
            Curve curve = new Curve(0);
            for (int i = 0; i < points; i++) {
                curve.add(2.5 + i * 0.1, most * i / points);
            }
            String svg = curve.svg("#000");
            parse(svg);
            Matcher polyline = Pattern.compile("polyline points=\"([^\"]*)\"").matcher(svg);
            assertTrue(polyline.find());
            String[] all = polyline.group(1).split(" ");
            assertEquals(points, all.length);
            double before = Double.POSITIVE_INFINITY;
            for (String point : all) {
                String[] xy = point.split(",");
                double x = Double.parseDouble(xy[0]);
                double y = Double.parseDouble(xy[1]);
                assertTrue(x >= 50 && x <= 455 && y >= 15 && y <= 240, svg);
                assertTrue(y <= before, "it must rise: " + svg);
                before = y;
            }
        }
    }

    /** Three channels: the filters are in colour, and each colour is the number on a line from the least (0) to the largest possible (255). */
    @Test
    void pages_show_filters_of_colour_images() throws Exception {
        byte[] pixels = new byte[6 * 3 * 8 * 8];
        new Random(3).nextBytes(pixels);
        Split split = Split.of(pixels, new byte[] {0, 1, 0, 1, 0, 1}, 3, 8, 8);
        Network network = Network.input("rgb", 3, 8, 8)
                .add("conv", Layer.conv(4, 3))
                .add("fc", Layer.dense(2))
                .build();
        TrainerConfig config =
                new TrainerConfig(2, Precision.FP32, Optimizer.sgd(0), new Schedule.Constant(1e-3f), 1, 1);
        TrainingReport report = new TrainingReport(new Dataset("<rgb>", split, split, 2, 0, 1));
        float[] w;
        try (Engine engine = Engine.open("reference");
                Trainer trainer = new Trainer(network, engine, config)) {
            report.finish(network, trainer, 2);
            w = Objects.requireNonNull(trainer.parameters().get("conv.weight"));
        }
        String html = report.html("a < b & \"c\"", Map.of("fact", "<td>"));
        Document page = parse(html);
        assertEquals("a < b & \"c\"", page.getElementsByTagName("title").item(0).getTextContent());
        assertEquals(4, page.getElementsByTagName("h2").getLength(), "no curves without a step");
        assertEquals(4, page.getElementsByTagName("image").getLength());
        for (int k = 0; k < 4; k++) {
            String uri = ((Element) page.getElementsByTagName("image").item(k)).getAttribute("href");
            int[] rgb = read(uri);
            float most = 0;
            for (int i = 27 * k; i < 27 * (k + 1); i++) {
                most = Math.max(most, Math.abs(w[i]));
            }
            for (int i = 0; i < 27; i++) {
                int shown = rgb[i % 9] >> 8 * (2 - i / 9) & 0xff;
                assertEquals(127.5 * (1 + w[27 * k + i] / most), shown, 0.51, "filter " + k + ", number " + i);
            }
        }
    }

    @Test
    void text_cannot_become_markup() {
        assertEquals("&lt;a b=&quot;c&quot;&gt; &amp;amp;", Svg.escaped("<a b=\"c\"> &amp;"));
    }
}
