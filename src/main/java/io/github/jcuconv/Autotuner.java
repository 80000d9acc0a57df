package io.github.jcuconv;

import io.github.jcuconv.internal.MeasuredCache;
import io.github.jcuconv.op.PlanRequest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Finds the fastest of an engine's choices by running them, once per problem. A choice that does not give the very numbers of the engine's own one,
 * on integers, is never taken, nor one that is hardly faster: the engine's own has been thought about.
 */
final class Autotuner {
    /** Times what is queued; tests plant times here. */
    @FunctionalInterface
    interface Timer {
        /** Seconds of the engine's time that these executions of a plan take. */
        double seconds(Stream stream, Plan plan, Runnable executions);
    }

    static final Timer EVENTS = Autotuner::byEvents;
    static final int ROUNDS = 5;
    /** A round's least time: an event's is told in half microseconds. */
    static final double ROUND_SECONDS = 2e-3;
    /** Of the time of the engine's own choice; what is faster by less stays within the noise. */
    static final double FASTER = 0.98;

    private static final int MOST_REPEATS = 1024;
    private static final Pattern FOUND = Pattern.compile("(\\d{1,4}) (.+)");

    private final Engine scratch;
    private final MeasuredCache cache;
    private final Timer timer;
    private final Consumer<String> heard;
    private final Map<String, Integer> chosen = new HashMap<>();

    /** @param scratch an engine of the same device, whose memory nobody counts */
    Autotuner(Engine scratch, MeasuredCache cache, Timer timer, Consumer<String> heard) {
        this.scratch = scratch;
        this.cache = cache;
        this.timer = timer;
        this.heard = heard;
    }

    private static double byEvents(Stream stream, Plan plan, Runnable executions) {
        try (Event begin = stream.engine().newEvent();
                Event end = stream.engine().newEvent()) {
            begin.record(stream);
            executions.run();
            end.record(stream);
            return end.secondsSince(begin);
        }
    }

    /** The choice for a request that leaves it open; 0 is the engine's own. The same for as long as this lives. */
    synchronized int choose(PlanRequest request) {
        try (Plan own = scratch.plan(request)) {
            if (own.choices() < 2) {
                return 0;
            }
            String problem = problem(request);
            Integer known = chosen.get(problem);
            if (known == null) {
                known = kept(problem, request, own).orElseGet(() -> measured(problem, request, own));
                chosen.put(problem, known);
            }
            return known;
        }
    }

    /** All that its speed depends on; training and inference run the same kernels. */
    private static String problem(PlanRequest request) {
        return request.op().toString().replaceFirst(", phase=[A-Z]+", "") + " " + request.pass()
                + (request.accumulate() ? " accumulate" : "") + " workspace " + request.workspaceLimit()
                + " alignment 16";
    }

    /** What an earlier process found, if its choice still is what it was: a version under development has others. */
    private Optional<Integer> kept(String problem, PlanRequest request, Plan own) {
        Matcher found = FOUND.matcher(cache.get(problem).orElse(""));
        if (!found.matches() || Integer.parseInt(found.group(1)) > own.choices()) {
            return Optional.empty();
        }
        int choice = Integer.parseInt(found.group(1));
        try (Plan plan = scratch.plan(request.choice(choice))) {
            return plan.algorithm().equals(found.group(2)) ? Optional.of(choice) : Optional.empty();
        }
    }

    private int measured(String problem, PlanRequest request, Plan own) {
        if (isTooLarge(request)) {
            heard.accept("autotune: " + request + ": not tried, a tensor of it has 2 GiB or more");
            return 0;
        }
        List<Plan> plans = new ArrayList<>(List.of(own));
        try (TrialRuns runs = new TrialRuns(scratch, request)) {
            for (int choice = 1; choice <= own.choices(); choice++) {
                plans.add(scratch.plan(request.choice(choice)));
            }
            runs.allocate(plans.stream().mapToLong(Plan::workspaceBytes).max().orElse(0));
            Plan best = fastest(request, runs, plans);
            cache.put(problem, best.request().choice() + " " + best.algorithm());
            return best.request().choice();
        } catch (OutOfMemoryException e) {
            heard.accept("autotune: " + request + ": not tried, its tensors do not fit: " + e.getMessage());
            return 0;
        } finally {
            plans.subList(1, plans.size()).forEach(Plan::close);
        }
    }

    /** Whether an argument is larger than a buffer of the host can be. */
    private static boolean isTooLarge(PlanRequest request) {
        return request.op().arguments(request.pass()).stream()
                .anyMatch(spec -> request.bytes(spec) > Integer.MAX_VALUE);
    }

    /** The first plan, unless another one gives the same numbers and is clearly faster. */
    private Plan fastest(PlanRequest request, TrialRuns runs, List<Plan> plans) {
        Plan own = plans.get(0);
        List<Plan> right = rightOnes(request, runs, plans);
        runs.fill(TrialRuns.Data.REAL);
        int repeats = 1;
        while (repeats < MOST_REPEATS && seconds(runs, own, repeats) < ROUND_SECONDS) {
            repeats *= 2;
        }
        double[][] times = new double[right.size()][ROUNDS];
        for (int round = 0; round < ROUNDS; round++) {
            for (int i = 0; i < right.size(); i++) {
                int turn = round % 2 == 0 ? i : right.size() - 1 - i;
                times[turn][round] = seconds(runs, right.get(turn), repeats) / repeats;
            }
        }
        int best = 0;
        for (int i = 1; i < right.size(); i++) {
            best = median(times[i]) < median(times[best]) ? i : best;
        }
        best = median(times[best]) <= FASTER * median(times[0]) ? best : 0;
        heard.accept(String.format(
                Locale.ROOT,
                "autotune: %s: %s%s, %.1f µs%s; %d choices tried",
                request,
                right.get(best).algorithm(),
                best == 0 ? " stays" : "",
                1e6 * median(times[best]),
                best == 0
                        ? ""
                        : String.format(
                                Locale.ROOT, " instead of %s, %.1f µs", own.algorithm(), 1e6 * median(times[0])),
                right.size()));
        return right.get(best);
    }

    /** The first plan and those that give its numbers; what is the first once more is left out. */
    private List<Plan> rightOnes(PlanRequest request, TrialRuns runs, List<Plan> plans) {
        Plan own = plans.get(0);
        List<Plan> right = new ArrayList<>(List.of(own));
        runs.fill(TrialRuns.Data.INTEGERS);
        List<HostBuffer> expected = runs.result(own);
        for (Plan plan : plans) {
            if (plan.algorithm().equals(own.algorithm())) {
                continue;
            }
            if (runs.gives(expected, plan)) {
                right.add(plan);
            } else {
                heard.accept("autotune: " + request + ": " + plan.algorithm() + " gives other numbers than "
                        + own.algorithm() + " and is not used");
            }
        }
        expected.forEach(HostBuffer::close);
        return right;
    }

    private double seconds(TrialRuns runs, Plan plan, int repeats) {
        return timer.seconds(runs.stream(), plan, () -> runs.run(plan, repeats));
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
