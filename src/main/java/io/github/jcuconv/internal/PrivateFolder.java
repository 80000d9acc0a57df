package io.github.jcuconv.internal;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.time.Duration;
import java.time.Instant;
import java.util.Set;

/**
 * A fresh folder of one JVM that no other user can read or write: its name is random, and creating it fails where something has that name.
 *
 * <p>It goes away when the JVM ends. A JVM that is killed leaves its folder behind; the next one to make a folder here removes it. It tells
 * the living from the dead by a lock that the owner holds on a file inside, and that the system drops with the process: unlike a process
 * number this also holds between containers that share a folder.
 */
final class PrivateFolder {
    private static final String PREFIX = "jcuconv-natives-";
    private static final String LOCK = "lock";
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");
    private static final Set<PosixFilePermission> WRITE = PosixFilePermissions.fromString("rw-------");
    private static final Set<PosixFilePermission> RUN = PosixFilePermissions.fromString("r-x------");
    /** Between creating a folder and locking it, its owner looks dead. */
    private static final Duration YOUNG = Duration.ofMinutes(10);

    private static final int WORLD_WRITABLE = 0002;
    private static final int STICKY = 01000;

    private final Path path;
    private final FileChannel lock;

    private PrivateFolder(Path path, FileChannel lock) {
        this.path = path;
        this.lock = lock;
    }

    /**
     * Makes the folder, and removes what dead JVMs of this user left in {@code parent}.
     *
     * @throws IOException if that is impossible, or others could swap the folder for one of theirs
     */
    static PrivateFolder in(Path parent) throws IOException {
        if (!Files.isDirectory(parent)) {
            Files.createDirectories(parent);
        }
        Path real = parent.toRealPath();
        requireSafe(real);
        Path path = Files.createTempDirectory(real, PREFIX, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try {
            FileChannel lock = FileChannel.open(
                    path.resolve(LOCK),
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(WRITE));
            lock.lock();
            PrivateFolder folder = new PrivateFolder(path, lock);
            Runtime.getRuntime().addShutdownHook(new Thread(folder::delete, "jcuconv-natives"));
            removeLeftovers(real, Files.getOwner(path), path);
            return folder;
        } catch (IOException | RuntimeException e) {
            remove(path);
            throw e;
        }
    }

    /** Creates a file that must not exist, for this user to read and run, with what {@code content} writes. */
    Path create(String name, Content content) throws IOException {
        Path file = path.resolve(name);
        try (FileChannel out = FileChannel.open(
                file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(WRITE))) {
            content.writeTo(out);
            Files.setPosixFilePermissions(file, RUN);
            return file;
        } catch (IOException | RuntimeException e) {
            Files.deleteIfExists(file);
            throw e;
        }
    }

    /** What goes into a file. */
    @FunctionalInterface
    interface Content {
        /** Writes everything; the caller closes the channel. */
        void writeTo(FileChannel out) throws IOException;
    }

    /** Removes the folder; libraries that are loaded stay mapped. */
    void delete() {
        remove(path);
        try {
            lock.close();
        } catch (IOException e) {
            log("cannot unlock", path, e);
        }
    }

    /** Whoever may rename folders above ours can put another in its place. Only a sticky folder may be open to all. */
    private static void requireSafe(Path folder) throws IOException {
        for (Path above = folder; above != null; above = above.getParent()) {
            int mode = (Integer) Files.getAttribute(above, "unix:mode");
            if ((mode & WORLD_WRITABLE) != 0 && (mode & STICKY) == 0) {
                throw new IOException("every user may rename what lies in " + above + " (chmod o-w or +t)");
            }
        }
    }

    private static void removeLeftovers(Path parent, UserPrincipal self, Path own) {
        try (DirectoryStream<Path> folders = Files.newDirectoryStream(parent, PREFIX + "*")) {
            for (Path folder : folders) {
                if (!folder.equals(own) && isDead(folder, self)) {
                    remove(folder);
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            log("cannot look for leftovers in", parent, e);
        }
    }

    /** A private folder of this user, not a link, older than a start takes, which no process has locked. */
    private static boolean isDead(Path folder, UserPrincipal self) {
        try {
            FileTime old = FileTime.from(Instant.now().minus(YOUNG));
            if (!Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)
                    || !Files.getOwner(folder, LinkOption.NOFOLLOW_LINKS).equals(self)
                    || !Files.getPosixFilePermissions(folder, LinkOption.NOFOLLOW_LINKS)
                            .equals(OWNER_ONLY)
                    || Files.getLastModifiedTime(folder, LinkOption.NOFOLLOW_LINKS)
                                    .compareTo(old)
                            > 0) {
                return false;
            }
            Path lock = folder.resolve(LOCK);
            if (!Files.exists(lock, LinkOption.NOFOLLOW_LINKS)) {
                return true;
            }
            return isUnlocked(FileChannel.open(lock, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS));
        } catch (IOException e) {
            // Another JVM is removing it.
            return false;
        }
    }

    private static boolean isUnlocked(FileChannel channel) throws IOException {
        try {
            boolean unlocked = channel.tryLock() != null;
            channel.close();
            return unlocked;
        } catch (OverlappingFileLockException e) {
            // Another class loader of this JVM holds it, and would lose it by POSIX rules if this channel were closed.
            return false;
        }
    }

    /** The files first, never what lies deeper: the folder holds no folders. */
    private static void remove(Path folder) {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(folder);
        } catch (IOException | DirectoryIteratorException e) {
            log("cannot remove", folder, e);
        }
    }

    private static void log(String what, Path path, Exception e) {
        System.getLogger(PrivateFolder.class.getName()).log(System.Logger.Level.DEBUG, "{0} {1}: {2}", what, path, e);
    }
}
