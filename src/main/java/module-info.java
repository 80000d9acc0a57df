/** The convolution kernel library of the JVM. */
module io.github.jcuconv {
    requires static org.jspecify;
    requires static info.picocli;
    requires static com.google.gson;
    requires static org.bytedeco.javacpp;
    requires static org.bytedeco.dnnl;
    requires static jcublas;
    requires static jcuda;
    requires static jcudnn;
    requires static java.desktop;
    requires static java.net.http;
    requires jdk.unsupported;

    exports io.github.jcuconv;
    exports io.github.jcuconv.cuda;
    exports io.github.jcuconv.data;
    exports io.github.jcuconv.io;
    exports io.github.jcuconv.op;
    exports io.github.jcuconv.spi;
    exports io.github.jcuconv.memory;
    exports io.github.jcuconv.nn;
    exports io.github.jcuconv.models;

    opens io.github.jcuconv.cli to
            info.picocli;

    uses io.github.jcuconv.spi.EngineProvider;

    provides io.github.jcuconv.spi.EngineProvider with
            io.github.jcuconv.cuda.CudaProvider,
            io.github.jcuconv.cuda.EmulatedProvider,
            io.github.jcuconv.cudnn.CudnnProvider,
            io.github.jcuconv.onednn.OnednnProvider,
            io.github.jcuconv.reference.ReferenceProvider;
}
