package io.github.jcuconv.data;

import java.util.Arrays;

/** The SplitMix64 generator; our own, because the JDK's generators promise their bits only per release. */
final class SplitMix64 {
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private long state;

    SplitMix64(long seed) {
        this.state = seed;
    }

    /** A generator for one item: streams of different keys are unrelated, so items can be made in any order. */
    static SplitMix64 of(long seed, long a, long b) {
        return new SplitMix64(mix(mix(mix(seed + GAMMA) ^ a) + GAMMA ^ b));
    }

    long nextLong() {
        state += GAMMA;
        return mix(state);
    }

    /** Uniform in [0, bound); the bias of at most bound / 2^32 does not matter to shuffling and drawing. */
    int below(int bound) {
        return (int) (((nextLong() >>> 32) * bound) >>> 32);
    }

    /** Uniform in [0, 1) with 24 bits, exactly representable as float. */
    float nextFloat() {
        return (nextLong() >>> 40) * 0x1p-24f;
    }

    /** Uniform in [low, high). */
    float between(float low, float high) {
        return low + (high - low) * nextFloat();
    }

    /** The numbers from 0 to {@code count} - 1 in random order. */
    int[] permutation(int count) {
        int[] all = new int[count];
        Arrays.setAll(all, i -> i);
        for (int i = count - 1; i > 0; i--) {
            int j = below(i + 1);
            int swapped = all[i];
            all[i] = all[j];
            all[j] = swapped;
        }
        return all;
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
