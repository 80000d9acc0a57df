package consumer;

// README: begin
import io.github.jcuconv.Arguments;
import io.github.jcuconv.Dims;
import io.github.jcuconv.Engine;
import io.github.jcuconv.Layout;
import io.github.jcuconv.Memory;
import io.github.jcuconv.Plan;
import io.github.jcuconv.Stream;
import io.github.jcuconv.op.Arg;
import io.github.jcuconv.op.Conv2d;
import io.github.jcuconv.op.Padding;
import io.github.jcuconv.op.Pass;
import io.github.jcuconv.op.PlanRequest;
import io.github.jcuconv.op.Window;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Plans a convolution forward and backward once, then runs it on the caller's own buffers. */
public final class Consumer {
    public static void main(String[] args) {
        // 8 images of 3 x 32 x 32 under 16 filters of 3 x 3, one pixel of padding; fp32, NHWC.
        Conv2d conv = Conv2d.of(new Dims(8, 3, 32, 32), 16, Window.of(3, 3).pad(Padding.of(1)));
        ByteBuffer x = ones(conv.x()), w = ones(conv.w()), y = ones(conv.y()), dx = ones(conv.x()), dw = ones(conv.w());
        try (Engine engine = Engine.open(args.length > 0 ? args[0] : "auto");
                Stream stream = engine.newStream()) {
            List<Plan> plans = List.of(
                    engine.plan(PlanRequest.of(conv, Pass.FPROP).in(Layout.Plain.NHWC)),
                    engine.plan(PlanRequest.of(conv, Pass.DGRAD).in(Layout.Plain.NHWC)),
                    engine.plan(PlanRequest.of(conv, Pass.WGRAD).in(Layout.Plain.NHWC)));
            long bytes = plans.stream().mapToLong(Plan::workspaceBytes).max().orElse(0);
            Memory workspace = engine.allocate(Math.max(1, bytes));
            Memory output = engine.wrap(y); // also the gradient, as of the loss sum(y*y) / 2
            Arguments arguments = new Arguments()
                    .set(Arg.X, engine.wrap(x))
                    .set(Arg.W, engine.wrap(w))
                    .set(Arg.Y, output)
                    .set(Arg.DY, output)
                    .set(Arg.DX, engine.wrap(dx))
                    .set(Arg.DW, engine.wrap(dw));
            plans.forEach(plan -> plan.execute(arguments, workspace, stream));
            stream.synchronize();
            System.out.printf(
                    "%s: y %.0f dx %.0f dw %.0f%n", engine.name(), y.getFloat(0), dx.getFloat(0), dw.getFloat(0));
        } // the engine closes what it gave out
    }

    private static ByteBuffer ones(Dims dims) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(Math.toIntExact(dims.count() * Float.BYTES));
        buffer.order(ByteOrder.nativeOrder());
        while (buffer.hasRemaining()) {
            buffer.putFloat(1);
        }
        return buffer.flip();
    }
}
// README: end
