package io.github.jcuconv.reference;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.jcuconv.DataType;
import io.github.jcuconv.Dims;
import io.github.jcuconv.op.Adam;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.AvgPool2d;
import io.github.jcuconv.op.BatchNorm;
import io.github.jcuconv.op.ChannelScale;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.ConvTranspose2d;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Epilogue;
import io.github.jcuconv.op.FiniteCheck;
import io.github.jcuconv.op.Hyper;
import io.github.jcuconv.op.Lrn;
import io.github.jcuconv.op.MaxPool2d;
import io.github.jcuconv.op.OpDescriptor;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.Phase;
import io.github.jcuconv.op.Reorder;
import io.github.jcuconv.op.Sgd;
import io.github.jcuconv.op.SoftmaxCrossEntropy;
import io.github.jcuconv.op.StepControl;
import io.github.jcuconv.op.Window;
import org.junit.jupiter.api.Test;

/** The oracle's forward passes on numbers worked out by hand. */
class HandWorkedTest {
    private static final double CLOSE = 1e-12;
    private final Views t = new Views();

    private HandWorkedTest with(Arg arg, Dims dims, double... values) {
        Tensor tensor = Tensor.exact(dims);
        for (int i = 0; i < values.length; i++) {
            tensor.put(i, values[i]);
        }
        t.set(arg, tensor);
        return this;
    }

    private double[] run(OpDescriptor op, Pass pass, Arg out) {
        for (ArgSpec spec : op.arguments(pass)) {
            if (!t.has(spec.arg())) {
                t.set(spec.arg(), Tensor.exact(spec.dims()));
            }
        }
        ReferenceTable.run(op, pass, t, false);
        return values(out);
    }

    private double[] values(Arg arg) {
        double[] values = new double[(int) t.get(arg).dims().count()];
        for (int i = 0; i < values.length; i++) {
            values[i] = t.get(arg).at(i);
        }
        return values;
    }

    @Test
    void groupsSeeOnlyTheirOwnChannels() {
        Dims x = new Dims(1, 2, 1, 1);
        Conv2d op = Conv2d.of(x, 4, Window.of(1, 1)).groups(2);
        with(Arg.X, x, 3, 5).with(Arg.W, op.w(), 1, 10, 100, 1000);
        assertArrayEquals(new double[] {3, 30, 500, 5000}, run(op, Pass.FPROP, Arg.Y));
    }

    @Test
    void dilationSkipsPixels() {
        Dims x = new Dims(1, 1, 1, 5);
        Conv2d op = Conv2d.of(x, 1, Window.of(1, 2).dilation(1, 3));
        with(Arg.X, x, 1, 2, 3, 4, 5).with(Arg.W, op.w(), 1, 10);
        assertArrayEquals(new double[] {41, 52}, run(op, Pass.FPROP, Arg.Y));
    }

    @Test
    void epilogueKeepsItsOrder() {
        Dims x = new Dims(1, 1, 1, 1);
        Epilogue reluFirst = new Epilogue(java.util.List.of(Epilogue.Step.RELU, Epilogue.Step.BIAS));
        Conv2d op = Conv2d.of(x, 1, Window.of(1, 1));
        with(Arg.X, x, 2).with(Arg.W, x, -3).with(Arg.BIAS, x, 1);
        assertArrayEquals(new double[] {1}, run(op.epilogue(reluFirst), Pass.FPROP, Arg.Y));
        assertArrayEquals(
                new double[] {0}, run(op.epilogue(Epilogue.BIAS.then(Epilogue.Step.RELU)), Pass.FPROP, Arg.Y));
    }

    @Test
    void transposedConvolutionSpreadsEachPixel() {
        Dims x = new Dims(1, 1, 1, 2);
        ConvTranspose2d op =
                ConvTranspose2d.of(x, 1, Window.of(1, 3).stride(1, 2)).outputPad(0, 1);
        with(Arg.X, x, 1, 10).with(Arg.W, op.w(), 1, 2, 3);
        assertArrayEquals(new double[] {1, 2, 13, 20, 30, 0}, run(op, Pass.FPROP, Arg.Y));
    }

