package consumer;

// README: begin
import io.github.jcuconv.Arguments;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Window;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Plans a convolution forward and backward once and runs it on buffers of its own. */
public final class Consumer {
    public static void main(String[] names) {
        // 8 images of 3 x 32 x 32, 16 filters of 3 x 3, padded by one pixel; fp32, NCHW.
        Conv2d conv = Conv2d.of(new Dims(8, 3, 32, 32), 16, Window.square(3, 1, 1));
        ByteBuffer x = ones(conv.x());
        ByteBuffer w = ones(conv.w());
        ByteBuffer y = ones(conv.y());
        ByteBuffer dw = ones(conv.w());
        try (Engine engine = Engine.open(names.length > 0 ? names[0] : "auto");
                Stream stream = engine.newStream();
                Plan fprop = engine.plan(PlanRequest.of(conv, Pass.FPROP));
                Plan wgrad = engine.plan(PlanRequest.of(conv, Pass.WGRAD));
                Memory workspace =
                        engine.allocate(1 + Math.max(fprop.workspaceBytes(), wgrad.workspaceBytes()))) {
            Memory output = engine.wrap(y);
            Arguments arguments = new Arguments()
                    .set(Arg.X, engine.wrap(x))
                    .set(Arg.W, engine.wrap(w))
                    .set(Arg.Y, output)
                    .set(Arg.DY, output)
                    .set(Arg.DW, engine.wrap(dw));
            fprop.execute(arguments, workspace, stream);
            wgrad.execute(arguments, workspace, stream);
            stream.synchronize();
            System.out.println(engine.name() + ": y[0] = " + y.getFloat(0) + ", dw[0] = " + dw.getFloat(0));
        }
    }

    private static ByteBuffer ones(Dims dims) {
        ByteBuffer buffer =
                ByteBuffer.allocateDirect((int) dims.count() * Float.BYTES).order(ByteOrder.nativeOrder());
        while (buffer.hasRemaining()) {
            buffer.putFloat(1);
        }
        return buffer.flip();
    }
}
// README: end
