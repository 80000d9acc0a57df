package io.github.jcuconv.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.FileException;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.testing.RandomShapes;
import io.github.jcuconv.testing.ShapeLists;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ShapeLineTest {
    private static OpDescriptor conv(String line) {
        return Descriptors.of(
                "conv2d",
                ShapeFile.parse("list.txt", List.of("# comment", line)).get(0),
                DataType.FP32);
    }

    @Test
    void readsEveryKeyAndTheName() {
        String text = "n2c64h14w13k32r3s5u2v1pt1pb2pl3pr4d1e2g2bias1relu1 resnet:s3  # why";
        ShapeLine line = ShapeFile.parse("list.txt", List.of(text)).get(0);
        Conv2d op = (Conv2d) Descriptors.of("conv2d", line, DataType.BF16);
        assertEquals("resnet:s3", line.name());
        assertEquals(new Dims(2, 64, 14, 13), op.x());
        assertEquals(32, op.k());
        assertEquals(2, op.groups());
        assertEquals(new Padding(1, 2, 3, 4), op.window().padding());
        assertEquals(2, op.window().strideH());
        assertEquals(2, op.window().dilationW());
        assertEquals(
                List.of(Epilogue.Step.BIAS, Epilogue.Step.RELU), op.epilogue().steps());
        assertEquals(DataType.BF16, op.types().storage());
    }

    @Test
    void missingStridesDilationsAndGroupsAreOneAndPaddingIsZero() {
        assertEquals(conv("n1c2h5w5k3r3s3u1v1pt0pb0pl0pr0d1e1g1"), conv("n1c2h5w5k3r3s3"));
    }

    @Test
    void aProblemReadsBackAsTheSameOperation() {
        OpDescriptor op = conv("n2c4h8w9k6r3s2u2v1pt1pb0pl1pr1d1e2g2");
        assertEquals(op, conv(op.problem()));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "n1c2h5w5k3r3s3n2 | 'n' stands twice",
                "n1c2h5w5k3r3s3z4 | 'z' is unknown to conv2d",
                "n1c2h5w5k3r3 | 's' is missing",
                "n1c2h5w5k3r3s | letters and then a number",
                "n1c-2h5w5k3r3s3 | letters and then a number",
                "n1c2h5w5k3r3s99999999999 | letters and then a number",
                "n0c2h5w5k3r3s3 | at least 1",
                "n1c2h5w5k3r7s3 | larger than the padded input",
                "n1c3h5w5k3r3s3g2 | must divide",
                "n1c3h5w5k3r3s3u0 | at least 1",
                "n1c2h5w5k3r3s3 name more | at most one name"
            })
    void wrongLinesNameFileLineAndRule(String line, String rule) {
        String message =
                assertThrows(IllegalArgumentException.class, () -> conv(line)).getMessage();
        assertTrue(message.startsWith("list.txt:2: "), message);
        assertTrue(message.contains(rule), message);
    }

    @Test
    void anUnknownOperationListsTheKnownOnes() {
        ShapeLine line = ShapeFile.parse("x", List.of("n1c1h1w1")).get(0);
        String message = assertThrows(
                        IllegalArgumentException.class, () -> Descriptors.of("conv3d", line, DataType.FP32))
                .getMessage();
        assertTrue(message.contains("conv-transpose2d"), message);
    }

    @Test
    void readsAFileOrOneLine(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("my shapes.txt"), "n1c1h1w1k1r1s1\n\n# no\nn2c1h1w1k1r1s1 two\n");
        assertEquals(2, ShapeFile.read(file.toString()).size());
        assertEquals(4, ShapeFile.read(file.toString()).get(1).number());
        assertEquals(1, ShapeFile.read("n1c1h1w1k1r1s1").size());
        assertThrows(
                FileException.class,
                () -> ShapeFile.read(folder.resolve("none.txt").toString()));
        assertThrows(FileException.class, () -> ShapeFile.read(folder.toString()));
    }

    @Test
    void everyListParsesAndNamesEachShapeOnce() {
        ShapeLists.BY_OPERATION.forEach((op, lists) -> lists.forEach(list -> {
            HashSet<String> names = new HashSet<>();
            for (ShapeLine line : ShapeLists.read(list)) {
                Descriptors.of(op, line, DataType.FP32);
                assertTrue(names.add(line.name()), list + ": " + line.name() + " stands twice");
            }
        }));
    }

    @Test
    void randomShapesAreAllPossibleAndDependOnTheSeedAlone() {
        List<ShapeLine> shapes = RandomShapes.convolutions(9, 300);
        shapes.forEach(line -> Descriptors.of("conv2d", line, DataType.FP32));
        assertEquals(shapes.subList(0, 50), RandomShapes.convolutions(9, 50));
        assertTrue(shapes.stream().map(ShapeLine::shape).distinct().count() > 290);
    }
}