    @Test
    void denseReadsTheWholeImage() {
        Dims x = new Dims(1, 1, 1, 3);
        Dense op = Dense.of(x, 2);
        with(Arg.X, x, 1, 2, 3).with(Arg.W, op.w(), 1, 1, 1, 0, 0, 7);
        assertArrayEquals(new double[] {6, 21}, run(op, Pass.FPROP, Arg.Y));
    }

    @Test
    void aGateScalesItsMapAndItsGradientSumsOverThePixels() {
        Dims x = new Dims(2, 2, 1, 2);
        ChannelScale op = ChannelScale.of(x);
        with(Arg.X, x, 1, 2, 3, 4, 5, 6, 7, 8).with(Arg.X2, op.x2(), 1, 10, 100, 1000);
        assertArrayEquals(new double[] {1, 2, 30, 40, 500, 600, 7000, 8000}, run(op, Pass.FWD, Arg.Y));
        with(Arg.DY, x, 1, 1, 1, 2, 0, 1, 1, 0);
        assertArrayEquals(new double[] {3, 11, 6, 7}, run(op, Pass.BWD, Arg.DX2));
        assertArrayEquals(new double[] {1, 1, 10, 20, 0, 100, 1000, 0}, values(Arg.DX));
    }

    @Test
    void firstMaximumWinsAndNanBeatsNumbers() {
        Dims x = new Dims(1, 1, 2, 4);
        MaxPool2d op = MaxPool2d.of(x, Window.of(2, 2).stride(2, 2)).phase(Phase.TRAINING);
        with(Arg.X, x, -5, -1, 7, Double.NaN, -1, -1, 9, Double.NaN);
        assertArrayEquals(new double[] {-1, Double.NaN}, run(op, Pass.FWD, Arg.Y));
        assertArrayEquals(new double[] {1, 1}, values(Arg.ARGMAX));
    }

    @Test
    void paddingNeverWinsAMaximum() {
        Dims x = new Dims(1, 1, 1, 2);
        MaxPool2d op =
                MaxPool2d.of(x, Window.of(1, 2).pad(new Padding(0, 0, 1, 1))).phase(Phase.TRAINING);
        with(Arg.X, x, -3, Double.NEGATIVE_INFINITY);
        assertArrayEquals(new double[] {-3, -3, Double.NEGATIVE_INFINITY}, run(op, Pass.FWD, Arg.Y));
        assertArrayEquals(new double[] {1, 0, 0}, values(Arg.ARGMAX));
    }

    @Test
    void averagesDivideByPixelsOrByThePaddedWindowButNeverByWhatLiesBeyond() {
        Dims x = new Dims(1, 1, 1, 3);
        Window window = Window.of(1, 2).stride(1, 2).pad(new Padding(0, 0, 1, 0));
        with(Arg.X, x, 6, 8, 10);
        assertArrayEquals(new double[] {6, 9}, run(AvgPool2d.of(x, window), Pass.FWD, Arg.Y));
        assertArrayEquals(new double[] {3, 9}, run(AvgPool2d.of(x, window).countPadding(true), Pass.FWD, Arg.Y));
        Window past = Window.of(1, 2).stride(1, 2);
        t.set(Arg.Y, Tensor.exact(new Dims(1, 1, 1, 2)));
        assertArrayEquals(
                new double[] {7, 10}, run(AvgPool2d.of(x, past).ceil(true).countPadding(true), Pass.FWD, Arg.Y));
    }

    @Test
    void lrnDividesAlphaBySizeOnlyInThatConvention() {
        Dims x = new Dims(1, 3, 1, 1);
        Lrn divided =
                new Lrn(x, 3, 3, 1, 1, Lrn.Convention.ALPHA_OVER_SIZE, io.github.jcuconv.op.Types.FP32, Phase.TRAINING);
        Lrn paper = new Lrn(x, 3, 3, 1, 1, Lrn.Convention.ALPHA, io.github.jcuconv.op.Types.FP32, Phase.TRAINING);
        with(Arg.X, x, 1, 2, 3);
        assertArrayEquals(new double[] {1 / 6.0, 2 / 15.0, 3 / 14.0}, run(divided, Pass.FWD, Arg.Y), CLOSE);
        assertArrayEquals(new double[] {6, 15, 14}, values(Arg.SAVED));
        assertArrayEquals(new double[] {1 / 16.0, 2 / 43.0, 3 / 40.0}, run(paper, Pass.FWD, Arg.Y), CLOSE);
    }

