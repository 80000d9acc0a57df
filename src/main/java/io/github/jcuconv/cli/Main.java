package io.github.jcuconv.cli;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/** Starts the command that the first argument names. Only that command's classes are loaded: starting must not take a second. */
public final class Main {
    private record Entry(String does, Supplier<Command> make) {}

    private static final Map<String, Entry> COMMANDS = new LinkedHashMap<>();

    static {
        add(
                "mnist",
                "train a CNN in fp32 and in mixed fp16, show accuracy and memory, save the model",
                MnistCommand::new);
        add("train", "train any model on any data", TrainCommand::new);
        add("evaluate", "test a saved model on a data set", EvaluateCommand::new);
        add("predict", "name what PNG or JPEG images show", PredictCommand::new);
        add("summary", "layers, shapes, parameters of a model", SummaryCommand::new);
        add("memory", "predict a training's memory to the byte, without allocating it", MemoryCommand::new);
        add("verify", "compare an engine's operations with the fp64 oracle", VerifyCommand::new);
        add("bench", "time an operation's shapes, or a model's training step", BenchCommand::new);
        add("example", "answer a question of the textbook by measuring", ExampleCommand::new);
        add("doctor", "what works here, and the one next action", DoctorCommand::new);
    }

    private Main() {}

    private static void add(String name, String does, Supplier<Command> make) {
        COMMANDS.put(name, new Entry(does, make));
    }

    /** Runs a command and ends the process with its exit status. */
    public static void main(String[] args) {
        System.exit(execute(System.out, System.err, Progress.isTerminal(), args));
    }

    /**
     * Runs a command.
     *
     * @param terminal whether {@code out} is a terminal, on which a progress bar may be redrawn
     * @return 0, 1 for an error, 2 for wrong usage, 3 for "not run"
     */
    static int execute(PrintStream out, PrintStream err, boolean terminal, String... args) {
        String name = args.length == 0 ? "--help" : args[0];
        if (name.equals("--help") || name.equals("-h") || name.equals("help")) {
            help(out);
            return args.length == 0 ? Command.USAGE : 0;
        }
        Entry entry = COMMANDS.get(name);
        if (entry == null) {
            err.println("jcuconv: " + Names.unknown("command", name, COMMANDS.keySet()));
            return Command.USAGE;
        }
        return entry.make()
                .get()
                .execute(name, entry.does(), out, err, terminal, Arrays.copyOfRange(args, 1, args.length));
    }

    private static void help(PrintStream out) {
        out.println("Usage: jcuconv COMMAND [OPTIONS]     jcuconv COMMAND --help explains one");
        out.println();
        COMMANDS.forEach((name, entry) -> out.printf("  %-10s%s%n", name, entry.does()));
        out.println();
        out.println("To begin: jcuconv mnist");
    }
}
