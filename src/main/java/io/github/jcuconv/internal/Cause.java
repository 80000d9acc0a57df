package io.github.jcuconv.internal;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Why a GPU, or the native libraries, do not serve here. The causes stand in the order in which they hide one another: the first that holds is the one
 * to mend.
 */
public enum Cause {
    /** The natives are for Linux. */
    OTHER_SYSTEM(
            m -> only(
                    !m.system().equals("Linux"), m.system() + " is not Linux, for which the native libraries are made"),
            "take Linux, or --engine reference for small things"),
    /** The natives of cuda, emulated and cudnn are for x86-64. */
    OTHER_PROCESSOR(
            m -> only(
                    !List.of("amd64", "x86_64").contains(m.architecture()),
                    m.architecture() + " is not x86-64, for which the native libraries are made"),
            "take --engine onednn or reference"),
    /** Binaries for glibc do not start on musl. */
    MUSL(
            m -> only(m.libc().equals("musl"), "the C library is musl, and the native libraries need glibc"),
            "take a distribution with glibc: Debian, Ubuntu, RHEL or an image of one"),
    /** A binary of a newer distribution. */
    OLD_GLIBC(
            m -> said(m, "GLIBC").map(text -> "this system has " + m.libc() + ", which is too old: " + text),
            "take a newer distribution: Debian 12, Ubuntu 22.04, RHEL 9; or build the native part here"),
    /** No folder may hold programs. */
    NO_EXECUTION(
            m -> said(m, "noexec"), "name a folder that allows execution: -Djcuconv.tmpdir=DIR in JDK_JAVA_OPTIONS"),
    /** JDK 24 and newer ask, later ones refuse. */
    NATIVE_ACCESS_DENIED(
            m -> said(m, "native access is denied"),
            "start java with --enable-native-access=ALL-UNNAMED, or the module that the message names"),
    /** A library that is not what it was built as. */
    CORRUPT_JAR(
            m -> said(m, "is corrupt").or(() -> said(m, "ZipException")).or(() -> said(m, "invalid LOC header")),
            "delete the jar that the message names, and build or download it again"),
    /** Nothing of NVIDIA's is on the bus. */
    NO_GPU(
            m -> only(!m.hasGpu(), "no NVIDIA GPU is in this machine"),
            "nothing to mend: --engine onednn computes on the CPU"),
    /** There is a GPU, and no kernel module. */
    NO_DRIVER(
            m -> only(m.driver().isEmpty() && !isWindows(m), "there is an NVIDIA GPU, and no driver of NVIDIA's runs"),
            "install NVIDIA's driver 580 or newer (Debian: apt install nvidia-driver) and restart"),
    /** A container sees the host's module, and nothing else of the GPU. */
    CONTAINER_WITHOUT_GPU(
            m -> only(
                    m.library("libcuda.so.1").isEmpty() || m.devices().isEmpty() && !isWindows(m),
                    "the driver runs, and " + (m.library("libcuda.so.1").isEmpty() ? "libcuda.so.1" : "/dev/nvidia0")
                            + " is not here, as in a container that was given no GPU"),
            "start the container with --gpus all (and install NVIDIA's container toolkit on the host)"),
    /** The device files are another group's. */
    NO_PERMISSION(
            m -> m.devices().stream()
                    .filter(file -> !Files.isReadable(file) || !Files.isWritable(file))
                    .findFirst()
                    .map(file -> "this user may not use /dev/" + file.getFileName()),
            "add the user to the group that owns the file (ls -l /dev/nvidia*), and log in again"),
    /** After an update, before a restart. */
    MIXED_DRIVER(
            m -> m.library("libcuda.so.1")
                    .flatMap(Machine::version)
                    .filter(version -> version.contains(".") && m.driver().isPresent())
                    .filter(version -> !version.equals(m.driver().orElse("")))
                    .map(version -> "libcuda.so.1 is of driver " + version + ", and driver "
                            + m.driver().orElse("") + " runs"),
            "restart the machine, so that the updated driver runs"),
    /** The kernels were built with CUDA 13. */
    OLD_DRIVER(
            m -> m.driver()
                    .filter(version -> number(version) < Cause.LEAST_DRIVER)
                    .map(version -> "driver " + version + " is older than " + Cause.LEAST_DRIVER
                            + ", which what CUDA 13 builds needs"),
            "update NVIDIA's driver to 580 or newer"),
    /** Someone hid them. */
    HIDDEN_GPUS(
            m -> Optional.ofNullable(m.environment().get("CUDA_VISIBLE_DEVICES"))
                    .filter(value -> value.isBlank() || value.strip().startsWith("-"))
                    .map(value -> "CUDA_VISIBLE_DEVICES is '" + value + "', which hides every GPU"),
            "unset CUDA_VISIBLE_DEVICES"),
    /** Volta and older. */
    OLD_GPU(
            m -> only(
                    !m.capabilities().isEmpty()
                            && m.capabilities().stream().allMatch(c -> Double.parseDouble(c) < Cause.LEAST_CAPABILITY),
                    "compute capability " + String.join(", ", m.capabilities()) + " is below "
                            + Cause.LEAST_CAPABILITY),
            "take a GPU of 2018 or newer (Turing), or --engine onednn"),
    /** The kernels were not compiled. */
    NOT_BUILT(
            m -> said(m, "libjcuconv_cuda.so")
                    .filter(text -> text.contains("built without") || text.contains("not on the class path")),
            "run any command with --engine cuda: ./jcuconv builds it, and needs cmake, g++ and CUDA 13's nvcc for it"),
    /** JCuda alone is not enough. */
    NO_JCUDA(m -> said(m, "org.jcuda:"), "add the jars that the message names to the class path"),
    /** Nothing to compare with. */
    NO_CUDNN(
            m -> only(
                    m.library("libcudnn.so.9").isEmpty()
                            && m.library("libcudnn.so.8").isEmpty(),
                    "there is no cuDNN"),
            "for --engine cudnn install cuDNN 9, or name its folder in LD_LIBRARY_PATH before Java starts"),
    /** JCuda 12.6 calls cuDNN 9. */
    OLD_CUDNN(
            m -> only(m.library("libcudnn.so.9").isEmpty(), "there is cuDNN 8, and JCuda needs cuDNN 9"),
            "for --engine cudnn install cuDNN 9"),
    /** cuDNN is eight libraries, which have to be of one release. */
    MIXED_CUDNN(
            m -> Optional.of(new TreeSet<>(parts(m).toList()))
                    .filter(origins -> origins.size() > 1)
                    .map(origins ->
                            "the parts of cuDNN are of different releases or folders: " + String.join(", ", origins)),
            "remove all but one cuDNN from LD_LIBRARY_PATH and the system"),
    /** The name of cuBLAS carries the release of CUDA. */
    OTHER_CUBLAS(
            m -> m.library("libcublas.so.12").isPresent()
                    ? Optional.empty()
                    : Stream.of("13", "11")
                            .filter(major -> m.library("libcublas.so." + major).isPresent())
                            .findFirst()
                            .map(major -> "cuBLAS is that of CUDA " + major + ", and JCuda needs that of CUDA 12"),
            "nothing has to be done: dense layers go through cuDNN; for cuBLAS install libcublas 12 beside the other"),
    /** CUDA without its libraries. */
    NO_CUBLAS(
            m -> only(m.library("libcublas.so.12").isEmpty(), "there is no cuBLAS"),
            "nothing has to be done: dense layers go through cuDNN; for cuBLAS install libcublas 12");

