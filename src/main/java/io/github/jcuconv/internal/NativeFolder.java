package io.github.jcuconv.internal;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The one {@link PrivateFolder} from which this JVM loads native libraries, ours and those of others.
 *
 * <p>It lies under {@code java.io.tmpdir}, or, where that forbids execution or writing, in the user's cache; {@code -Djcuconv.tmpdir=DIR} names
 * another place, and then the only one.
 */
public final class NativeFolder {
    private static final String TMPDIR = "jcuconv.tmpdir";

    private static @Nullable PrivateFolder folder;

    private NativeFolder() {}

    /**
     * Writes a library that no other call of this JVM wrote.
     *
     * @return its absolute path
     * @throws IOException if that is impossible; the message says why and what to do
     */
    public static synchronized Path store(String file, byte[] library) throws IOException {
        if (folder == null) {
            return storeInNewFolder(file, library);
        }
        try {
            return store(folder, file, library);
        } catch (IOException e) {
            throw new IOException("cannot write " + file + " beside other native libraries: " + reason(e), e);
        }
    }

    /** Makes this JVM's folder in the first place that takes the library. */
    private static Path storeInNewFolder(String file, byte[] library) throws IOException {
        List<String> refused = new ArrayList<>();
        for (Path parent : parents()) {
            PrivateFolder fresh = null;
            try {
                fresh = PrivateFolder.in(parent);
                Path path = store(fresh, file, library);
                folder = fresh;
                return path;
            } catch (IOException e) {
                refused.add(parent + ": " + reason(e));
                if (fresh != null) {
                    fresh.delete();
                }
            }
        }
        throw new IOException("no folder takes its native libraries (" + String.join("; ", refused)
                + "); name one with -D" + TMPDIR + "=DIR");
    }

    private static Path store(PrivateFolder folder, String file, byte[] library) throws IOException {
        Path path = folder.create(file, out -> {
            ByteBuffer rest = ByteBuffer.wrap(library);
            while (rest.hasRemaining()) {
                out.write(rest);
            }
        });
        // access(2) answers no for every file of a mount that forbids execution, also to root and whatever the file's
        // mode.
        if (!Files.isExecutable(path)) {
            throw new IOException("execution is forbidden there (noexec)");
        }
        if (!Arrays.equals(library, Files.readAllBytes(path))) {
            throw new IOException("it does not keep what is written");
        }
        return path;
    }

    private static List<Path> parents() {
        String wanted = System.getProperty(TMPDIR);
        if (wanted != null && !wanted.isBlank()) {
            return List.of(Path.of(wanted));
        }
        return List.of(Path.of(System.getProperty("java.io.tmpdir", "/tmp")), userCache());
    }

    /** The folder for what this user may lose: {@code $XDG_CACHE_HOME/jcuconv}, else {@code ~/.cache/jcuconv}. */
    public static Path userCache() {
        String cache = System.getenv("XDG_CACHE_HOME");
        Path caches = cache != null && Path.of(cache).isAbsolute()
                ? Path.of(cache)
                : Path.of(System.getProperty("user.home", "."), ".cache");
        return caches.resolve("jcuconv");
    }

    /** What tells whether a library is the one that was built. */
    public static String sha256(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /** A reason for people: the messages of the JDK's exceptions on files often are just the path. */
    public static String reason(IOException e) {
        if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        }
        if (e instanceof AccessDeniedException) {
            return "access denied";
        }
        if (e instanceof FileSystemException f && f.getReason() != null) {
            return f.getReason();
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
