package io.github.jcuconv.onednn;

import io.github.jcuconv.Arguments;
import io.github.jcuconv.Memory;
import org.bytedeco.dnnl.stream;
import org.jspecify.annotations.Nullable;

/**
 * An elementwise kernel over flat tensors. Arrays are many times faster than direct buffers for the JIT, so each thread copies tiles that fit
 * its first-level cache in and out.
 */
abstract class TileKernel implements Step, Workers.Task {
    /** One thread's arrays. */
    static final class Tile {
        static final int SIZE = 1024;
        final float[] a = new float[SIZE];
        final float[] b = new float[SIZE];
        final float[] c = new float[SIZE];
        final float[] d = new float[SIZE];
        final Halves.Scratch halves = new Halves.Scratch(SIZE);
        final short[] bits = new short[SIZE];
        final short[] more = new short[SIZE];
    }

    private static final int CHUNK = 32 * Tile.SIZE;
    private final Workers workers;
    private final int count;
    private final View[] views;
    private final Tile[] tiles;

    TileKernel(Workers workers, long count, View... views) {
        this.workers = workers;
        this.count = Math.toIntExact(count);
        this.views = views.clone();
        this.tiles = new Tile[workers.threads()];
        for (int i = 0; i < tiles.length; i++) {
            tiles[i] = new Tile();
        }
    }

    @Override
    public final void run(Arguments args, @Nullable Memory workspace, stream queue, int slice) {
        for (View view : views) {
            view.bind(args, workspace, slice);
        }
        begin(slice);
        workers.run(this, (count - 1) / CHUNK + 1);
        end();
    }

    @Override
    public final void chunk(int chunk, int worker) {
        int from = chunk * CHUNK;
        int to = (int) Math.min(count, (long) from + CHUNK);
        for (int i = from; i < to; i += Tile.SIZE) {
            tile(tiles[worker], i, Math.min(Tile.SIZE, to - i));
        }
    }

    /** Before the tiles, once per slice of the batch. */
    void begin(int slice) {}

    /** Handles {@code n} elements from {@code index} on. */
    abstract void tile(Tile t, int index, int n);

    /** After the tiles, once. */
    void end() {}
}
