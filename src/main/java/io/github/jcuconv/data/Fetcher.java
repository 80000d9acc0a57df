package io.github.jcuconv.data;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;

/** Gets one file from the network; tests put their own in its place. */
interface Fetcher {
    /**
     * Fetches {@code source} into {@code part}, going on where an earlier attempt stopped if {@code part} exists.
     *
     * @param limit most bytes that {@code part} may come to hold
     * @param patience how long to wait for the first answer; after it, stalls have a limit of their own
     * @throws IOException if the source cannot be reached, refuses, or sends more than {@code limit}
     */
    void fetch(URI source, Path part, long limit, Duration patience) throws IOException;
}
