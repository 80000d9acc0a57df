package io.github.jcuconv.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.jcuconv.FileException;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFilesTest {
    @TempDir
    Path folder;

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    /** A disk with room for some bytes only. */
    private static final class FullDisk extends FilterOutputStream {
        private long room;

        FullDisk(OutputStream out, long room) {
            super(out);
            this.room = room;
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, (int) Math.min(room, length));
            room -= length;
            if (room < 0) {
                throw new IOException("No space left on device");
            }
        }
    }

    private static String failure(Path file) {
        String message = assertThrows(FileException.class, () -> AtomicFiles.writeString(file, "new"))
                .getMessage();
        assertFalse(message.contains("\n"), message);
        assertTrue(message.contains(file.toString()), message);
        return message;
    }

    @Test
    void createsReplacesAndMakesFolders() throws IOException {
        Path file = folder.resolve("deep/er/file");
        AtomicFiles.writeString(file, "old");
        AtomicFiles.writeString(file, "new");
        assertEquals("new", Files.readString(file));
        try (Stream<Path> files = Files.list(folder.resolve("deep/er"))) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void aFullDiskLeavesTheOldContentAndNothingAside() throws IOException {
        Path file = folder.resolve("file");
        AtomicFiles.writeString(file, "old");
        byte[] megabyte = new byte[1 << 20];
        FileException e = assertThrows(
                FileException.class,
                () -> AtomicFiles.write(file, out -> out.write(megabyte), out -> new FullDisk(out, 1000)));
        assertTrue(e.getMessage().contains("No space left on device"), e.getMessage());
        assertEquals("old", Files.readString(file));
        assertEquals(List.of("file"), names());
    }

    @Test
    void aSmallContentThatOnlyFailsWhenFlushedIsNoticed() throws IOException {
        Path file = folder.resolve("file");
        byte[] few = new byte[10];
        assertThrows(
                FileException.class, () -> AtomicFiles.write(file, out -> out.write(few), out -> new FullDisk(out, 5)));
        assertEquals(List.of(), names());
    }

    @Test
    void contentThatThrowsLeavesNothing() throws IOException {
        Path file = folder.resolve("file");
        assertThrows(
                IllegalStateException.class,
                () -> AtomicFiles.write(file, out -> {
                    out.write(1);
                    throw new IllegalStateException("planted");
                }));
        assertEquals(List.of(), names());
    }

    @Test
    void contentThatClosesItsStreamIsWrittenAll() throws IOException {
        Path file = folder.resolve("file");
        AtomicFiles.write(file, out -> {
            try (out) {
                out.write(new byte[100_000]);
            }
        });
        assertEquals(100_000, Files.size(file));
    }

    @Test
    void aFileInThePlaceOfAFolder() throws IOException {
        Files.writeString(folder.resolve("regular"), "x");
        assertTrue(failure(folder.resolve("regular/file")).contains("a file is in the place of a folder"));
        failure(folder.resolve("regular/deeper/file"));
    }

    @Test
    void aFolderThatTakesNoFiles() {
        // Also root cannot create files there.
        Path proc = Path.of("/proc");
        if (Files.isDirectory(proc)) {
            failure(proc.resolve("file"));
        }
    }

    @Test
    void aFolderInThePlaceOfTheFile() throws IOException {
        Path file = folder.resolve("file");
        Files.createDirectories(file.resolve("full"));
        failure(file);
        assertEquals(List.of("file"), names());
    }

    @Test
    void leftoversOfEndedProcessesAreRemovedThoseOfLiveOnesKept() throws IOException {
        long ended = Stream.iterate(4_000_000L, pid -> pid + 1)
                .filter(pid -> ProcessHandle.of(pid).isEmpty())
                .findFirst()
                .orElseThrow();
        long live = ProcessHandle.allProcesses()
                .mapToLong(ProcessHandle::pid)
                .filter(pid -> pid != ProcessHandle.current().pid())
                .findFirst()
                .orElse(ended);
        String dead = "." + "weights-1." + ended + "-3.jcuconv-aside";
        String before = ".weights-1." + ProcessHandle.current().pid() + "-999999.jcuconv-aside";
        String busy = ".weights-1." + live + "-3.jcuconv-aside";
        for (String name : List.of(dead, before, busy, ".other.tmp")) {
            Files.writeString(folder.resolve(name), "x");
        }
        AtomicFiles.writeString(folder.resolve("file"), "new");
        List<String> expected = live == ended
                ? List.of(".other.tmp", "file")
                : Stream.of(".other.tmp", busy, "file").sorted().toList();
        assertEquals(expected, names());
    }
}
