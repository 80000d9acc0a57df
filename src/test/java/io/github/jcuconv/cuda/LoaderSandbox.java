package io.github.jcuconv.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.UnsupportedException;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** JVMs of their own that load a stand-in for the glue; temporary folder, cache and natives are theirs alone. */
final class LoaderSandbox {
    static final String GLUE = "jcuconv_jni";
    static final String FOLDER = "io/github/jcuconv/native/linux-x86_64";
    static final String FILE = "lib" + GLUE + ".so";

    /** A library that leaves its mark when it is loaded. */
    private static final String SOURCE =
            """
            #include <fcntl.h>
            #include <stdlib.h>
            #include <unistd.h>
            __attribute__((constructor)) static void leave_mark() {
                const int file = open(getenv("MARKS"), O_WRONLY | O_APPEND);
                if (write(file, MARK "\\n", sizeof(MARK)) < 0) abort();
                close(file);
            }
            """;

    final Path temp;
    /** java.io.tmpdir of the JVMs. */
    final Path tmp;
    /** XDG_CACHE_HOME of the JVMs. */
    final Path cache;
    /** What stands on their class path, beside the classes. */
    final Path natives;

    private final Path marks;

    LoaderSandbox(Path temp) throws IOException, InterruptedException {
        this.temp = temp;
        tmp = Files.createDirectories(temp.resolve("a tmp"));
        cache = Files.createDirectories(temp.resolve("cache"));
        natives = temp.resolve("some natives");
        marks = Files.createFile(temp.resolve("marks"));
        compile("ours", natives.resolve(FOLDER).resolve(FILE));
        writeSums();
    }

    /** Compiles a library that writes {@code mark} into the marks when it is loaded. */
    void compile(String mark, Path library) throws IOException, InterruptedException {
        Files.createDirectories(library.getParent());
        Path source = Files.writeString(temp.resolve("stand-in.cpp"), SOURCE);
        List<String> command = List.of(
                "g++", "-shared", "-fPIC", "-DMARK=\"" + mark + "\"", source.toString(), "-o", library.toString());
        Process compiler;
        try {
            compiler = new ProcessBuilder(command).inheritIO().start();
        } catch (IOException e) {
            assumeTrue(false, "not run: no g++ to build libraries for the test");
            return;
        }
        assertEquals(0, compiler.waitFor());
    }

    /** Writes SHA256SUMS for what lies in the natives now. */
    void writeSums() throws IOException {
        Path folder = natives.resolve(FOLDER);
        Files.writeString(folder.resolve("SHA256SUMS"), sha256(folder.resolve(FILE)) + "  " + FILE + "\n");
    }

    static String sha256(Path file) throws IOException {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(file)));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    /** What the libraries that were loaded so far wrote. */
    List<String> marks() throws IOException {
        return Files.readAllLines(marks);
    }

    /** A command for {@link #start}: this JDK, everything on the class path. */
    List<String> command(String... flags) {
        return command(
                ownJava(),
                Stream.concat(Stream.of(flags), Stream.of("-cp", classPath(natives))),
                Child.class.getName());
    }

    List<String> command(Path java, Stream<String> flags, String main) {
        Stream<String> fixed = Stream.of(
                java.toString(), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx64m", "-Djava.io.tmpdir=" + tmp);
        return Stream.of(fixed, flags, Stream.of(main)).flatMap(part -> part).toList();
    }

    static Path ownJava() {
        return Path.of(System.getProperty("java.home"), "bin", "java");
    }

    static String classPath(Path natives) {
        return String.join(
                File.pathSeparator, mainClasses().toString(), testClasses().toString(), natives.toString());
    }

    static Path mainClasses() {
        return origin(NativeLibraries.class);
    }

    static Path testClasses() {
        return origin(LoaderSandbox.class);
    }

    private static Path origin(Class<?> type) {
        try {
            return Path.of(
                    type.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new AssertionError(e);
        }
    }

    Running start(List<String> command) throws IOException {
        return start(command, "");
    }

    /** @param libraryPath the process's LD_LIBRARY_PATH */
    Running start(List<String> command, String libraryPath) throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(temp.toFile()).redirectErrorStream(true);
        builder.environment().put("XDG_CACHE_HOME", cache.toString());
        builder.environment().put("MARKS", marks.toString());
        builder.environment().put("LD_LIBRARY_PATH", libraryPath);
        builder.environment().remove("JDK_JAVA_OPTIONS");
        Process process = builder.start();
        return new Running(process, process.inputReader(StandardCharsets.UTF_8));
    }

    /** Starts, lets it end at once, and gives everything that it wrote. */
    String run(List<String> command) throws IOException, InterruptedException {
        return start(command).end();
    }

    static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    record Running(Process process, BufferedReader out) {
        /** The library's path, which the JVM prints once it is loaded; newer releases warn of native access before it. */
        Path library() throws IOException {
            String line = out.readLine();
            while (line != null && (line.isEmpty() || line.startsWith("WARNING: "))) {
                line = out.readLine();
            }
            if (line == null || !line.startsWith("/")) {
                process.getOutputStream().close(); // or the JVM would wait for its end, and this for the JVM's
                throw new AssertionError(
                        line + "\n" + String.join("\n", out.lines().toList()));
            }
            return Path.of(line);
        }

        /** Lets the JVM end, and gives what it wrote since. */
        String end() throws IOException, InterruptedException {
            process.getOutputStream().close();
            List<String> rest = new ArrayList<>(out.lines().toList());
            assertTrue(process.waitFor(60, TimeUnit.SECONDS));
            assertEquals(0, process.exitValue(), () -> String.join("\n", rest));
            return String.join("\n", rest);
        }

        void kill() throws InterruptedException {
            process.destroyForcibly().waitFor();
        }
    }

    /** The JVM's program. */
    static final class Child {
        private Child() {}

        public static void main(String[] args) throws IOException {
            try {
                NativeLibraries.load(GLUE);
                System.out.println(NativeLibraries.locate(GLUE));
            } catch (UnsupportedException e) {
                System.out.println(e.rule());
            }
            while (System.in.read() >= 0) {
                // Waits for the end of its input.
            }
        }
    }
}
