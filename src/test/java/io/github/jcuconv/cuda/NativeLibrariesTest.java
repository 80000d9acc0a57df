package io.github.jcuconv.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.cuda.LoaderSandbox.Running;
import io.github.jcuconv.testing.Jdks;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Native libraries come from the class path, checked, through a private folder; from nowhere else, and nothing stays behind. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(180)
class NativeLibrariesTest {
    private static final String MODULE = "io.github.jcuconv";

    @TempDir
    private Path temp;

    private LoaderSandbox sandbox;

    @BeforeEach
    void makeSandbox() throws Exception {
        sandbox = new LoaderSandbox(temp.toRealPath());
    }

    @ParameterizedTest(name = "JDK {0}, classes on the {1} path, natives: {2} on the {3} path")
    @CsvSource({
        "17, class, folder, class",
        "17, class, jar, class",
        "17, module, jar, module",
        "17, module, folder, class",
        "25, class, folder, class",
        "25, class, jar, class",
        "25, module, jar, module",
        "25, module, folder, class",
    })
    void loads_from(int jdk, String classes, String form, String where) throws Exception {
        Optional<Path> java = Jdks.java(jdk);
        assumeTrue(java.isPresent(), "not run: no JDK " + jdk + " is installed");
        Path natives = form.equals("jar") ? jar() : sandbox.natives;
        List<String> flags = new ArrayList<>();
        String main = LoaderSandbox.Child.class.getName();
        if (classes.equals("class")) {
            flags.addAll(List.of("-cp", LoaderSandbox.classPath(natives)));
        } else {
            String modules = LoaderSandbox.mainClasses().toString();
            flags.addAll(List.of("--patch-module", MODULE + "=" + LoaderSandbox.testClasses()));
            if (where.equals("module")) {
                modules += File.pathSeparator + natives;
                flags.addAll(List.of("--add-modules", "ALL-MODULE-PATH"));
            } else {
                flags.addAll(List.of("-cp", natives.toString()));
            }
            flags.addAll(List.of("-p", modules, "-m"));
            main = MODULE + "/" + main;
        }
        if (jdk >= 22) {
            flags.add(0, "--enable-native-access=" + (classes.equals("class") ? "ALL-UNNAMED" : MODULE));
        }
        Running jvm = sandbox.start(sandbox.command(java.get(), flags.stream(), main));
        Path library = jvm.library();
        assertTrue(library.startsWith(sandbox.tmp), library.toString());
        assertEquals("", jvm.end(), "warnings");
        assertEquals(List.of("ours"), sandbox.marks());
        assertEquals(List.of(), LoaderSandbox.list(sandbox.tmp));
    }

    @Test
    void jvms_that_start_together_never_collide_and_leave_nothing() throws Exception {
        int count = 32;
        List<Running> jvms = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            jvms.add(sandbox.start(sandbox.command()));
        }
        Set<Path> libraries = new HashSet<>();
        for (Running jvm : jvms) {
            Path library = jvm.library();
            libraries.add(library);
            assertEquals("r-x------", PosixFilePermissions.toString(Files.getPosixFilePermissions(library)));
            assertEquals(
                    "rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(library.getParent())));
        }
        assertEquals(count, libraries.size());
        assertEquals(count, LoaderSandbox.list(sandbox.tmp).size());
        for (Running jvm : jvms) {
            assertEquals("", jvm.end());
        }
        assertEquals(count, sandbox.marks().size());
        assertEquals(Set.of("ours"), Set.copyOf(sandbox.marks()));
        assertEquals(List.of(), LoaderSandbox.list(sandbox.tmp));
    }

