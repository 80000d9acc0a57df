package io.github.jcuconv.onednn;

import static org.bytedeco.dnnl.global.dnnl.dnnl_get_effective_cpu_isa;

import io.github.jcuconv.DeviceException;
import io.github.jcuconv.OutOfMemoryException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.function.Supplier;
import org.bytedeco.dnnl.dnnl_version_t;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/** The native library: loading it, naming it, and its failures in our words. */
final class Native {
    static final String ENGINE = "onednn";
    private static final int ISA_BF16 = dnnl.dnnl_cpu_isa_avx512_core_bf16;

    private Native() {}

    /** Loads the library; why it cannot be loaded, with the next action. */
    static Optional<String> problem() {
        try {
            Loader.load(dnnl.class);
            return Optional.empty();
        } catch (NoClassDefFoundError | TypeNotPresentException e) {
            return Optional.of(
                    "a class of oneDNN's preset is missing (" + e.getMessage()
                            + "); add org.bytedeco:dnnl and opencl to the class path (module path: --add-modules ALL-MODULE-PATH)");
        } catch (UnsatisfiedLinkError e) {
            String text = String.valueOf(e.getMessage());
            if (text.contains("GLIBC")) {
                return Optional.of(
                        "oneDNN needs glibc 2.34 or later; use a newer distribution (" + firstLine(text) + ")");
            }
            return Optional.of("oneDNN's native library for " + Loader.getPlatform()
                    + " did not load; add the jars of dnnl, javacpp and opencl with that classifier (" + firstLine(text)
                    + ")");
        } catch (IllegalCallerException e) {
            return Optional.of("native access is denied; start java with --enable-native-access=ALL-UNNAMED");
        }
    }

    private static String firstLine(String text) {
        return text.lines().findFirst().orElse("no reason given");
    }

    /** Library, version, instruction set, threads. */
    static String describe(int threads) {
        dnnl_version_t v = dnnl.version();
        return "oneDNN " + v.major() + "." + v.minor() + "." + v.patch() + ", " + isa(dnnl_get_effective_cpu_isa())
                + ", " + threads + (threads == 1 ? " thread" : " threads");
    }

    /** Whether bf16 arithmetic is native. */
    static boolean hasBf16() {
        return (dnnl_get_effective_cpu_isa() & ISA_BF16) == ISA_BF16;
    }

    /** The threads that libgomp takes: what OMP_NUM_THREADS said when the process began. */
    static int threads() {
        String value = System.getenv("OMP_NUM_THREADS");
        if (value != null && value.matches("[1-9][0-9]{0,3}")) {
            return Integer.parseInt(value);
        }
        return Runtime.getRuntime().availableProcessors();
    }

    private static String isa(int isa) {
        if (isa == dnnl.dnnl_cpu_isa_avx512_core) {
            return "avx512_core";
        }
        if (isa == dnnl.dnnl_cpu_isa_avx512_core_vnni) {
            return "avx512_core_vnni";
        }
        if (isa == ISA_BF16) {
            return "avx512_core_bf16";
        }
        if (isa == dnnl.dnnl_cpu_isa_avx2) {
            return "avx2";
        }
        return "isa 0x" + Integer.toHexString(isa);
    }

    /** Runs a call of the preset, whose only failure is a RuntimeException with a generic text. */
    static <T> T call(String what, Supplier<T> body) {
        try {
            return body.get();
        } catch (RuntimeException e) {
            throw failed(what, e);
        }
    }

    static DeviceException failed(String what, RuntimeException e) {
        return new DeviceException(
                ENGINE,
                0,
                what + ": " + e.getMessage() + " (ONEDNN_VERBOSE=all in the environment shows oneDNN's reason)",
                e);
    }

    /** Host memory at an address as a buffer, up to 2 GiB. */
    static ByteBuffer view(long address, long bytes) {
        if (bytes == 0) {
            return ByteBuffer.allocateDirect(0);
        }
        return new Address().at(address, bytes).asByteBuffer().order(ByteOrder.nativeOrder());
    }

    /**
     * Allocates zeroed memory of any size, to be given back by {@link Pointer#deallocate()}.
     *
     * @throws OutOfMemoryException if the limit of JavaCPP, by default the heap's, is reached
     */
    static Pointer allocate(long bytes) {
        try {
            return new BytePointer(bytes).zero();
        } catch (OutOfMemoryError e) {
            throw new OutOfMemoryException(
                    bytes,
                    Math.max(0, Pointer.maxBytes() - Pointer.totalBytes()),
                    "raise -Dorg.bytedeco.javacpp.maxBytes (0: no limit), or take less");
        }
    }

    /** A native address as the preset wants it. */
    static final class Address extends Pointer {
        Address() {
            super((Pointer) null);
        }

        Address at(long value, long bytes) {
            address = value;
            limit = bytes;
            capacity = bytes;
            return this;
        }
    }
}
