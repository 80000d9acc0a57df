package io.github.jcuconv.memory;

/** What a piece of memory is for: the lines of the memory table. */
public enum Part {
    /** Weights as the operations read them. */
    PARAMETERS("parameters"),
    /** fp32 weights that the optimizer updates, where the parameters are 16-bit. */
    MASTER_WEIGHTS("master weights"),
    /** Gradients of the parameters. */
    GRADIENTS("gradients"),
    /** Momentum and mean squares. */
    OPTIMIZER_STATE("optimizer state"),
    /** Floating-point activations; those of a training step are kept for its backward pass. */
    ACTIVATIONS("activations"),
    /** What max-pool and other operations keep besides activations. */
    MASKS("masks and argmax"),
    /** Gradients that flow backward. */
    ACTIVATION_GRADIENTS("activation gradients"),
    /** Scratch of the operations. */
    WORKSPACE("workspace"),
    /** Copies in another layout or type. */
    CONVERSION("conversion scratch"),
    /** Images and labels of one batch. */
    INPUT("input"),
    /** Loss, learning rate, flags, statistics. */
    OTHER("loss and statistics"),
    /** Elements that engine layouts add. */
    PADDING("layout padding"),
    /** Rounding of every slice to 256 B and the allocator's own slack. */
    ALIGNMENT("alignment"),
    /** Holes between slices at the moment of the peak. */
    UNUSED("unused at the peak");

    private final String label;

    Part(String label) {
        this.label = label;
    }

    /** The label in tables and JSON. */
    public String label() {
        return label;
    }
}