    @Test
    void planted_libraries_are_never_loaded() throws Exception {
        Path elsewhere = temp.resolve("elsewhere");
        List<Path> planted = List.of(
                temp.resolve(LoaderSandbox.FILE),
                sandbox.tmp.resolve(LoaderSandbox.FILE),
                sandbox.tmp.resolve("jcuconv-natives-1").resolve(LoaderSandbox.FILE),
                sandbox.tmp.resolve("jcuconv").resolve(LoaderSandbox.FILE),
                sandbox.cache.resolve("jcuconv").resolve(LoaderSandbox.FILE),
                elsewhere.resolve(LoaderSandbox.FILE));
        sandbox.compile("planted", elsewhere.resolve(LoaderSandbox.FILE));
        for (Path file : planted.subList(0, planted.size() - 1)) {
            Files.createDirectories(file.getParent());
            Files.copy(elsewhere.resolve(LoaderSandbox.FILE), file);
        }
        Path link = Files.createSymbolicLink(sandbox.tmp.resolve("jcuconv-natives-2"), elsewhere);
        Files.setLastModifiedTime(sandbox.tmp.resolve("jcuconv-natives-1"), FileTime.from(Instant.EPOCH));

        Running jvm = sandbox.start(
                sandbox.command("-Djava.library.path=" + elsewhere), elsewhere + File.pathSeparator + temp);
        Path library = jvm.library();
        assertFalse(planted.contains(library), library.toString());
        jvm.end();
        assertEquals(List.of("ours"), sandbox.marks());
        for (Path file : planted) {
            assertTrue(Files.exists(file), () -> "what is not ours was removed: " + file);
        }
        assertTrue(Files.isSymbolicLink(link));
    }

    /** Else the test above would pass with a library that leaves no mark. */
    @Test
    void a_planted_library_would_be_noticed() throws Exception {
        Path planted = temp.resolve("planted");
        sandbox.compile("planted", planted.resolve(LoaderSandbox.FILE));
        Path natives = sandbox.natives.resolve(LoaderSandbox.FOLDER).resolve(LoaderSandbox.FILE);
        Files.copy(planted.resolve(LoaderSandbox.FILE), natives, java.nio.file.StandardCopyOption.REPLACE_EXISTING);
        sandbox.writeSums();
        sandbox.run(sandbox.command());
        assertEquals(List.of("planted"), sandbox.marks());
    }

