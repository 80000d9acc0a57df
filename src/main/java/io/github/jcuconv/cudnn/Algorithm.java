package io.github.jcuconv.cudnn;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import jcuda.jcudnn.cudnnDeterminism;

/**
 * One algorithm as cuDNN measured it. The math type that it used is not among this: JCudnn 11.7 leaves its field empty.
 *
 * @param number cuDNN's number
 * @param name its name in lower case, without what all names share
 * @param bytes workspace
 * @param deterministic whether it gives the same bits every time
 * @param millis time
 */
record Algorithm(int number, String name, long bytes, boolean deterministic, float millis) {
    private static final Pattern WRITTEN = Pattern.compile("(\\d+):(\\w+):(\\d+):(true|false):([0-9.E-]+)");

    static Algorithm of(int number, String text, long bytes, int determinism, float millis) {
        String name = text.replaceFirst(".*_ALGO_(?=[A-Z])", "").replaceFirst(".*_ALGO_", "algo_");
        return new Algorithm(
                number,
                name.toLowerCase(Locale.ROOT),
                bytes,
                determinism == cudnnDeterminism.CUDNN_DETERMINISTIC,
                millis);
    }

    /** Whether each output is a sum of products, and not one of transformed inputs, whose errors have another bound. */
    boolean isSumOfProducts() {
        return !name.contains("fft") && !name.contains("winograd");
    }

    /** For the cache. */
    String written() {
        return number + ":" + name + ":" + bytes + ":" + deterministic + ":" + millis;
    }

    static Optional<Algorithm> read(String text) {
        Matcher m = WRITTEN.matcher(text);
        return m.matches()
                ? Optional.of(new Algorithm(
                        Integer.parseInt(m.group(1)),
                        m.group(2),
                        Long.parseLong(m.group(3)),
                        Boolean.parseBoolean(m.group(4)),
                        Float.parseFloat(m.group(5))))
                : Optional.empty();
    }
}
