package io.github.jcuconv.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against a server of a few lines on the loopback address. */
@Timeout(60)
class HttpFetcherTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    /** Answers each request with the next of its answers and notes the Range header that it got. */
    private static final class Server implements AutoCloseable {
        final ServerSocket socket = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        final List<String> ranges = new CopyOnWriteArrayList<>();
        final Thread thread;

        Server(String... answers) throws IOException {
            thread = new Thread(() -> {
                for (String answer : answers) {
                    try (Socket client = socket.accept()) {
                        ranges.add(range(client.getInputStream()));
                        OutputStream out = client.getOutputStream();
                        out.write(answer.getBytes(StandardCharsets.ISO_8859_1));
                        out.flush();
                    } catch (IOException e) {
                        return;
                    }
                }
            });
            thread.start();
        }

        private static String range(InputStream in) throws IOException {
            StringBuilder request = new StringBuilder();
            while (!request.toString().endsWith("\r\n\r\n")) {
                int c = in.read();
                if (c < 0) {
                    break;
                }
                request.append((char) c);
            }
            return request.toString()
                    .lines()
                    .filter(l -> l.startsWith("Range: "))
                    .findFirst()
                    .orElse("");
        }

        URI uri() {
            return URI.create("http://127.0.0.1:" + socket.getLocalPort() + "/file");
        }

        @Override
        public void close() throws IOException {
            socket.close();
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static String answer(String status, String headers, String body) {
        return "HTTP/1.1 " + status + "\r\n" + headers + "Connection: close\r\nContent-Length: " + body.length()
                + "\r\n\r\n" + body;
    }

    private void fetch(Server server, long limit) throws IOException {
        new HttpFetcher().fetch(server.uri(), part(), limit, PATIENCE);
    }

    private Path part() {
        return folder.resolve("x.part");
    }

    @Test
    void fetchesWhole() throws IOException {
        try (Server server = new Server(answer("200 OK", "", "0123456789"))) {
            fetch(server, 10);
            assertEquals(List.of(""), server.ranges);
        }
        assertEquals("0123456789", Files.readString(part()));
    }

    @Test
    void goesOnWhereAnEarlierAttemptStopped() throws IOException {
        Files.writeString(part(), "0123");
        try (Server server = new Server(answer("206 Partial", "Content-Range: bytes 4-9/10\r\n", "456789"))) {
            fetch(server, 10);
            assertEquals(List.of("Range: bytes=4-"), server.ranges);
        }
        assertEquals("0123456789", Files.readString(part()));
    }

    @Test
    void startsAnewWhenTheServerIgnoresTheRange() throws IOException {
        Files.writeString(part(), "xxxx");
        try (Server server = new Server(answer("200 OK", "", "0123456789"))) {
            fetch(server, 10);
        }
        assertEquals("0123456789", Files.readString(part()));
    }

    @Test
    void startsAnewWhenThePartIsLongerThanTheFileOrTheRangeIsAnother() throws IOException {
        for (String first : List.of(
                answer("416 Range Not Satisfiable", "", ""),
                answer("206 Partial", "Content-Range: bytes 2-9/10\r\n", "23456789"))) {
            Files.writeString(part(), "xxxxxxxxxxxx");
            try (Server server = new Server(first, answer("200 OK", "", "0123456789"))) {
                fetch(server, 10);
                assertEquals(List.of("Range: bytes=12-", ""), server.ranges);
            }
            assertEquals("0123456789", Files.readString(part()));
        }
    }

    @Test
    void aBrokenOffAnswerKeepsWhatCameForTheNextAttempt() throws IOException {
        try (Server server = new Server("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n01234")) {
            assertThrows(IOException.class, () -> fetch(server, 10));
        }
        assertArrayEquals("01234".getBytes(StandardCharsets.US_ASCII), Files.readAllBytes(part()));
    }

    @Test
    void stopsAtTheLimit() throws IOException {
        try (Server server = new Server(answer("200 OK", "", "0123456789"))) {
            IOException e = assertThrows(IOException.class, () -> fetch(server, 9));
            assertTrue(e.getMessage().contains("more than 9 bytes"), e.getMessage());
        }
    }

    @Test
    void aRefusalNamesItsStatus() throws IOException {
        try (Server server = new Server(answer("404 Not Found", "", "none"))) {
            IOException e = assertThrows(IOException.class, () -> fetch(server, 9));
            assertTrue(e.getMessage().contains("404"), e.getMessage());
        }
    }

    @Test
    void aServerThatNeverAnswersIsLeftWhenPatienceEnds() throws IOException {
        // Connections wait in the backlog: nobody accepts them.
        try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
            URI uri = URI.create("http://127.0.0.1:" + silent.getLocalPort() + "/file");
            IOException e = assertThrows(
                    IOException.class, () -> new HttpFetcher().fetch(uri, part(), 9, Duration.ofMillis(50)));
            assertTrue(e.getMessage().contains("no answer within"), e.getMessage());
        }
    }
}
