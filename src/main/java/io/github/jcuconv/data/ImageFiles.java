package io.github.jcuconv.data;

import io.github.jcuconv.CorruptFileException;
import io.github.jcuconv.FileException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import javax.imageio.IIOException;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import org.jspecify.annotations.Nullable;

/** Decodes PNG and JPEG files. The header is read, and judged, before a pixel is. */
final class ImageFiles {
    private static final long MAX_PIXELS = 100_000_000;

    private static final String FIX = "give a PNG or JPEG of at most " + MAX_PIXELS / 1_000_000 + " megapixels";

    private ImageFiles() {}

    /**
     * Reads an image.
     *
     * @param enough of images larger than the square of this many pixels only every n-th row and column is read: memory stays small
     * @throws FileException if the file cannot be read
     * @throws CorruptFileException if it is no PNG or JPEG, is damaged, or has more than 100 megapixels
     */
    static BufferedImage read(Path file, int enough) {
        if (!Files.isRegularFile(file)) {
            throw new FileException(
                    file.toString(), Files.exists(file) ? "is no regular file" : "no such file", "name an image file");
        }
        try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
            ImageReader reader = in == null ? null : reader(in);
            if (reader == null) {
                throw corrupt(file, "it is neither PNG nor JPEG");
            }
            try {
                reader.setInput(in, true, true);
                int width = reader.getWidth(0);
                int height = reader.getHeight(0);
                if ((long) width * height > MAX_PIXELS) {
                    throw corrupt(file, width + "x" + height + " pixels exceed the limit");
                }
                ImageReadParam param = reader.getDefaultReadParam();
                int every = Math.max(1, (int) Math.sqrt((double) width * height) / enough);
                param.setSourceSubsampling(every, every, 0, 0);
                return reader.read(0, param);
            } finally {
                reader.dispose();
            }
        } catch (IIOException e) {
            throw corrupt(file, "it is damaged (" + firstLine(e) + ")");
        } catch (IOException e) {
            throw new FileException(file.toString(), "cannot be read: " + Idx.reason(e), "name a readable file", e);
        } catch (CorruptFileException e) {
            throw e;
        } catch (RuntimeException e) {
            // The JDK's decoders answer some damaged files with IllegalArgumentException, IndexOutOfBounds and others.
            throw corrupt(file, "it is damaged (" + firstLine(e) + ")");
        }
    }

    private static @Nullable ImageReader reader(ImageInputStream in) {
        for (Iterator<ImageReader> readers = ImageIO.getImageReaders(in); readers.hasNext(); ) {
            ImageReader reader = readers.next();
            try {
                String format = reader.getFormatName().toLowerCase(Locale.ROOT);
                if (format.equals("png") || format.equals("jpeg")) {
                    return reader;
                }
            } catch (IOException e) {
                // A reader that cannot name its format is none that we want.
                reader.dispose();
            }
        }
        return null;
    }

    private static String firstLine(Exception e) {
        Throwable cause = e.getCause() == null ? e : e.getCause();
        String message = String.valueOf(cause.getMessage());
        return message.lines().findFirst().orElse(cause.getClass().getSimpleName());
    }

    private static CorruptFileException corrupt(Path file, String rule) {
        return new CorruptFileException(file.toString(), rule, FIX);
    }
}
