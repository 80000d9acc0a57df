package io.github.jcuconv.internal;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a machine shows of itself without any library being loaded: files, variables, and what small programs say.
 *
 * @param root the root of its file system; another one in tests
 * @param environment its variables
 * @param property Java's properties, null for those that are not set
 * @param program what a program prints, empty if it is not there or fails
 * @param refusals why engines say that they cannot run
 */
public record Machine(
        Path root,
        Map<String, String> environment,
        UnaryOperator<String> property,
        Function<List<String>, String> program,
        List<String> refusals) {
    /** "580.65.06" in the line of the kernel's module, whose other numbers are dates and compilers. */
    private static final Pattern DRIVER = Pattern.compile("Module\\D*?(?:x86_64\\D*)?(\\d{3,}\\.\\d+(?:\\.\\d+)?)");

    private static final Pattern VERSION = Pattern.compile("\\.so\\.(\\d[\\d.]*)$");
    private static final String NVIDIA = "0x10de";
    /** Class of a PCI device that draws or computes in three dimensions, or could. */
    private static final String DISPLAY = "0x03";

    private static final List<String> LIBRARY_FOLDERS = List.of(
            "/usr/local/cuda-12.0/lib64", // where JCuda's natives look first
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib64",
            "/usr/lib",
            "/usr/lib/wsl/lib",
            "/usr/local/nvidia/lib64",
            "/usr/local/cuda/lib64");
    private static final int SECONDS = 5;
    private static final int MOST_OUTPUT = 4096;

    /** Copies the list. */
    public Machine {
        refusals = List.copyOf(refusals);
    }

    /** This machine. */
    public static Machine here(List<String> refusals) {
        return new Machine(Path.of("/"), System.getenv(), System::getProperty, Machine::run, refusals);
    }

    private static String run(List<String> command) {
        try {
            Process process =
                    new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            byte[] text = process.getInputStream().readNBytes(MOST_OUTPUT);
            boolean well = process.waitFor(SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
            return well ? new String(text, StandardCharsets.UTF_8).strip() : "";
        } catch (IOException e) {
            return "";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "";
        }
    }

    /** Java's name of the system, e.g. Linux. */
    public String system() {
        return String.valueOf(property.apply("os.name"));
    }

    /** Java's name of the processor's architecture, e.g. amd64. */
    public String architecture() {
        return String.valueOf(property.apply("os.arch"));
    }

    /** The C library, e.g. "glibc 2.36". */
    public String libc() {
        String glibc = program.apply(List.of("getconf", "GNU_LIBC_VERSION"));
        if (!glibc.isEmpty()) {
            return glibc;
        }
        return Files.exists(at("/lib/ld-musl-x86_64.so.1")) ? "musl" : "C library unknown";
    }

    /** Whether an NVIDIA GPU is on the bus, or is lent to this system by Windows. */
    boolean hasGpu() {
        if (Files.exists(at("/dev/dxg"))) {
            return true;
        }
        for (Path device : list("/sys/bus/pci/devices")) {
            if (read(device.resolve("vendor")).strip().equals(NVIDIA)
                    && read(device.resolve("class")).startsWith(DISPLAY)) {
                return true;
            }
        }
        return driver().isPresent();
    }

    /** The version of the driver's kernel module. */
    Optional<String> driver() {
        Matcher line = DRIVER.matcher(read(at("/proc/driver/nvidia/version")));
        return line.find() ? Optional.of(line.group(1)) : Optional.empty();
    }

    /** The device files of GPUs. */
    List<Path> devices() {
        return list("/dev").stream()
                .filter(file -> String.valueOf(file.getFileName()).matches("nvidia\\d+"))
                .toList();
    }

    /** Where the dynamic linker would find a library. */
    Optional<Path> library(String name) {
        Stream<String> own = Stream.of(
                        environment.getOrDefault("LD_LIBRARY_PATH", "").split(":"))
                .filter(folder -> !folder.isEmpty());
        return Stream.concat(own, LIBRARY_FOLDERS.stream())
                .map(folder -> at(folder).resolve(name))
                .filter(Files::exists)
                .findFirst()
                .or(() -> configured(name));
    }

    /** What ldconfig wrote down: names and paths between zeros. */
    private Optional<Path> configured(String name) {
        Matcher path = Pattern.compile("/[^\0]*/" + Pattern.quote(name) + "(?=\0)")
                .matcher(read(at("/etc/ld.so.cache")) + "\0");
        return path.find() ? Optional.of(at(path.group())).filter(Files::exists) : Optional.empty();
    }

    /** The version in the name of the file that a library's name leads to: packages have it there, wheels do not. */
    static Optional<String> version(Path library) {
        try {
            Matcher number = VERSION.matcher(library.toRealPath().toString());
            return number.find() ? Optional.of(number.group(1)) : Optional.empty();
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** The compute capabilities of all GPUs, e.g. "9.0"; empty where nvidia-smi does not tell. */
    List<String> capabilities() {
        return program.apply(List.of("nvidia-smi", "--query-gpu=compute_cap", "--format=csv,noheader"))
                .lines()
                .map(String::strip)
                .filter(line -> line.matches("\\d+\\.\\d+"))
                .toList();
    }

    /** Driver, GPUs and libraries by their versions, in one line. */
    public String gpus() {
        return "driver " + driver().orElse("unknown") + ", compute capability "
                + (capabilities().isEmpty() ? "unknown" : String.join(" ", capabilities())) + ", cuDNN "
                + library("libcudnn.so.9").flatMap(Machine::version).orElse("none") + ", cuBLAS "
                + library("libcublas.so.12").flatMap(Machine::version).orElse("none");
    }

    Path at(String absolute) {
        return root.resolve(absolute.substring(1));
    }

    private List<Path> list(String folder) {
        List<Path> found = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(at(folder))) {
            files.forEach(found::add);
        } catch (IOException e) {
            return List.of();
        }
        return found;
    }

    /** The file's contents, empty if it cannot be read. */
    private static String read(Path file) {
        try {
            return Files.readString(file, StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }
}
