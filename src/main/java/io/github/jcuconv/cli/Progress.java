package io.github.jcuconv.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** Shows how a training goes: a bar redrawn in place on a terminal, a plain line every ten seconds in a pipe. */
final class Progress {
    private static final int WIDTH = 14;
    private static final long REDRAW_NANOS = 100_000_000L;
    private static final long LINE_NANOS = 10_000_000_000L;

    private final PrintStream out;
    private final boolean terminal;
    private final String label;
    private long began;
    private long shown;

    Progress(PrintStream out, boolean terminal, String label) {
        this.out = out;
        this.terminal = terminal;
        this.label = label;
    }

    /** Whether standard output is a terminal; the JDK's console asks about standard input too. Elsewhere than on Linux: no. */
    static boolean isTerminal() {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/1")).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    /** Starts an epoch's clock. */
    void start() {
        began = System.nanoTime();
        shown = began;
    }

    /** Whether {@link #show} would print now: the loss costs a wait, so ask before. */
    boolean due() {
        return System.nanoTime() - shown >= (terminal ? REDRAW_NANOS : LINE_NANOS);
    }

    /** Prints how far the epoch is. */
    void show(int epoch, int epochs, int done, int total, int batch, float loss) {
        shown = System.nanoTime();
        double seconds = (shown - began) / 1e9;
        double rate = (double) done * batch / seconds;
        double left = seconds / done * (total - done + (double) (epochs - epoch) * total);
        int filled = WIDTH * done / total;
        String bar = "#".repeat(filled) + ".".repeat(WIDTH - filled);
        String text = Text.format(
                "%-5s epoch %d/%d %s %3d %%  loss %.4f  %,.0f images/s  %s left",
                label,
                epoch,
                epochs,
                terminal ? "[" + bar + "]" : "",
                100 * done / total,
                loss,
                rate,
                Text.clock(left));
        out.print(terminal ? "\r" + text + "\033[K" : text + System.lineSeparator());
        out.flush();
    }

    /** Prints a line for good, in place of the bar. */
    void line(String text) {
        out.println(terminal ? "\r" + text + "\033[K" : text);
    }
}
