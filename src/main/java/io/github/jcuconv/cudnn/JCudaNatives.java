package io.github.jcuconv.cudnn;

import io.github.jcuconv.internal.NativeFolder;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Path;
import java.util.Optional;
import jcuda.JCudaVersion;
import jcuda.LibUtils;

/** JCuda's native libraries, loaded by its own loader, but from our private folder. */
final class JCudaNatives {
    private JCudaNatives() {}

    /**
     * Has JCuda load one of its libraries; why that fails, with the next action.
     *
     * @param name JCuda's name of it, e.g. JCudnn
     * @param artifact the Maven artifact that it is in
     * @param library what it stands on, e.g. libcudnn.so.9
     * @param product what people call that, e.g. cuDNN 9
     * @param initialize has JCuda load it, and calls a native method of it
     */
    static Optional<String> load(String name, String artifact, String library, String product, Runnable initialize) {
        try {
            initialize(privateCopy(name, artifact), initialize);
            return Optional.empty();
        } catch (IOException e) {
            return Optional.of("JCuda's natives cannot be laid out: " + NativeFolder.reason(e));
        } catch (UnsatisfiedLinkError e) {
            return Optional.of(refused(name, library, product, String.valueOf(e.getMessage())));
        } catch (IllegalCallerException e) {
            return Optional.of(denied());
        }
    }

    private static String denied() {
        return "native access is denied to JCuda; start java with --enable-native-access="
                + (LibUtils.class.getModule().isNamed() ? "jcuda,jcudnn,jcublas" : "ALL-UNNAMED");
    }

    /** Why the system refused a library; JCuda's message has the traces of all that was tried. */
    private static String refused(String name, String library, String product, String message) {
        if (message.contains(IllegalCallerException.class.getName())) {
            return denied();
        }
        String reason = linkersReason(message);
        return reason.contains(library + ": cannot open")
                ? "there is no " + product + " (" + reason
                        + "); install it, or name its folder in LD_LIBRARY_PATH before Java starts"
                : "JCuda's lib" + name + " does not load: " + reason;
    }

    private static Path privateCopy(String name, String artifact) throws IOException {
        String version = JCudaVersion.get();
        String file = LibUtils.createLibraryFileName(LibUtils.createPlatformLibraryName(name + "-" + version));
        URL library = JCudaNatives.class.getClassLoader().getResource("lib/" + file);
        if (library == null) {
            throw new IOException(file + " is not on the class path; add the jar org.jcuda:" + artifact + ":" + version
                    + " with classifier linux-x86_64");
        }
        URLConnection connection = library.openConnection();
        connection.setUseCaches(false); // A cached jar would stay open for the life of the JVM.
        try (InputStream in = connection.getInputStream()) {
            return NativeFolder.store(file, in.readAllBytes());
        }
    }

    /** JCuda's loader takes any file of the right name that lies in java.io.tmpdir: it finds ours there, and nothing else. */
    private static void initialize(Path library, Runnable initialize) {
        String before = System.setProperty("java.io.tmpdir", String.valueOf(library.getParent()));
        try {
            initialize.run();
        } finally {
            if (before == null) {
                System.clearProperty("java.io.tmpdir");
            } else {
                System.setProperty("java.io.tmpdir", before);
            }
        }
    }

    /** The dynamic linker's line. */
    private static String linkersReason(String message) {
        String line = message.lines()
                .map(String::strip)
                .filter(l -> l.contains("UnsatisfiedLinkError: /"))
                .findFirst()
                .orElse(message.lines().findFirst().orElse("no reason given"));
        int end = line.lastIndexOf(".so: ");
        return end < 0 ? line : line.substring(end + ".so: ".length());
    }
}
