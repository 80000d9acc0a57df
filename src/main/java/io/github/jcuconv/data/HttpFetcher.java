package io.github.jcuconv.data;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** Fetches over HTTP with resumption. {@link HttpURLConnection} rather than the newer client keeps us within java.base. */
final class HttpFetcher implements Fetcher {
    private static final int CONNECT_MILLIS = 3_000;
    private static final int STALL_MILLIS = 10_000;

    @Override
    public void fetch(URI source, Path part, long limit, Duration patience) throws IOException {
        long have = Files.exists(part) ? Files.size(part) : 0;
        Answer answer = answer(source, have, patience);
        if (answer.status == 416 || (answer.status == 206 && answer.start() != have)) {
            // What we have is not a beginning of the file as it is now.
            answer.connection.disconnect();
            Files.delete(part);
            have = 0;
            answer = answer(source, 0, patience);
        }
        try {
            if (answer.status != 200 && answer.status != 206) {
                throw new IOException("the server answered with status " + answer.status);
            }
            boolean append = answer.status == 206;
            long total = append ? have : 0;
            long length = answer.connection.getContentLengthLong();
            long end = length < 0 ? -1 : total + length;
            try (InputStream in = answer.connection.getInputStream();
                    FileOutputStream out = new FileOutputStream(part.toFile(), append)) {
                byte[] buffer = new byte[1 << 16];
                int n;
                while ((n = in.read(buffer)) > 0) {
                    total += n;
                    if (total > limit) {
                        throw new IOException("the server sends more than " + limit + " bytes");
                    }
                    out.write(buffer, 0, n);
                }
            }
            // The JDK's stream just ends when the connection breaks off.
            if (end >= 0 && total < end) {
                throw new IOException("the connection broke off after " + total + " of " + end + " bytes");
            }
        } finally {
            answer.connection.disconnect();
        }
    }

    private record Answer(HttpURLConnection connection, int status) {
        /** The first byte of a partial answer, or -1. */
        long start() {
            String range = connection.getHeaderField("Content-Range");
            if (range == null || !range.matches("bytes \\d{1,18}-.*")) {
                return -1;
            }
            return Long.parseLong(range.substring(6, range.indexOf('-')));
        }
    }

    /** Connects on a thread of its own, because resolving a name has no time limit in Java. */
    private static Answer answer(URI source, long from, Duration patience) throws IOException {
        CompletableFuture<Answer> future = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        Answer answer = connect(source, from);
                        if (!future.complete(answer)) {
                            answer.connection.disconnect();
                        }
                    } catch (IOException | RuntimeException e) {
                        future.completeExceptionally(e);
                    }
                },
                "jcuconv-connect");
        thread.setDaemon(true);
        thread.start();
        try {
            return future.get(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            // From here on the thread closes what it opens.
            future.cancel(false);
            throw new IOException("no answer within " + patience.toSeconds() + " s", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw (IOException) new InterruptedIOException("interrupted").initCause(e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException io) {
                throw io;
            }
            throw new IOException(e.getCause());
        }
    }

    private static Answer connect(URI source, long from) throws IOException {
        HttpURLConnection connection = (HttpURLConnection) source.toURL().openConnection();
        connection.setConnectTimeout(CONNECT_MILLIS);
        connection.setReadTimeout(STALL_MILLIS);
        connection.setRequestProperty("Accept-Encoding", "identity");
        if (from > 0) {
            connection.setRequestProperty("Range", "bytes=" + from + "-");
        }
        return new Answer(connection, connection.getResponseCode());
    }
}
