package io.github.jcuconv.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A machine on which all is well, made of files; each cause is one thing changed in it, and is told from all others. */
@EnabledOnOs(OS.LINUX)
class CauseTest {
    private static final String LIBRARIES = "/usr/lib/x86_64-linux-gnu/";
    private static final String MODULE =
            """
            NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  %s  Release Build  (dvs-builder@U22)  Wed Jul 30 2025
            GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
            """;

    @TempDir
    private Path root;

    private final Map<String, String> environment = new HashMap<>();
    private final Map<String, String> properties = new HashMap<>();
    private final Map<String, String> programs = new HashMap<>();
    private final List<String> refusals = new ArrayList<>();
    private final Map<Cause, Change> changes = new EnumMap<>(Cause.class);

    /** What is done to the machine. */
    @FunctionalInterface
    private interface Change {
        void make() throws IOException;
    }

    @BeforeEach
    void makeMachine() throws IOException {
        properties.put("os.name", "Linux");
        properties.put("os.arch", "amd64");
        programs.put("getconf", "glibc 2.36");
        programs.put("nvidia-smi", "9.0\n9.0");
        write("/sys/bus/pci/devices/0000:00:02.0/vendor", "0x1af4\n");
        write("/sys/bus/pci/devices/0000:00:02.0/class", "0x020000\n");
        write("/sys/bus/pci/devices/0000:01:00.0/vendor", "0x10de\n");
        write("/sys/bus/pci/devices/0000:01:00.0/class", "0x030200\n");
        write("/proc/driver/nvidia/version", String.format(MODULE, "580.65.06"));
        write("/dev/nvidia0", "");
        write("/dev/nvidiactl", "");
        library("libcuda", "1", "580.65.06");
        for (String part : List.of("", "_ops", "_cnn", "_graph")) {
            library("libcudnn" + part, "9", "9.5.1");
        }
        library("libcublas", "12", "12.6.4.1");
        describeChanges();
    }

    private void describeChanges() {
        changes.put(Cause.OTHER_SYSTEM, () -> properties.put("os.name", "Windows 11"));
        changes.put(Cause.OTHER_PROCESSOR, () -> properties.put("os.arch", "aarch64"));
        changes.put(Cause.MUSL, () -> {
            programs.remove("getconf");
            write("/lib/ld-musl-x86_64.so.1", "");
        });
        changes.put(
                Cause.OLD_GLIBC,
                () -> refusals.add("the system refuses /tmp/x/libjcuconv_jni.so: /lib/x86_64-linux-gnu/libc.so.6:"
                        + " version `GLIBC_2.36' not found"));
        changes.put(
                Cause.NO_EXECUTION,
                () -> refusals.add("no folder takes its native libraries (/tmp: execution is forbidden there (noexec));"
                        + " name one with -Djcuconv.tmpdir=DIR"));
        changes.put(
                Cause.NATIVE_ACCESS_DENIED,
                () -> refusals.add("native access is denied; start java with --enable-native-access=ALL-UNNAMED"));
        changes.put(
                Cause.CORRUPT_JAR,
                () -> refusals.add(
                        "jar:file:/x.jar!/libjcuconv_cuda.so is corrupt: its SHA-256 is 1, SHA256SUMS says 2"));
        changes.put(Cause.NO_GPU, () -> {
            delete("/sys/bus/pci/devices/0000:01:00.0/vendor");
            delete("/proc/driver/nvidia/version");
        });
        changes.put(Cause.NO_DRIVER, () -> delete("/proc/driver/nvidia/version"));
        changes.put(Cause.CONTAINER_WITHOUT_GPU, () -> delete("/dev/nvidia0"));
        // Root may read every file, but not one that a link only promises.
        changes.put(Cause.NO_PERMISSION, () -> {
            delete("/dev/nvidia0");
            Files.createSymbolicLink(at("/dev/nvidia0"), Path.of("forbidden"));
        });
        changes.put(Cause.MIXED_DRIVER, () -> library("libcuda", "1", "580.82.07"));
        changes.put(Cause.OLD_DRIVER, () -> {
            write("/proc/driver/nvidia/version", String.format(MODULE, "550.54.15"));
            library("libcuda", "1", "550.54.15");
        });
        changes.put(Cause.HIDDEN_GPUS, () -> environment.put("CUDA_VISIBLE_DEVICES", "-1"));
        changes.put(Cause.OLD_GPU, () -> programs.put("nvidia-smi", "6.1\n7.0"));
        changes.put(
                Cause.NOT_BUILT, () -> refusals.add("these native libraries were built without libjcuconv_cuda.so"));
        changes.put(
                Cause.NO_JCUDA,
                () -> refusals.add("JCuda is not there (jcuda/CudaException); add org.jcuda:jcuda and jcudnn"));
        changes.put(Cause.NO_CUDNN, () -> delete(LIBRARIES + "libcudnn.so.9"));
        changes.put(Cause.OLD_CUDNN, () -> {
            delete(LIBRARIES + "libcudnn.so.9");
            library("libcudnn", "8", "8.9.7");
        });
        changes.put(Cause.MIXED_CUDNN, () -> library("libcudnn_ops", "9", "9.1.0"));
        changes.put(Cause.OTHER_CUBLAS, () -> {
            delete(LIBRARIES + "libcublas.so.12");
            library("libcublas", "13", "13.0.2.14");
        });
        changes.put(Cause.NO_CUBLAS, () -> delete(LIBRARIES + "libcublas.so.12"));
    }

