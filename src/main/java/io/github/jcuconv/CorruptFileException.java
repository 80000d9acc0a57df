package io.github.jcuconv;

/** A file whose content breaks the rules of its format. Nothing of it was taken over. */
public final class CorruptFileException extends JcuconvException {
    private static final long serialVersionUID = 1L;
    private final String file;
    private final String rule;
    private final String fix;

    /**
     * @param file the file
     * @param rule what the format asks for, and what was found
     * @param fix what to do
     */
    public CorruptFileException(String file, String rule, String fix) {
        super(file + ": " + rule + "; " + fix);
        this.file = file;
        this.rule = rule;
        this.fix = fix;
    }

    /** The file. */
    public String file() {
        return file;
    }

    /** The rule that it breaks. */
    public String rule() {
        return rule;
    }

    /** What to do. */
    public String fix() {
        return fix;
    }
}
