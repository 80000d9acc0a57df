package io.github.jcuconv.op;

/** What a forward pass is for. */
public enum Phase {
    /** Saves nothing for a backward pass; batch norm uses its running statistics. */
    INFERENCE,
    /** Saves what the backward pass needs. */
    TRAINING
}