    @Test
    void folders_of_dead_jvms_are_removed_and_those_of_the_living_stay() throws Exception {
        Running first = sandbox.start(sandbox.command());
        Path folder = first.library().getParent();
        makeOld(folder);
        sandbox.run(sandbox.command());
        assertEquals(List.of(folder), LoaderSandbox.list(sandbox.tmp));

        first.kill();
        makeOld(folder);
        Path stranger = Files.createDirectory(
                sandbox.tmp.resolve("jcuconv-natives-stranger"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
        makeOld(stranger);
        sandbox.run(sandbox.command());
        assertEquals(List.of(stranger), LoaderSandbox.list(sandbox.tmp));
    }

    private static void makeOld(Path folder) throws IOException {
        Files.setLastModifiedTime(folder, FileTime.from(Instant.now().minusSeconds(3600)));
    }

    @Test
    void a_changed_library_is_refused() throws Exception {
        Path library = sandbox.natives.resolve(LoaderSandbox.FOLDER).resolve(LoaderSandbox.FILE);
        String expected = LoaderSandbox.sha256(library);
        byte[] bytes = Files.readAllBytes(library);
        bytes[bytes.length - 1] ^= 1;
        Files.write(library, bytes);
        String out = sandbox.run(sandbox.command());
        assertOneLine(
                out, " is corrupt: its SHA-256 is " + LoaderSandbox.sha256(library) + ", SHA256SUMS says " + expected);
        assertEquals(List.of(), sandbox.marks());
        assertEquals(List.of(), LoaderSandbox.list(sandbox.tmp));

        Files.writeString(library.resolveSibling("SHA256SUMS"), expected + "  libother.so\n");
        assertOneLine(sandbox.run(sandbox.command()), "SHA256SUMS does not name " + LoaderSandbox.FILE);
        Files.delete(library.resolveSibling("SHA256SUMS"));
        assertOneLine(sandbox.run(sandbox.command()), "cannot read ");
    }

    @Test
    void missing_libraries_and_foreign_platforms_are_named() throws Exception {
        assertOneLine(
                sandbox.run(sandbox.command("-Dos.arch=aarch64")),
                "its native libraries exist for linux-x86_64 only, and this is Linux aarch64");
        Path library = sandbox.natives.resolve(LoaderSandbox.FOLDER).resolve(LoaderSandbox.FILE);
        Files.delete(library);
        assertOneLine(
                sandbox.run(sandbox.command()), "these native libraries were built without " + LoaderSandbox.FILE);
        Files.delete(library.resolveSibling("SHA256SUMS"));
        assertOneLine(
                sandbox.run(sandbox.command()),
                " is not on the class path; add the jar of jcuconv with classifier linux-x86_64, or build it: ./jcuconv");
    }

    @Test
    void a_folder_that_forbids_execution_is_passed_over() throws Exception {
        Running jvm = sandbox.start(mounted("noexec", sandbox.tmp, sandbox.command()));
        Path library = jvm.library();
        assertTrue(library.startsWith(sandbox.cache.resolve("jcuconv")), library.toString());
        assertEquals("", jvm.end());
        assertEquals(List.of("ours"), sandbox.marks());
        assertEquals(List.of(), LoaderSandbox.list(sandbox.cache.resolve("jcuconv")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"noexec", "ro"})
    void where_no_folder_will_do_the_property_is_named(String option) throws Exception {
        String reason = option.equals("ro") ? "Read-only file system" : "execution is forbidden there (noexec)";
        String advice = "name one with -Djcuconv.tmpdir=DIR";
        List<String> both = mounted(option, sandbox.cache, mounted(option, sandbox.tmp, sandbox.command()));
        String out = sandbox.run(both);
        assertOneLine(out, sandbox.tmp + ": " + reason);
        assertOneLine(out, sandbox.cache.resolve("jcuconv") + ": " + reason);
        assertOneLine(out, advice);

        Path wanted = Files.createDirectory(temp.resolve("wanted"));
        out = sandbox.run(mounted(option, wanted, sandbox.command("-Djcuconv.tmpdir=" + wanted)));
        assertOneLine(out, "(" + wanted + ": " + reason + "); " + advice);
        assertEquals(List.of(), sandbox.marks());
    }

    @Test
    void a_wanted_folder_is_made_and_used_alone() throws Exception {
        Path wanted = temp.resolve("made/here");
        Running jvm = sandbox.start(sandbox.command("-Djcuconv.tmpdir=" + wanted));
        assertTrue(jvm.library().startsWith(wanted.toRealPath()));
        jvm.end();
        assertEquals(List.of(), LoaderSandbox.list(wanted));

        Files.delete(wanted);
        Files.createFile(wanted);
        assertOneLine(sandbox.run(sandbox.command("-Djcuconv.tmpdir=" + wanted)), "name one with -Djcuconv.tmpdir=DIR");
    }

    @Test
    void a_folder_in_which_all_may_rename_is_passed_over() throws Exception {
        Files.setPosixFilePermissions(sandbox.tmp, PosixFilePermissions.fromString("rwxrwxrwx"));
        Running jvm = sandbox.start(sandbox.command());
        assertTrue(jvm.library().startsWith(sandbox.cache.resolve("jcuconv")));
        jvm.end();
    }

    private static void assertOneLine(String out, String part) {
        assertEquals(1, out.lines().count(), out);
        assertTrue(out.contains(part), out);
    }

    /** The command where a file system with that option is mounted on a folder, for this process alone. */
    private static List<String> mounted(String option, Path folder, List<String> command) throws Exception {
        List<String> unshare = List.of("unshare", "-r", "-m");
        List<String> mount = List.of(
                "sh", "-c", "mount -t tmpfs -o " + option + ",size=16m tmpfs \"$0\" && exec \"$@\"", folder.toString());
        List<String> probe =
                Stream.of(unshare, mount, List.of("true")).flatMap(List::stream).toList();
        try {
            Process process = new ProcessBuilder(probe)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            assumeTrue(process.waitFor() == 0, "not run: this user may not mount a file system");
        } catch (IOException e) {
            assumeTrue(false, "not run: no unshare to mount a file system with");
        }
        return Stream.of(unshare, mount, command).flatMap(List::stream).toList();
    }

    /** The natives as a jar, as Maven attaches it. */
    private Path jar() throws IOException {
        Manifest manifest = new Manifest();
        manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
        manifest.getMainAttributes().putValue("Automatic-Module-Name", MODULE + ".linux.x86_64");
        Path jar = temp.resolve("jcuconv 1-linux-x86_64.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file, manifest)) {
            for (String name : List.of(LoaderSandbox.FILE, "SHA256SUMS")) {
                out.putNextEntry(new JarEntry(LoaderSandbox.FOLDER + "/" + name));
                Files.copy(sandbox.natives.resolve(LoaderSandbox.FOLDER).resolve(name), out);
                out.closeEntry();
            }
        }
        return jar;
    }
}
