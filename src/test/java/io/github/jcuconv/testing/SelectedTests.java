package io.github.jcuconv.testing;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;

import java.util.stream.Stream;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * The program of a JVM that other tests start, and of run-gpu: runs the tests that it is told, without those of the profile full, and ends with
 * status 1 where one fails or none is found.
 */
public final class SelectedTests {
    private SelectedTests() {}

    /** Runs them; {@code args} are names of classes, from behind io.github.jcuconv, or of packages followed by {@code .*}. */
    public static void main(String[] args) {
        LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
        request.filters(TagFilter.excludeTags("full"));
        Stream.of(args).map(name -> "io.github.jcuconv." + name).forEach(name -> {
            boolean whole = name.endsWith(".*");
            request.selectors(whole ? selectPackage(name.substring(0, name.length() - 2)) : selectClass(name));
        });
        LauncherConfig config = LauncherConfig.builder()
                .enableTestExecutionListenerAutoRegistration(false)
                .build();
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create(config).execute(request.build(), listener, new GpuTests());
        TestExecutionSummary summary = listener.getSummary();
        summary.getFailures()
                .forEach(f -> System.out.println(
                        "failed: " + f.getTestIdentifier().getDisplayName() + ": " + f.getException()));
        System.out.printf(
                "tests run: %d, aborted: %d, failed: %d%n",
                summary.getTestsSucceededCount(), summary.getTestsAbortedCount(), summary.getTotalFailureCount());
        System.exit(summary.getTotalFailureCount() > 0 || summary.getTestsFoundCount() == 0 ? 1 : 0);
    }
}