    @Test
    void batchNormSavesBiasedAndRunsOnUnbiasedVariance() {
        Dims x = new Dims(2, 1, 1, 1);
        BatchNorm op = new BatchNorm(x, 1, 0.5f, io.github.jcuconv.op.Types.FP32, Phase.TRAINING);
        with(Arg.X, x, 1, 5).with(Arg.GAMMA, Dims.vector(1), 10).with(Arg.BETA, Dims.vector(1), 7);
        with(Arg.RUNNING_MEAN, Dims.vector(1), 1).with(Arg.RUNNING_VAR, Dims.vector(1), 2);
        double spread = 20 / Math.sqrt(5);
        assertArrayEquals(new double[] {7 - spread, 7 + spread}, run(op, Pass.FWD, Arg.Y), CLOSE);
        assertArrayEquals(new double[] {3}, values(Arg.SAVE_MEAN));
        assertArrayEquals(new double[] {4}, values(Arg.SAVE_VAR));
        assertArrayEquals(new double[] {2}, values(Arg.RUNNING_MEAN));
        assertArrayEquals(new double[] {5}, values(Arg.RUNNING_VAR));
    }

    @Test
    void softmaxLossIgnoresTheLabelAndRefusesOthersWithNan() {
        Dims x = new Dims(2, 2, 1, 1);
        SoftmaxCrossEntropy op = SoftmaxCrossEntropy.of(x);
        with(Arg.X, x, 1000, 1000, 3, 4).with(Arg.LABELS, new Dims(2, 1, 1, 1), 1, -1);
        assertArrayEquals(new double[] {Math.log(2)}, run(op, Pass.FWD, Arg.LOSS), CLOSE);
        with(Arg.LOSS_SCALE, Dims.vector(1), 8);
        assertArrayEquals(new double[] {4, -4, 0, 0}, run(op, Pass.BWD, Arg.DX), 1e-9);
        with(Arg.LABELS, new Dims(2, 1, 1, 1), 2, -1);
        assertArrayEquals(new double[] {Double.NaN}, run(op, Pass.FWD, Arg.LOSS));
        with(Arg.LABELS, new Dims(2, 1, 1, 1), -1, -1);
        assertArrayEquals(new double[] {0}, run(op, Pass.FWD, Arg.LOSS));
        assertArrayEquals(new double[] {0, 0, 0, 0}, run(op, Pass.BWD, Arg.DX));
    }

    @Test
    void sgdWithMomentumFollowsItsFormula() {
        Dims one = Dims.vector(1);
        with(Arg.W, one, 2).with(Arg.DW, one, 8).with(Arg.M, one, 3);
        with(Arg.HYPER, Dims.vector(Hyper.COUNT), 0.1, 0.5, 0.25, 0.9, 0, 0, 0, 0, 1);
        // g = 0.5 * 8 + 0.25 * 2 = 4.5; m = 0.9 * 3 + 4.5 = 7.2; w = 2 - 0.72
        assertArrayEquals(new double[] {1.28}, run(new Sgd(1, true, DataType.FP32), Pass.UPDATE, Arg.W), CLOSE);
        assertArrayEquals(new double[] {7.2}, values(Arg.M), CLOSE);
    }

