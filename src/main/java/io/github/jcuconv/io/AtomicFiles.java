package io.github.jcuconv.io;

import io.github.jcuconv.FileException;
import java.io.BufferedOutputStream;
import java.io.FileNotFoundException;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Replaces files so that a reader, a crash or a full disk sees either the old content or the new, never a part.
 *
 * <p>The new content is written aside in the same folder ({@code .NAME.PID-N.jcuconv-aside}), forced to disk and renamed; then the
 * folder is forced to disk. What killed writers left aside is removed by the next one. Safe for use by several threads
 * and processes of one machine.
 */
public final class AtomicFiles {
    private static final String SUFFIX = ".jcuconv-aside";
    private static final Pattern ASIDE = Pattern.compile("\\..+\\.(\\d{1,18})-\\d{1,18}" + Pattern.quote(SUFFIX));
    private static final AtomicLong COUNTER = new AtomicLong();
    private static final Set<Path> IN_PROGRESS = ConcurrentHashMap.newKeySet();

    /** Writes content to a stream. */
    @FunctionalInterface
    public interface Content {
        /** Writes everything; the caller closes the stream. */
        void writeTo(OutputStream out) throws IOException;
    }

    private AtomicFiles() {}

    /**
     * Replaces or creates {@code file}; missing parent folders are created.
     *
     * @throws FileException if that is impossible; {@code file} then is as it was and nothing is left aside
     */
    public static void write(Path file, Content content) {
        write(file, content, out -> out);
    }

    /** Replaces or creates {@code file} with UTF-8 text; see {@link #write(Path, Content)}. */
    public static void writeString(Path file, String text) {
        write(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }

    /** @param wrap put around the file's stream; tests plant a full disk here */
    static void write(Path file, Content content, UnaryOperator<OutputStream> wrap) {
        Path absolute = file.toAbsolutePath();
        Path folder = Objects.requireNonNull(absolute.getParent(), "a root folder is no file");
        String name = absolute.getFileName().toString();
        Path aside = folder.resolve(
                "." + name + "." + ProcessHandle.current().pid() + "-" + COUNTER.incrementAndGet() + SUFFIX);
        IN_PROGRESS.add(aside);
        try {
            Files.createDirectories(folder);
            removeLeftovers(folder);
            try {
                writeAndForce(aside, content, wrap);
                Files.move(aside, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(aside);
            }
            forceFolder(folder);
        } catch (IOException e) {
            throw new FileException(
                    file.toString(), "cannot be written: " + reason(e), "free space there or choose another folder", e);
        } finally {
            IN_PROGRESS.remove(aside);
        }
    }

    private static void writeAndForce(Path aside, Content content, UnaryOperator<OutputStream> wrap)
            throws IOException {
        try (FileChannel channel = FileChannel.open(aside, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            OutputStream out =
                    new BufferedOutputStream(new Unclosed(wrap.apply(Channels.newOutputStream(channel))), 1 << 16);
            content.writeTo(out);
            out.flush();
            channel.force(true);
        }
    }

    /** Keeps the channel open when the content closes its stream, because it must be forced to disk afterwards. */
    private static final class Unclosed extends FilterOutputStream {
        Unclosed(OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }

    /** A rename is durable only when its folder is; where folders cannot be opened (Windows), the rename has to do. */
    static void forceFolder(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            System.getLogger(AtomicFiles.class.getName())
                    .log(System.Logger.Level.DEBUG, "cannot force {0} to disk: {1}", folder, e);
        }
    }

    /** Removes what any writer left aside whose process has ended; after a reboot or in a container its id may be ours. */
    private static void removeLeftovers(Path folder) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, ".*" + SUFFIX)) {
            for (Path file : files) {
                Matcher name = ASIDE.matcher(file.getFileName().toString());
                if (name.matches()) {
                    long pid = Long.parseLong(name.group(1));
                    boolean ours = pid == ProcessHandle.current().pid();
                    if (ours
                            ? !IN_PROGRESS.contains(file)
                            : ProcessHandle.of(pid).isEmpty()) {
                        Files.deleteIfExists(file);
                    }
                }
            }
        }
    }

    /** The error for a file that cannot be read. */
    static FileException unreadable(Path file, IOException e) {
        return new FileException(file.toString(), "cannot be read: " + reason(e), "name a readable file", e);
    }

    /** A reason for people: the messages of the JDK's exceptions on files often are just the path. */
    static String reason(IOException e) {
        if (e instanceof NoSuchFileException || e instanceof FileNotFoundException) {
            return "no such file or folder";
        }
        if (e instanceof AccessDeniedException) {
            return "access denied";
        }
        if (e instanceof FileAlreadyExistsException || e instanceof NotDirectoryException) {
            return "a file is in the place of a folder";
        }
        if (e instanceof FileSystemException f && f.getReason() != null) {
            return f.getReason();
        }
        return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    }
}
