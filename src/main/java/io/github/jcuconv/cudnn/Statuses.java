package io.github.jcuconv.cudnn;

import io.github.jcuconv.DeviceException;
import io.github.jcuconv.UnsupportedException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;
import java.util.function.IntSupplier;
import jcuda.CudaException;

/**
 * What a library's statuses mean. JCuda throws exceptions with the texts of the release that it was written for, and without the number: the text
 * leads back to the number, and the number to the library's own text.
 */
final class Statuses {
    private final IntFunction<String> libraryText;
    private final IntPredicate isUnsupported;
    private final Map<String, Integer> numbers = new HashMap<>();

    /**
     * @param most the largest number that JCuda has a text for
     * @param jcudaText JCuda's text of a number
     * @param libraryText the library's text of a number
     * @param isUnsupported whether a number says that the library lacks something
     */
    Statuses(int most, IntFunction<String> jcudaText, IntFunction<String> libraryText, IntPredicate isUnsupported) {
        this.libraryText = libraryText;
        this.isUnsupported = isUnsupported;
        for (int status = 0; status <= most; status++) {
            numbers.put(jcudaText.apply(status), status);
        }
    }

    /** Runs one call of JCuda and throws for any status but success, which is 0. */
    void call(String what, IntSupplier body) {
        int status;
        try {
            status = body.getAsInt();
        } catch (CudaException e) {
            status = number(String.valueOf(e.getMessage()));
        }
        if (status != 0) {
            String text = what + ": " + libraryText.apply(status);
            if (isUnsupported.test(status)) {
                throw new UnsupportedException(Cudnn.ENGINE, "this", text, List.of());
            }
            throw new DeviceException(Cudnn.ENGINE, status, text, null);
        }
    }

    /** "CUDNN_STATUS_BAD_PARAM", or "INVALID cudnnStatus: 2000" where JCuda knows no text. */
    private int number(String text) {
        Integer known = numbers.get(text);
        return known != null ? known : Integer.parseInt(text.replaceAll("\\D", ""));
    }
}
