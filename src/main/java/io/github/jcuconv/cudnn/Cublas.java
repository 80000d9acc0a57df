package io.github.jcuconv.cudnn;

import java.util.Optional;
import java.util.function.IntSupplier;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasStatus;

/** The library cuBLAS, which a machine with CUDA 13 alone does not have in the release that JCuda needs: matrix products then go through cuDNN. */
final class Cublas {
    private static final System.Logger LOG = System.getLogger(Cublas.class.getName());

    private static final Statuses STATUSES = new Statuses(
            cublasStatus.CUBLAS_STATUS_NOT_SUPPORTED,
            cublasStatus::stringFor,
            JCublas2::cublasGetStatusString,
            status -> status == cublasStatus.CUBLAS_STATUS_NOT_SUPPORTED);

    /** Loads the library when it is asked for first, and says then why it is not there. */
    private static final class Loaded {
        static final boolean AVAILABLE = load();

        private static boolean load() {
            Optional<String> problem = JCudaNatives.load(
                    "JCublas2",
                    "jcublas-natives",
                    "libcublas.so.12",
                    "cuBLAS 12",
                    () -> JCublas2.cublasGetStatusName(0));
            problem.ifPresent(
                    reason -> LOG.log(System.Logger.Level.INFO, "dense layers go through cuDNN: {0}", reason));
            if (problem.isEmpty()) {
                JCublas2.setExceptionsEnabled(true);
            }
            return problem.isEmpty();
        }
    }

    private Cublas() {}

    /** Loads the library, once. */
    static boolean isAvailable() {
        return Loaded.AVAILABLE;
    }

    /** Runs one call of JCublas2 and throws for any status but success. */
    static void call(String what, IntSupplier body) {
        STATUSES.call(what, body);
    }
}
