package io.github.jcuconv.testing;

import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import java.util.stream.Stream;
import org.junit.platform.launcher.TagFilter;
import org.junit.platform.launcher.core.LauncherConfig;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** The program of a JVM that other tests start: runs the test classes that it is told, without those of the profile full. */
public final class SelectedTests {
    private SelectedTests() {}

    /** Runs them; {@code args} are names of classes, from behind io.github.jcuconv. */
    public static void main(String[] args) {
        LauncherDiscoveryRequestBuilder request = LauncherDiscoveryRequestBuilder.request();
        request.filters(TagFilter.excludeTags("full"));
        Stream.of(args).forEach(name -> request.selectors(selectClass("io.github.jcuconv." + name)));
        LauncherConfig config = LauncherConfig.builder()
                .enableTestExecutionListenerAutoRegistration(false)
                .build();
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create(config).execute(request.build(), listener);
        TestExecutionSummary summary = listener.getSummary();
        System.out.println("tests run: " + summary.getTestsSucceededCount());
        System.out.println("tests aborted: " + summary.getTestsAbortedCount());
        System.out.println("tests failed: " + summary.getTotalFailureCount());
        summary.getFailures()
                .forEach(f -> System.out.println(
                        "failed: " + f.getTestIdentifier().getDisplayName() + ": " + f.getException()));
    }
}
