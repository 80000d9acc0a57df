package io.github.jcuconv.cudnn;

import io.github.jcuconv.DeviceException;
import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.internal.NativeFolder;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;
import jcuda.CudaException;
import jcuda.JCudaVersion;
import jcuda.LibUtils;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnStatus;
import org.jspecify.annotations.Nullable;

/** The library itself: loading it, naming it, and its statuses as exceptions with its own texts. */
final class Cudnn {
    static final String ENGINE = "cudnn";
    /** The release whose interface libJCudnn was built for; its numbers of statuses are not those of older ones. */
    private static final int MAJOR = 9;

    /** cuDNN 9 numbers its statuses by category, a thousand each. */
    private static final int CATEGORY = 1000;

    private static final int NOT_SUPPORTED = 3000;

    /** JCudnn throws texts of an older cuDNN, and no numbers: this leads back from the one to the other. */
    private static final Map<String, Integer> NUMBERS = new HashMap<>();

    private static @Nullable String problem;
    private static boolean tried;

    private Cudnn() {}

    /** Loads the library, once; why it cannot be used, with the next action. */
    static synchronized Optional<String> problem() {
        if (!tried) {
            problem = load();
            tried = true;
        }
        return Optional.ofNullable(problem);
    }

    private static @Nullable String load() {
        try {
            initialize(privateCopy());
        } catch (IOException e) {
            return "JCuda's natives cannot be laid out: " + NativeFolder.reason(e);
        } catch (UnsatisfiedLinkError e) {
            return refused(String.valueOf(e.getMessage()));
        } catch (IllegalCallerException e) {
            return "native access is denied to JCuda; start java with --enable-native-access="
                    + (LibUtils.class.getModule().isNamed()
                            ? LibUtils.class.getModule().getName()
                            : "ALL-UNNAMED");
        }
        JCudnn.setExceptionsEnabled(true);
        for (int status = 0; status <= cudnnStatus.CUDNN_STATUS_VERSION_MISMATCH; status++) {
            NUMBERS.put(cudnnStatus.stringFor(status), status);
        }
        long version = JCudnn.cudnnGetVersion();
        return version / 10_000 == MAJOR
                ? null
                : "libcudnn.so.9 says that it is version " + version + ", cuDNN " + MAJOR + " is needed";
    }

    /** JCuda's own loader takes any file of the right name that lies in java.io.tmpdir: it finds ours there, and nothing else. */
    private static Path privateCopy() throws IOException {
        String file =
                LibUtils.createLibraryFileName(LibUtils.createPlatformLibraryName("JCudnn-" + JCudaVersion.get()));
        URL library = Cudnn.class.getClassLoader().getResource("lib/" + file);
        if (library == null) {
            throw new IOException(file + " is not on the class path; add the jar org.jcuda:jcudnn-natives:"
                    + JCudaVersion.get() + " with classifier linux-x86_64");
        }
        URLConnection connection = library.openConnection();
        connection.setUseCaches(false); // A cached jar would stay open for the life of the JVM.
        try (InputStream in = connection.getInputStream()) {
            return NativeFolder.store(file, in.readAllBytes());
        }
    }

    private static void initialize(Path library) {
        String before = System.setProperty("java.io.tmpdir", String.valueOf(library.getParent()));
        try {
            JCudnn.initialize();
        } finally {
            if (before == null) {
                System.clearProperty("java.io.tmpdir");
            } else {
                System.setProperty("java.io.tmpdir", before);
            }
        }
    }

    /** The dynamic linker's line out of the traces that JCuda puts into its message. */
    private static String refused(String message) {
        String line = message.lines()
                .map(String::strip)
                .filter(l -> l.contains("UnsatisfiedLinkError: /"))
                .findFirst()
                .orElse(message.lines().findFirst().orElse("no reason given"));
        String reason = line.substring(line.lastIndexOf(".so: ") < 0 ? 0 : line.lastIndexOf(".so: ") + 5);
        if (reason.contains("libcudnn.so.9: cannot open")) {
            return "there is no cuDNN 9 (" + reason
                    + "); install it, or name its folder in LD_LIBRARY_PATH before Java starts";
        }
        return "JCuda's libJCudnn does not load: " + reason;
    }

    /** Runs one call of JCudnn and throws for any status but success. */
    static void call(String what, IntSupplier body) {
        int status;
        try {
            status = body.getAsInt();
        } catch (CudaException e) {
            status = number(String.valueOf(e.getMessage()));
        }
        if (status != cudnnStatus.CUDNN_STATUS_SUCCESS) {
            String text = what + ": " + JCudnn.cudnnGetErrorString(status);
            if (status / CATEGORY * CATEGORY == NOT_SUPPORTED) {
                throw new UnsupportedException(ENGINE, "this", text, List.of());
            }
            throw new DeviceException(ENGINE, status, text, null);
        }
    }

    /** "CUDNN_STATUS_BAD_PARAM" or "INVALID cudnnStatus: 2000". */
    private static int number(String text) {
        Integer known = NUMBERS.get(text);
        return known != null ? known : Integer.parseInt(text.replaceAll("\\D", ""));
    }

    /** cuDNN 9.5.1 is 90501. */
    static String version() {
        long version = JCudnn.cudnnGetVersion();
        return version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
    }
}
