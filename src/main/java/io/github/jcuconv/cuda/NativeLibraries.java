package io.github.jcuconv.cuda;

import io.github.jcuconv.UnsupportedException;
import io.github.jcuconv.internal.NativeFolder;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URL;
import java.net.URLConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Our shared libraries: found on the class path or module path, checked by SHA-256, and copied into the {@link NativeFolder}, from where they
 * are loaded by absolute path. So nothing is ever loaded that lay on the disk before, whatever the current folder, {@code java.library.path}
 * or the temporary folder hold.
 */
final class NativeLibraries {
    private static final String PLATFORM = "linux-x86_64";
    private static final String RESOURCES = "io/github/jcuconv/native/" + PLATFORM + "/";
    private static final String SUMS = "SHA256SUMS";

    private static final Map<String, Path> LOCATED = new HashMap<>();

    private NativeLibraries() {}

    /**
     * Loads lib{@code name}.so into this class loader.
     *
     * @throws UnsupportedException if it is not there or does not load, with the one next action
     */
    static void load(String name) {
        Path path = locate(name);
        try {
            System.load(path.toString());
        } catch (UnsatisfiedLinkError e) {
            throw unsupported(name, "the system refuses " + path + ": " + e.getMessage());
        } catch (IllegalCallerException e) {
            Module module = NativeLibraries.class.getModule();
            throw unsupported(
                    name,
                    "native access is denied; start java with --enable-native-access="
                            + (module.isNamed() ? module.getName() : "ALL-UNNAMED"));
        }
    }

    /**
     * The absolute path of this JVM's verified copy of lib{@code name}.so.
     *
     * @throws UnsupportedException if there is none, with the one next action
     */
    static synchronized Path locate(String name) {
        Path known = LOCATED.get(name);
        if (known != null) {
            return known;
        }
        String os = System.getProperty("os.name", "?");
        String arch = System.getProperty("os.arch", "?");
        if (!os.equals("Linux") || !(arch.equals("amd64") || arch.equals("x86_64"))) {
            throw unsupported(
                    name, "its native libraries exist for " + PLATFORM + " only, and this is " + os + " " + arch);
        }
        String file = "lib" + name + ".so";
        byte[] library = read(name, file);
        try {
            Path path = NativeFolder.store(file, library);
            LOCATED.put(name, path);
            return path;
        } catch (IOException e) {
            throw unsupported(name, String.valueOf(e.getMessage()));
        }
    }

    /** The library's bytes, compared with the sum beside it. */
    private static byte[] read(String name, String file) {
        ClassLoader loader = NativeLibraries.class.getClassLoader();
        URL library = loader.getResource(RESOURCES + file);
        if (library == null) {
            throw unsupported(name, missing(file, loader.getResource(RESOURCES + SUMS) != null));
        }
        String url = library.toString();
        // Beside the library: another jar's sums would say nothing.
        String sums = url.substring(0, url.length() - file.length()) + SUMS;
        byte[] bytes;
        String expected;
        try {
            bytes = bytes(library);
            expected = sum(new String(bytes(URI.create(sums).toURL()), StandardCharsets.UTF_8), file);
        } catch (IOException e) {
            throw unsupported(name, "cannot read " + url + " and " + SUMS + " beside it: " + NativeFolder.reason(e));
        }
        String found = NativeFolder.sha256(bytes);
        if (!found.equals(expected)) {
            throw unsupported(
                    name,
                    url + " is corrupt: its SHA-256 is " + found + ", " + SUMS + " says " + expected
                            + "; build or download it again");
        }
        return bytes;
    }

    private static String missing(String file, boolean othersAreThere) {
        if (othersAreThere) {
            return "these native libraries were built without " + file;
        }
        return file + " is not on the class path; add the jar of jcuconv with classifier " + PLATFORM
                + (NativeLibraries.class.getModule().isNamed() ? " and --add-modules ALL-MODULE-PATH" : "")
                + ", or build it: ./jcuconv with --engine emulated or cuda, or mvn verify";
    }

    private static byte[] bytes(URL url) throws IOException {
        URLConnection connection = url.openConnection();
        // A cached jar would stay open for the life of the JVM.
        connection.setUseCaches(false);
        try (InputStream in = connection.getInputStream()) {
            return in.readAllBytes();
        }
    }

    private static String sum(String sums, String file) throws IOException {
        return sums.lines()
                .filter(line -> line.endsWith("  " + file))
                .map(line -> line.substring(0, line.indexOf(' ')))
                .findFirst()
                .orElseThrow(() -> new IOException(SUMS + " does not name " + file));
    }

    private static UnsupportedException unsupported(String name, String rule) {
        String engine = name.equals("jcuconv_jni") ? "cuda or emulated" : name.replace("jcuconv_", "");
        return new UnsupportedException(engine, "here", rule, List.of());
    }
}