    @Test
    void adamTakesItsFirstStepWithFullRate() {
        Dims one = Dims.vector(1);
        with(Arg.W, one, 2).with(Arg.DW, one, -4).with(Arg.M, one, 0).with(Arg.V, one, 0);
        with(Arg.HYPER, Dims.vector(Hyper.COUNT), 0.1, 1, 0.5, 0.9, 0.99, 0, 0.1, 0.01, 1);
        // m / c1 = -4, v / c2 = 16: w = 2 - 0.1 * (-1 + 0.5 * 2)
        assertArrayEquals(new double[] {2}, run(new Adam(1, DataType.FP32), Pass.UPDATE, Arg.W), CLOSE);
        assertArrayEquals(new double[] {-0.4}, values(Arg.M), CLOSE);
        assertArrayEquals(new double[] {0.16}, values(Arg.V), CLOSE);
    }

    @Test
    void theFirstStepOfATrainingTakesTheFirstRate() {
        with(Arg.FLAG, Dims.vector(1), 0).with(Arg.RATES, Dims.vector(2), 0.5, 0.25);
        with(Arg.COUNTERS, Dims.vector(8), 0, 0, 0, 0, 1, 2, 0, 7).with(Arg.LOSS_SCALE, Dims.vector(1), 8);
        with(Arg.SEED, Dims.vector(4), 3, 4, 0, 0);
        with(Arg.HYPER, Dims.vector(Hyper.COUNT), 9, 9, 9, 0.9, 0.99, 9, 9, 9, 9);
        StepControl op = new StepControl(2, 1, true, 2);
        // 1 / (8 * 2); 1 - 0.9; 1 - 0.99
        assertArrayEquals(
                new double[] {0.5, 0.0625, 9, 0.9, 0.99, 9, 0.1, 0.01, 1}, run(op, Pass.UPDATE, Arg.HYPER), CLOSE);
        assertArrayEquals(new double[] {1, 0, 1, 0, 0, 2, 1, 7}, values(Arg.COUNTERS));
        assertArrayEquals(new double[] {16}, values(Arg.LOSS_SCALE));
        assertArrayEquals(new double[] {3, 4, 1, 0}, values(Arg.SEED));
        with(Arg.FLAG, Dims.vector(1), 1);
        // The second rate, 1 / (16 * 2), corrections and updates as they were, and the scale back at 8.
        assertArrayEquals(
                new double[] {0.25, 0.03125, 9, 0.9, 0.99, 9, 0.1, 0.01, 0}, run(op, Pass.UPDATE, Arg.HYPER), CLOSE);
        assertArrayEquals(new double[] {2, 0, 1, 0, 0, 2, 0, 7}, values(Arg.COUNTERS));
        assertArrayEquals(new double[] {8}, values(Arg.LOSS_SCALE));
    }

    @Test
    void gradientsAddWhenAccumulating() {
        Dims x = new Dims(1, 1, 1, 1);
        Conv2d op = Conv2d.of(x, 1, Window.of(1, 1));
        with(Arg.DY, x, 2).with(Arg.W, x, 3).with(Arg.DX, x, 100);
        ReferenceTable.run(op, Pass.DGRAD, t, true);
        assertEquals(106, t.get(Arg.DX).at(0));
    }

    @Test
    void finiteCheckSeesNanAndInfinity() {
        Dims x = Dims.vector(3);
        FiniteCheck op = new FiniteCheck(x, DataType.FP32);
        with(Arg.X, x, 1, Double.MAX_VALUE, -3);
        assertArrayEquals(new double[] {0}, run(op, Pass.FWD, Arg.FLAG));
        with(Arg.X, x, 1, 2, Double.NEGATIVE_INFINITY);
        assertArrayEquals(new double[] {1}, run(op, Pass.FWD, Arg.FLAG));
        with(Arg.X, x, Double.NaN, 2, 3);
        assertArrayEquals(new double[] {1}, run(op, Pass.FWD, Arg.FLAG));
    }

    @Test
    void reorderRoundsOnce() {
        Dims x = Dims.vector(2);
        with(Arg.X, x, 2049, 70000);
        t.set(Arg.Y, Tensor.zeros(x, DataType.FP16));
        assertArrayEquals(
                new double[] {2048, Double.POSITIVE_INFINITY},
                run(new Reorder(x, DataType.FP32, DataType.FP16), Pass.FWD, Arg.Y));
    }
}
