package peers.onednn;

import java.util.function.DoubleSupplier;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.reorder;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.FloatPointer;

/**
 * One weight or bias tensor with its gradient and Adam state. oneDNN sees native memory in the layout its forward
 * kernel chose; Adam works on {@code float[]}, because C2 turns loops over arrays, not over direct buffers, into vector
 * code.
 */
final class Parameter {
    private static final float LEARNING_RATE = 1e-3f;
    private static final float BETA1 = 0.9f;
    private static final float BETA2 = 0.999f;
    private static final float EPSILON = 1e-8f;

    final memory value;
    final memory gradient;
    private final FloatPointer nativeValue;
    private final FloatPointer nativeGradient;
    private final float[] w;
    private final float[] g;
    private final float[] m;
    private final float[] v;

    /** Draws initial values in the {@code drawn} order of elements and brings them into {@code layout}. */
    Parameter(memory.desc layout, engine cpu, stream stream, memory.desc drawn, DoubleSupplier values) {
        value = new memory(layout, cpu);
        gradient = new memory(layout, cpu);
        nativeValue = floats(value);
        nativeGradient = floats(gradient);
        int size = Math.toIntExact(layout.get_size() / Float.BYTES);
        w = new float[size];
        g = new float[size];
        m = new float[size];
        v = new float[size];
        memory initial = new memory(drawn, cpu);
        float[] initialValues = new float[Math.toIntExact(drawn.get_size() / Float.BYTES)];
        for (int i = 0; i < initialValues.length; i++) {
            initialValues[i] = (float) values.getAsDouble();
        }
        floats(initial).put(initialValues);
        new reorder(initial, value).execute(stream, initial, value);
        stream._wait();
        nativeValue.get(w);
    }

    /** One step of Adam, {@code step} counting from 1. Padding of the layout has gradient 0 and so stays 0. */
    void adam(int step) {
        nativeGradient.get(g);
        float rate = (float) (LEARNING_RATE / (1 - Math.pow(BETA1, step)));
        float scale = (float) (1 / Math.sqrt(1 - Math.pow(BETA2, step)));
        update(w, g, m, v, rate, scale);
        nativeValue.put(w);
    }

    private static void update(float[] w, float[] g, float[] m, float[] v, float rate, float scale) {
        for (int i = 0; i < w.length; i++) {
            float gi = g[i];
            float mi = BETA1 * m[i] + (1 - BETA1) * gi;
            float vi = BETA2 * v[i] + (1 - BETA2) * gi * gi;
            m[i] = mi;
            v[i] = vi;
            w[i] -= rate * mi / ((float) Math.sqrt(vi) * scale + EPSILON);
        }
    }

    /** The floats of a native tensor; the tensor must stay reachable while they are used. */
    static FloatPointer floats(memory tensor) {
        return new FloatPointer(tensor.get_data_handle())
                .capacity(tensor.get_desc().get_size() / Float.BYTES);
    }
}
