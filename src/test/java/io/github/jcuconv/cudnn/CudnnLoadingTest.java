package io.github.jcuconv.cudnn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.github.jcuconv.testing.Jdks;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is missing is said, costs no other engine anything, and what lies about on the disk is never loaded. */
@EnabledOnOs(value = OS.LINUX, architectures = "amd64")
@Timeout(120)
class CudnnLoadingTest {
    private static final String[] SHAPE = {"--op", "conv2d", "--shapes", "n1c2h4w4k2r3s3", "--pass", "fprop"};

    @TempDir
    private Path temp;

    private static void notRun(StandIn standIn, String reason) throws Exception {
        StandIn.Result result = standIn.verify(SHAPE);
        assertEquals(3, result.status(), result.out());
        assertTrue(result.out().startsWith("jcuconv: not run: engine cudnn"), result.out());
        assertTrue(result.out().contains(reason), result.out());
        assertEquals(1, result.out().lines().count(), result.out());
    }

    @Test
    void a_machine_without_a_gpu() throws Exception {
        notRun(new StandIn(temp).flag("-Djcuconv.cudnn.device=cuda"), "it needs the engine cuda: ");
    }

    @Test
    void no_cudnn() throws Exception {
        notRun(
                new StandIn(temp).with("LD_LIBRARY_PATH", temp.toString()),
                "there is no cuDNN 9 (libcudnn.so.9: cannot open shared object file");
    }

    /** Matrix products then go through cuDNN, which is said once. */
    @Test
    void no_cublas() throws Exception {
        StandIn standIn = new StandIn(temp);
        Path folder = Files.createDirectory(temp.resolve("cudnn alone"));
        Files.copy(StandIn.FOLDER.resolve("libcudnn.so.9"), folder.resolve("libcudnn.so.9"));
        String[] dense = {"--op", "dense", "--shapes", "n8c84k10bias1", "--pass", "fprop"};
        StandIn.Result result =
                standIn.with("LD_LIBRARY_PATH", folder.toString()).verify(dense);
        assertEquals(0, result.status(), result.out());
        assertTrue(result.out().contains("cudnn implicit_precomp_gemm + add_tensor"), result.out());
        String said = "dense layers go through cuDNN: there is no cuBLAS 12 (libcublas.so.12: cannot open";
        assertEquals(1, result.out().lines().filter(line -> line.contains(said)).count(), result.out());
        StandIn.Result both =
                standIn.with("LD_LIBRARY_PATH", StandIn.FOLDER.toString()).verify(dense);
        assertTrue(both.out().contains("cudnn gemm_ex + add_tensor"), both.out());
    }

    @ParameterizedTest
    @ValueSource(ints = {17, 25})
    void from_the_module_path(int jdk) throws Exception {
        Optional<Path> java = Jdks.java(jdk);
        assumeTrue(java.isPresent(), "not run: no JDK " + jdk + " is installed");
        StandIn standIn = new StandIn(temp).onModulePath(java.get());
        if (jdk == 25) {
            standIn.flag("--enable-native-access=io.github.jcuconv,jcuda,jcudnn,jcublas")
                    .flag("--illegal-native-access=deny");
        }
        StandIn.Result result = standIn.verify(SHAPE);
        assertEquals(0, result.status(), result.out());
    }

    @Test
    void denied_native_access() throws Exception {
        Optional<Path> java = Jdks.java(25);
        assumeTrue(java.isPresent(), "not run: no JDK 25 is installed");
        notRun(
                new StandIn(temp)
                        .onModulePath(java.get())
                        .flag("--enable-native-access=io.github.jcuconv")
                        .flag("--illegal-native-access=deny"),
                "native access is denied to JCuda; start java with --enable-native-access=jcuda,jcudnn,jcublas");
    }

    @Test
    void another_cudnn() throws Exception {
        notRun(new StandIn(temp).with("CUDNN_STAND_IN_VERSION", "8907"), "is version 8907, cuDNN 9 is needed");
    }

    @Test
    void a_broken_cudnn_costs_other_engines_nothing() throws Exception {
        Files.writeString(temp.resolve("libcudnn.so.9"), "no library");
        StandIn broken = new StandIn(temp).with("LD_LIBRARY_PATH", temp.toString());
        notRun(broken, "JCuda's libJCudnn does not load: ");
        StandIn.Result doctor = broken.cli(List.of("doctor"));
        assertTrue(
                doctor.out().contains("engine cudnn       not available: JCuda's libJCudnn does not load"),
                doctor.out());
        for (String engine : List.of("onednn", "emulated", "reference")) {
            assertTrue(doctor.out().matches("(?s).*\\Rengine " + engine + " .*self-test passed.*"), doctor.out());
        }
    }

    @Test
    void no_natives_of_jcuda() throws Exception {
        notRun(new StandIn(temp).without("jcudnn-natives"), "add the jar org.jcuda:jcudnn-natives:12.6.0");
    }

    @Test
    void a_corrupt_library_of_jcuda() throws Exception {
        String file = "lib/libJCudnn-12.6.0-linux-x86_64.so";
        Path library = temp.resolve("jar").resolve(file);
        Files.createDirectories(library.getParent());
        byte[] bytes;
        try (InputStream in = CudnnLoadingTest.class.getClassLoader().getResourceAsStream(file)) {
            bytes = in.readAllBytes();
        }
        bytes[bytes.length / 2] ^= 1;
        Files.write(library, bytes);
        notRun(new StandIn(temp).before(temp.resolve("jar")), file + " is corrupt: its SHA-256 is ");
    }

    @Test
    void no_jcuda() throws Exception {
        notRun(new StandIn(temp).without("/jcudnn/"), "add org.jcuda:jcuda and jcudnn");
    }

    @Test
    void a_planted_library_is_not_loaded_and_nothing_stays() throws Exception {
        Path tmp = Files.createDirectory(temp.resolve("tmp"));
        Path planted = tmp.resolve("libJCudnn-12.6.0-linux-x86_64.so");
        Files.writeString(planted, "not a library");
        StandIn.Result result =
                new StandIn(temp).flag("-Djava.io.tmpdir=" + tmp).verify(SHAPE);
        assertEquals(0, result.status(), result.out());
        try (Stream<Path> left = Files.list(tmp)) {
            assertEquals(Stream.of(planted).toList(), left.toList());
        }
    }
}
