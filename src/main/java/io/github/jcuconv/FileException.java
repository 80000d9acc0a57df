package io.github.jcuconv;

/** A file or folder that is missing, cannot be read, or cannot be written. */
public final class FileException extends JcuconvException {
    private static final long serialVersionUID = 1L;
    private final String file;

    /**
     * @param file the file or folder
     * @param problem what went wrong, and the rule
     * @param fix what to do
     */
    public FileException(String file, String problem, String fix) {
        super(file + ": " + problem + "; " + fix);
        this.file = file;
    }

    /**
     * @param file the file or folder
     * @param problem what went wrong, and the rule
     * @param fix what to do
     * @param cause the underlying failure
     */
    public FileException(String file, String problem, String fix, Throwable cause) {
        super(file + ": " + problem + "; " + fix, cause);
        this.file = file;
    }

    /** The file or folder. */
    public String file() {
        return file;
    }
}
