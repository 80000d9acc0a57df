package io.github.jcuconv.cudnn;

import io.github.jcuconv.internal.NativeFolder;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipException;
import jcuda.JCudaVersion;
import jcuda.LibUtils;

/** JCuda's native libraries, loaded by its own loader, but from our private folder. */
final class JCudaNatives {
    /** SHA-256 of the libraries as they were released; a zip file's own sums are not looked at when one file is read from it. */
    private static final Map<String, String> SUMS = Map.of(
            "libJCudnn-12.6.0-linux-x86_64.so",
            "340a06c5d0241ddc80b576ec2e968e79046dbf5c5c27e5d9525f4cbf97ad7c37",
            "libJCublas2-12.6.0-linux-x86_64.so",
            "990b2129e540a7f93d0776799d48659dc85e4f7f5bfb6473d0c8369ef8126c32");

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
        byte[] bytes;
        try (InputStream in = connection.getInputStream()) {
            bytes = in.readAllBytes();
        } catch (ZipException e) {
            throw new IOException(library + " is corrupt: " + e.getMessage() + "; download it again", e);
        }
        String sum = NativeFolder.sha256(bytes);
        if (!sum.equals(SUMS.getOrDefault(file, sum))) {
            throw new IOException(library + " is corrupt: its SHA-256 is " + sum + "; download it again");
        }
        return NativeFolder.store(file, bytes);
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
