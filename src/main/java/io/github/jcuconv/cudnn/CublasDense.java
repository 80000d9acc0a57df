package io.github.jcuconv.cudnn;

import io.github.jcuconv.DataType;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.ArgSpec;
import io.github.jcuconv.op.Dense;
import io.github.jcuconv.op.Pass;
import java.util.Optional;

/** Dense layers as matrix products of cuBLAS, which unlike cuDNN gives gradients of 16-bit weights in fp32; the epilogue through cuDNN. */
final class CublasDense implements Factory<Dense> {
    @Override
    public Optional<String> refusal(Dense op, Pass pass) {
        DataType storage = op.types().storage();
        return op.arguments(pass).stream()
                .filter(spec -> !takes(spec, storage))
                .findFirst()
                .map(spec ->
                        "of " + storage + " layers cuBLAS and cuDNN do not take " + spec.arg() + " as " + spec.type())
                .or(() -> Epilogues.refusal(op.epilogue(), pass, storage));
    }

    private static boolean takes(ArgSpec spec, DataType storage) {
        return spec.type() == storage || spec.arg() == Arg.DW && spec.type() == DataType.FP32;
    }

    @Override
    public void plan(PlanBuilder b, Dense op, Pass pass) {
        if (pass != Pass.DBIAS) {
            b.layout(); // that of x and of w must be the same
            MatrixProduct.of(pass, op.x().n(), Math.toIntExact(op.x().perImage()), op.k())
                    .plan(b, op.types());
        }
        if (b.has(Arg.DBIAS)) {
            Epilogues.dbias(b);
        }
        if (pass == Pass.FPROP) {
            Epilogues.forward(b, op.epilogue());
        }
    }
}
