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

/** Plans a convolution forward and backward once, then runs it: the same program on a CPU and on a GPU. */
public final class Consumer {
    public static void main(String[] args) {
        // 8 images of 3 x 32 x 32 under 16 filters of 3 x 3, one pixel of padding; fp32, NHWC.
        Conv2d conv = Conv2d.of(new Dims(8, 3, 32, 32), 16, Window.of(3, 3).pad(Padding.of(1)));
        try (Engine engine = Engine.open(args.length > 0 ? args[0] : "auto");
                Stream stream = engine.newStream()) {
            List<Plan> plans = List.of(
                    engine.plan(PlanRequest.of(conv, Pass.FPROP).in(Layout.Plain.NHWC)),
                    engine.plan(PlanRequest.of(conv, Pass.DGRAD).in(Layout.Plain.NHWC)),
                    engine.plan(PlanRequest.of(conv, Pass.WGRAD).in(Layout.Plain.NHWC)));
            long bytes = plans.stream().mapToLong(Plan::workspaceBytes).max().orElse(0);
            Memory workspace = engine.allocate(Math.max(1, bytes));
            Memory x = floats(engine, conv.x()), w = floats(engine, conv.w()), y = floats(engine, conv.y());
            Memory dx = floats(engine, conv.x()), dw = floats(engine, conv.w());
            ByteBuffer ones = buffer(conv.x()), filters = buffer(conv.w()), results = buffer(new Dims(1, 3, 1, 1));
            stream.upload(ones, x);
            stream.upload(filters, w);
            // y is also the gradient, as of the loss sum(y*y) / 2
            Arguments arguments = new Arguments()
                    .set(Arg.X, x)
                    .set(Arg.W, w)
                    .set(Arg.Y, y)
                    .set(Arg.DY, y)
                    .set(Arg.DX, dx)
                    .set(Arg.DW, dw);
            plans.forEach(plan -> plan.execute(arguments, workspace, stream));
            int first = 0;
            for (Memory result : List.of(y, dx, dw)) {
                stream.download(result.slice(0, Float.BYTES), results.slice(first, Float.BYTES));
                first += Float.BYTES;
            }
            stream.synchronize(); // until then everything above is only queued
            results.order(ByteOrder.nativeOrder());
            System.out.printf(
                    "%s: y %.0f dx %.0f dw %.0f%n",
                    engine.name(), results.getFloat(0), results.getFloat(4), results.getFloat(8));
        } // the engine closes what it gave out
    }

    private static Memory floats(Engine engine, Dims dims) {
        return engine.allocate(dims.count() * Float.BYTES);
    }

    /** Host memory full of ones. */
    private static ByteBuffer buffer(Dims dims) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(Math.toIntExact(dims.count() * Float.BYTES));
        buffer.order(ByteOrder.nativeOrder());
        while (buffer.hasRemaining()) {
            buffer.putFloat(1);
        }
        return buffer.flip();
    }
}
// README: end
