package io.github.jcuconv.cudnn;

import java.util.Optional;
import java.util.function.IntSupplier;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnStatus;

/** The library cuDNN: loading it, naming it, calling it. */
final class Cudnn {
    static final String ENGINE = "cudnn";
    /** The release whose interface libJCudnn was built for. */
    private static final int MAJOR = 9;

    /** cuDNN 9 numbers its statuses by category, a thousand each. */
    private static final int CATEGORY = 1000;

    private static final int NOT_SUPPORTED = 3000;

    private static final Statuses STATUSES = new Statuses(
            cudnnStatus.CUDNN_STATUS_VERSION_MISMATCH,
            cudnnStatus::stringFor,
            JCudnn::cudnnGetErrorString,
            status -> status / CATEGORY * CATEGORY == NOT_SUPPORTED);

    /** Loads the library when it is asked for first. */
    private static final class Loaded {
        static final Optional<String> PROBLEM = JCudaNatives.load(
                        "JCudnn", "jcudnn-natives", "libcudnn.so.9", "cuDNN 9", JCudnn::cudnnGetVersion)
                .or(Cudnn::wrongVersion);
    }

    private Cudnn() {}

    /** Loads the library, once; why it cannot be used, with the next action. */
    static Optional<String> problem() {
        return Loaded.PROBLEM;
    }

    private static Optional<String> wrongVersion() {
        JCudnn.setExceptionsEnabled(true);
        return JCudnn.cudnnGetVersion() / 10_000 == MAJOR
                ? Optional.empty()
                : Optional.of("libcudnn.so.9 says that it is version " + JCudnn.cudnnGetVersion() + ", cuDNN " + MAJOR
                        + " is needed; install it, or name its folder in LD_LIBRARY_PATH before Java starts");
    }

    /** Runs one call of JCudnn and throws for any status but success. */
    static void call(String what, IntSupplier body) {
        STATUSES.call(what, body);
    }

    /** cuDNN 9.5.1 is 90501. */
    static String version() {
        long version = JCudnn.cudnnGetVersion();
        return version / 10_000 + "." + version / 100 % 100 + "." + version % 100;
    }
}