    private static final int LEAST_DRIVER = 580;
    private static final double LEAST_CAPABILITY = 7.5;
    private static final List<String> PARTS = List.of(
            "", "_graph", "_ops", "_cnn", "_adv", "_engines_precompiled", "_engines_runtime_compiled", "_heuristic");

    @SuppressWarnings("ImmutableEnumChecker") // No function above holds anything.
    private final Function<Machine, Optional<String>> finds;

    private final String action;

    Cause(Function<Machine, Optional<String>> finds, String action) {
        this.finds = finds;
        this.action = action;
    }

    /** The first cause that holds. */
    public static Optional<Cause> of(Machine machine) {
        return Stream.of(values())
                .filter(cause -> cause.finds.apply(machine).isPresent())
                .findFirst();
    }

    /** What is wrong, in one line. */
    public String finding(Machine machine) {
        return finds.apply(machine).orElse("");
    }

    /** What to do about it, in one line. */
    public String action() {
        return action;
    }

    private static Optional<String> only(boolean holds, String finding) {
        return holds ? Optional.of(finding) : Optional.empty();
    }

    /** The first refusal that speaks of this. */
    private static Optional<String> said(Machine machine, String word) {
        return machine.refusals().stream().filter(text -> text.contains(word)).findFirst();
    }

    /** Under Windows the driver is there, not here. */
    private static boolean isWindows(Machine machine) {
        return Files.exists(machine.at("/dev/dxg"));
    }

    private static int number(String version) {
        return Integer.parseInt(version.substring(0, version.indexOf('.')));
    }

    /** Version, or else folder, of each part of cuDNN that is found. */
    private static Stream<String> parts(Machine machine) {
        return PARTS.stream()
                .map(part -> machine.library("libcudnn" + part + ".so.9"))
                .flatMap(Optional::stream)
                .map(Cause::origin);
    }

    private static String origin(Path library) {
        return Machine.version(library)
                .filter(version -> version.contains("."))
                .orElseGet(() -> Objects.toString(library.getParent()));
    }
}