    private Path at(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    private void write(String file, String contents) throws IOException {
        Files.createDirectories(at(file).getParent());
        Files.writeString(at(file), contents);
    }

    private void delete(String file) throws IOException {
        assertTrue(Files.deleteIfExists(at(file)), file);
    }

    /** A library as packages lay it out: the name is a link to the file with the version. */
    private void library(String name, String number, String version) throws IOException {
        String file = name + ".so." + version;
        write(LIBRARIES + file, "");
        Path link = at(LIBRARIES + name + ".so." + number);
        Files.deleteIfExists(link);
        Files.createSymbolicLink(link, Path.of(file));
    }

    private Machine machine() {
        return new Machine(
                root, environment, properties::get, command -> programs.getOrDefault(command.get(0), ""), refusals);
    }

    @Test
    void nothing_is_missing_where_all_is_well() {
        assertEquals(Optional.empty(), Cause.of(machine()));
        assertEquals(
                "driver 580.65.06, compute capability 9.0 9.0, cuDNN 9.5.1, cuBLAS 12.6.4.1",
                machine().gpus());
    }

    @ParameterizedTest
    @EnumSource
    void each_cause_is_told_from_the_others(Cause cause) throws IOException {
        changes.get(cause).make();
        Machine changed = machine();
        assertEquals(Optional.of(cause), Cause.of(changed));
        assertFalse(cause.finding(changed).isBlank());
        assertEquals(1, cause.finding(changed).lines().count(), cause.finding(changed));
    }

    @Test
    void findings_and_actions_differ() throws IOException {
        Set<String> actions = new HashSet<>();
        for (Cause cause : Cause.values()) {
            assertTrue(actions.add(cause.action()), cause + " has the action of another");
        }
        assertTrue(actions.size() >= 12);
    }

    @Test
    void a_library_is_found_where_the_linker_would_find_it() throws IOException {
        delete(LIBRARIES + "libcudnn.so.9");
        write("/opt/cudnn/lib/libcudnn.so.9", "");
        write("/etc/ld.so.cache", "glibc-ld.so.cache1.1\0libcudnn.so.9\0/opt/cudnn/lib/libcudnn.so.9\0");
        assertEquals(Optional.of(at("/opt/cudnn/lib/libcudnn.so.9")), machine().library("libcudnn.so.9"));
        write("/opt/wheel/libcudnn.so.9", "");
        environment.put("LD_LIBRARY_PATH", "/nowhere:/opt/wheel");
        assertEquals(Optional.of(at("/opt/wheel/libcudnn.so.9")), machine().library("libcudnn.so.9"));
    }

    /** A wheel's libraries carry no version: its folder stands for it. */
    @Test
    void a_wheel_before_a_package_is_a_mixture() throws IOException {
        write("/opt/wheel/libcudnn.so.9", "");
        environment.put("LD_LIBRARY_PATH", "/opt/wheel");
        assertEquals(Optional.of(Cause.MIXED_CUDNN), Cause.of(machine()));
        for (String part : List.of("_ops", "_cnn", "_graph")) {
            write("/opt/wheel/libcudnn" + part + ".so.9", "");
        }
        assertEquals(Optional.empty(), Cause.of(machine()));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Sun Jul 27 2025",
                "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.65.06  Release Build  (root@12.8.1)",
            })
    void both_kinds_of_the_drivers_line_are_read(String line) throws IOException {
        write("/proc/driver/nvidia/version", line);
        assertEquals(Optional.of("580.65.06"), machine().driver());
    }

    /** Windows lends its GPU without a bus and without a kernel module. */
    @Test
    void a_gpu_lent_by_windows_is_one() throws IOException {
        delete("/sys/bus/pci/devices/0000:01:00.0/vendor");
        delete("/proc/driver/nvidia/version");
        delete("/dev/nvidia0");
        write("/dev/dxg", "");
        write("/usr/lib/wsl/lib/libcuda.so.1", "");
        assertEquals(Optional.empty(), Cause.of(machine()));
    }

    /** As on the machine of this test, whatever it is: no probe throws. */
    @Test
    void the_real_machine_is_read() {
        Machine here = Machine.here(List.of());
        assertFalse(here.libc().isBlank());
        Cause.of(here).ifPresent(cause -> assertFalse(cause.finding(here).isBlank()));
    }
}
