package io.github.jcuconv.op;

/**
 * Indices into HYPER, the fp32 numbers that optimizers read from device memory, so that a plan outlives a change of the learning rate. {@link
 * StepControl} writes those that change with each step.
 */
public final class Hyper {
    /** Learning rate. */
    public static final int LEARNING_RATE = 0;
    /** Factor on the gradient: 1 / loss scale, divided by the number of ranks or micro-batches. */
    public static final int GRADIENT_SCALE = 1;
    /** Weight decay; SGD adds decay * w to the gradient, Adam takes learning rate * decay * w off the weight (AdamW). */
    public static final int WEIGHT_DECAY = 2;
    /** Momentum of SGD, beta1 of Adam. */
    public static final int MOMENTUM = 3;
    /** beta2 of Adam. */
    public static final int BETA2 = 4;
    /** eps of Adam. */
    public static final int EPS = 5;
    /** 1 - beta1^t of Adam. */
    public static final int CORRECTION1 = 6;
    /** 1 - beta2^t of Adam. */
    public static final int CORRECTION2 = 7;
    /** 0 to leave weights and state as they are, anything else to update them. */
    public static final int APPLY = 8;
    /** How many there are. */
    public static final int COUNT = 9;

    private Hyper() {}
}
