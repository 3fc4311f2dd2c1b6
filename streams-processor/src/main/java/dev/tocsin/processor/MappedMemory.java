package dev.tocsin.processor;

import dev.tocsin.engine.ReceiptMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.apache.kafka.streams.errors.ProcessorStateException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Memory beside the heap that the system may write to the disk and take for something else: pieces
 * of files in the state folder that are mapped and have no name any more, and go when nobody holds
 * a piece of them. What is in them does not outlive the process. Thread-safe.
 */
public final class MappedMemory implements ReceiptMemory {
  private static final Logger LOG = LoggerFactory.getLogger(MappedMemory.class);

  /** What is no larger lies in the heap: most receipts of a quiet log. */
  private static final int HEAP_BYTES_MAX = 4 << 10;

  private static final int FILE_BYTES = 4 << 20;
  private static final int WRITE_BYTES = 64 << 10;
  private static final int ALIGNMENT = 8;
  private static final String SUFFIX = ".mapped";

  private final Path folder;
  private ByteBuffer open = ByteBuffer.allocate(0);
  private boolean swept;

  /** In a folder of its own, which is made when it is needed. */
  public MappedMemory(Path folder) {
    this.folder = folder;
  }

  /**
   * {@inheritDoc}
   *
   * @throws ProcessorStateException if the disk is full, or the folder cannot be written to
   */
  @Override
  public synchronized ByteBuffer allocate(int bytes) {
    if (bytes <= HEAP_BYTES_MAX) {
      return ByteBuffer.allocate(bytes);
    }
    if (bytes > FILE_BYTES / 2) {
      return map(bytes);
    }
    if (open.remaining() < bytes) {
      open = map(FILE_BYTES);
    }
    ByteBuffer piece = open.slice(open.position(), bytes);
    open.position(
        Math.min(open.limit(), open.position() + (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT));
    return piece;
  }

  private ByteBuffer map(int bytes) {
    try {
      return mapped(bytes);
    } catch (IOException full) {
      LOG.warn("looking for room for receipts in what nobody holds any more: {}", full.toString());
    }
    System.gc(); // a piece keeps its room on the disk until it is found to be dead
    try {
      return mapped(bytes);
    } catch (IOException e) {
      throw new ProcessorStateException(
          "receipts have no room: %d bytes in %s: %s".formatted(bytes, folder, e.getMessage()), e);
    }
  }

  private ByteBuffer mapped(int bytes) throws IOException {
    sweep();
    Path file = Files.createTempFile(folder, "receipts-", SUFFIX);
    try (FileChannel channel =
        FileChannel.open(
            file,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE,
            StandardOpenOption.DELETE_ON_CLOSE)) {
      // A page that the disk has no room for ends the JVM when it is touched: better now.
      for (int rest = bytes; rest > 0; ) {
        rest -= channel.write(ByteBuffer.allocate(Math.min(rest, WRITE_BYTES)));
      }
      return channel.map(MapMode.READ_WRITE, 0, bytes);
    }
  }

  /** Makes the folder, and takes from it what a process that was killed between two steps left. */
  private void sweep() throws IOException {
    if (swept) {
      return;
    }
    Files.createDirectories(folder);
    try (DirectoryStream<Path> left = Files.newDirectoryStream(folder, "*" + SUFFIX)) {
      for (Path file : left) {
        Files.deleteIfExists(file);
      }
    }
    swept = true;
  }
}
