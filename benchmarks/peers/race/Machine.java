import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** What Linux says about the machine and the processes on it. */
final class Machine {
    // USER_HZ, which is 100 on every Linux that runs a JVM.
    private static final double TICKS_PER_SECOND = 100;

    private Machine() {}

    public static void main(String[] args) throws IOException {
        System.out.println(name());
    }

    /** CPU model and count, fit for a folder's name, e.g. {@code amd-epyc-9355-2-cores}. */
    static String name() throws IOException {
        String model = Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
                .filter(line -> line.startsWith("model name"))
                .map(line -> line.substring(line.indexOf(':') + 1))
                .findFirst()
                .orElse(System.getProperty("os.arch"));
        String name = model.replaceAll("\\((R|TM|r|tm)\\)|@.*|CPU|Processor|\\d+-Core", " ")
                .trim();
        return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-") + "-"
                + Runtime.getRuntime().availableProcessors() + "-cores";
    }

    /** Whether runs can be pinned to cpus. */
    static boolean hasTaskset() {
        return Arrays.stream(System.getenv("PATH").split(":"))
                .anyMatch(dir -> Files.isExecutable(Path.of(dir, "taskset")));
    }

    /** The first cpus this process may use, as a list for taskset. */
    static String firstCpus(int count) throws IOException {
        String allowed = Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("Cpus_allowed_list:"))
                .map(line -> line.substring(line.indexOf(':') + 1).trim())
                .findFirst()
                .orElseThrow();
        List<Integer> list = cpuList(allowed);
        if (list.size() < count) {
            throw new IllegalArgumentException("--threads " + count + ": this process may use only cpus " + allowed);
        }
        return String.join(
                ",", list.subList(0, count).stream().map(String::valueOf).toList());
    }

    /** Reads numbers and ranges, e.g. {@code 0-3,8}. */
    static List<Integer> cpuList(String text) {
        if (!text.matches("\\d{1,5}(-\\d{1,5})?(,\\d{1,5}(-\\d{1,5})?)*")) {
            throw new IllegalArgumentException("--cpus " + text + ": give numbers and ranges, e.g. 0,1 or 0-3");
        }
        List<Integer> list = new ArrayList<>();
        for (String part : text.split(",")) {
            String[] ends = part.split("-");
            for (int cpu = Integer.parseInt(ends[0]); cpu <= Integer.parseInt(ends[ends.length - 1]); cpu++) {
                list.add(cpu);
            }
        }
        return list;
    }

    static List<Integer> allCpus() {
        return IntStream.range(0, Runtime.getRuntime().availableProcessors())
                .boxed()
                .toList();
    }

    /** Busy seconds since boot of these cpus, by anybody; time the hypervisor stole counts as busy. */
    static double busySeconds(List<Integer> cpus) throws IOException {
        long ticks = 0;
        for (String line : Files.readAllLines(Path.of("/proc/stat"))) {
            String[] words = line.trim().split("\\s+");
            if (words[0].matches("cpu\\d+") && cpus.contains(Integer.valueOf(words[0].substring(3)))) {
                // user nice system (idle iowait) irq softirq steal
                for (int column : new int[] {1, 2, 3, 6, 7, 8}) {
                    ticks += Long.parseLong(words[column]);
                }
            }
        }
        return ticks / TICKS_PER_SECOND;
    }

    /** Processor seconds of our children that have ended. */
    static double childSeconds() throws IOException {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        String[] words = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return (Long.parseLong(words[13]) + Long.parseLong(words[14])) / TICKS_PER_SECOND;
    }

    /** The largest VmHWM of a process and its descendants, in bytes; 0 for processes that just ended. */
    static long residentBytes(ProcessHandle process) {
        long own = 0;
        try {
            for (String line : Files.readAllLines(Path.of("/proc/" + process.pid() + "/status"))) {
                if (line.startsWith("VmHWM:")) {
                    own = Long.parseLong(line.replaceAll("\\D", "")) * 1024;
                }
            }
        } catch (IOException | UncheckedIOException e) {
            own = 0;
        }
        return Math.max(
                own, process.children().mapToLong(Machine::residentBytes).max().orElse(0));
    }
}
