package io.github.jcuconv.results;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tables and charts are made from the rows, each from one run, and the READMEs hold the newest. */
class ReportTest {
    private static final Path RESULTS = Path.of("benchmarks/results");
    private static final boolean WRITE = "write".equals(System.getProperty("jcuconv.readme"));
    private static final String NAMES =
            "run,commit,gpu,driver,sm_mhz,layer,name,op,shape,pass,precision,engine,algorithm,microseconds,cold_microseconds,gflops,gigabytes_per_second,workspace_bytes,note\n";

    @TempDir
    private Path temp;

    @Test
    void readme_and_charts_are_those_of_the_rows() throws IOException {
        Report report = new Report(RESULTS);
        for (Map.Entry<String, String> part : report.parts.entrySet()) {
            compare(Path.of("benchmarks/README.md"), part.getKey(), part.getValue());
        }
        compare(Path.of("README.md"), "cpu-peers", String.valueOf(report.parts.get("cpu-peers")));
        for (Map.Entry<Path, String> chart : report.charts.entrySet()) {
            if (WRITE) {
                Files.writeString(chart.getKey(), chart.getValue());
            }
            assertEquals(chart.getValue(), Files.readString(chart.getKey()), chart.getKey() + " is stale");
        }
    }

    private static void compare(Path file, String part, String wanted) throws IOException {
        String begin = "<!-- " + part + ": begin -->\n";
        String text = Files.readString(file);
        int from = text.indexOf(begin) + begin.length();
        int to = text.indexOf("<!-- " + part + ": end -->");
        assertTrue(from >= begin.length() && to >= from, file + " lacks the markers of " + part);
        if (WRITE) {
            Files.writeString(file, text.substring(0, from) + wanted + text.substring(to));
        } else {
            assertEquals(
                    wanted, text.substring(from, to), "renew it: mvn test -Dtest=ReportTest -Djcuconv.readme=write");
        }
    }

    @Test
    void a_table_holds_the_newest_run_of_a_committed_tree_alone() throws IOException {
        shapes(
                "2026-01-01-shapes.csv",
                row("2026-01-01T10:00:00Z,aaaaaaa", "1", "fprop", "fp16", "cuda", 5),
                row("2026-01-01T12:00:00Z,bbbbbbb", "1", "fprop", "fp16", "cuda", 10),
                row("2026-01-01T12:00:00Z,bbbbbbb", "1", "fprop", "fp16", "cudnn", 20),
                row("2026-01-01T12:00:00Z,bbbbbbb", "2", "fprop", "fp16", "cuda", 10),
                row("2026-01-01T12:00:00Z,bbbbbbb", "2", "fprop", "fp16", "cudnn", 5),
                row("2026-01-01T12:00:00Z,bbbbbbb", "2", "fprop", "fp16", "torch", 40),
                row("2026-01-01T12:00:00Z,bbbbbbb", "1", "dgrad", "fp16", "cuda", 10),
                row("2026-01-01T10:00:00Z,aaaaaaa", "1", "dgrad", "fp16", "cudnn", 1),
                row("2026-01-01T14:00:00Z,ddddddd-dirty", "1", "dgrad", "fp16", "cuda", 1));
        Report report = new Report(temp);
        // 2 and 1/2 are 1 in the geometric mean; the dgrad beside it was timed in another run.
        assertEquals(
                """
                `gpu`, 2026-01-01, commit bbbbbbb, driver 580.1:

                | layers | precision | passes timed | x cuDNN's best | least | x JCudnn | x PyTorch |
                |---|---|---:|---:|---:|---:|---:|
                | grouped | fp16 | 3 | 1.00 | 0.50 | 1.00 | 4.00 |
                """,
                report.parts.get("gpu-layers"));
        assertEquals(
                """
                `gpu`, 2026-01-01, commit bbbbbbb, driver 580.1:

                1 passes are slower than cuDNN's best:

                | pass | precision | x cuDNN's best | which is | TFLOP/s |
                |---|---|---:|---|---:|
                | layer 2, fprop | fp16 | 0.50 | cudnn: a | 2.0 |
                """,
                report.parts.get("gpu-behind"));
        assertTrue(report.parts.get("gpu-charts").contains("](results/gpu/ratios.svg)"));
        assertEquals("not run: `run-gpu` has met no GPU yet\n", report.parts.get("gpu-mnist"));
    }

    @Test
    void charts_are_xml_with_a_dot_for_each_pass() throws Exception {
        shapes(
                "2026-01-01-shapes.csv",
                row("2026-01-01T12:00:00Z,bbbbbbb", "1 <a>", "fprop", "fp16", "cuda", 10),
                row("2026-01-01T12:00:00Z,bbbbbbb", "1 <a>", "fprop", "fp16", "cudnn", 20),
                row("2026-01-01T12:00:00Z,bbbbbbb", "2", "fprop", "fp32", "cuda", 10));
        Report report = new Report(temp);
        int legend = 3;
        assertEquals(legend + 2, dots(report.charts.get(temp.resolve("gpu/roofline.svg"))));
        assertEquals(legend + 1, dots(report.charts.get(temp.resolve("gpu/ratios.svg"))));
    }

    @Test
    void trainings_stand_beside_each_other() throws IOException {
        write(
                "2026-01-02-mnist.csv",
                "run,commit,gpu,driver,sm_mhz,library,mode,precision,epochs,test_accuracy,seconds,images_per_second,predicted_bytes,measured_bytes\n",
                "2026-01-02T12:00:00Z,ccccccc,H,1,1,JCuConv cuda,mnist-cnn,fp16,3,0.9913,1.50,120000,1048576,1048576\n",
                "2026-01-02T12:00:00Z,ccccccc,H,1,1,PyTorch 2.11,graph,fp16,3,0.9900,1.50,90000,,2097152\n");
        assertEquals(
                """
                `gpu`, 2026-01-02, commit ccccccc, driver 1:

                | | precision | test accuracy | images/s | memory, predicted | measured |
                |---|---|---:|---:|---:|---:|
                | JCuConv cuda, mnist-cnn | fp16 | 99.13 % | 120,000 | 1.0 MiB | 1.0 MiB |
                | PyTorch 2.11, graph | fp16 | 99.00 % | 90,000 |  | 2.0 MiB |
                """,
                new Report(temp).parts.get("gpu-mnist"));
    }

    @Test
    void a_broken_row_is_named() throws IOException {
        write("2026-01-02-mnist.csv", "run,commit\n", "1,2\n", "1,2,3\n");
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> new Report(temp));
        assertTrue(String.valueOf(e.getMessage()).endsWith("mnist.csv:3: 3 values under 2 names"), e.getMessage());
    }

    private static int dots(String svg) throws Exception {
        return DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)))
                .getElementsByTagName("circle")
                .getLength();
    }

    private void shapes(String name, String... rows) throws IOException {
        write(name, NAMES, rows);
    }

    private void write(String name, String first, String... rows) throws IOException {
        Path folder = Files.createDirectories(temp.resolve("gpu"));
        Files.writeString(folder.resolve(name), first + String.join("", List.of(rows)));
    }

    private static String row(String run, String layer, String pass, String precision, String engine, int micros) {
        return String.join(
                        ",",
                        run,
                        "NVIDIA H200",
                        "580.1",
                        "1980",
                        layer,
                        "layer " + layer,
                        "conv2d",
                        "n1c64h8w8k64g2r3s3",
                        pass,
                        precision,
                        engine,
                        "a",
                        "" + micros,
                        "" + 2 * micros,
                        "" + 20_000 / micros,
                        "" + 1000 / micros,
                        "0",
                        "")
                + "\n";
    }
}
