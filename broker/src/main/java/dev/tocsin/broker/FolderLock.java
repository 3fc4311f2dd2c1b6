package dev.tocsin.broker;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A folder taken for one process, by a lock that the operating system holds on a file of it and
 * drops when the process ends, however it ends. The file stays; what counts is the lock.
 *
 * <p>Closing gives it back.
 */
public final class FolderLock implements AutoCloseable {
  private final FileChannel channel;

  private FolderLock(FileChannel channel) {
    this.channel = channel;
  }

  /** Another process holds the folder, and went on to. */
  public static final class HeldException extends IOException {
    HeldException(Path file, Duration waited) {
      super(
          "%s is in use by another process%s"
              .formatted(
                  file.getParent(),
                  waited.isZero() ? "" : ", still after %d s".formatted(waited.toSeconds())));
    }
  }

  /**
   * Takes the lock on {@code file}, which is made if it is not there.
   *
   * @param waitMax how long to wait for a process that still holds it; zero to try once
   * @throws HeldException if it is still held then
   * @throws IOException if the file cannot be opened or locked
   */
  public static FolderLock take(Path file, Duration waitMax) throws IOException {
    FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    try {
      if (channel.tryLock() == null) {
        await(channel, file, waitMax);
      }
      return new FolderLock(channel);
    } catch (OverlappingFileLockException e) {
      channel.close();
      throw new HeldException(file, Duration.ZERO); // by this very process
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }

  /** A blocking lock, so that the folder is had the moment it is free; closing the file ends it. */
  private static void await(FileChannel channel, Path file, Duration waitMax) throws IOException {
    if (waitMax.isZero()) {
      throw new HeldException(file, waitMax);
    }
    CompletableFuture<FileLock> lock = new CompletableFuture<>();
    Thread waiting = new Thread(() -> lock(channel, lock), "folder-lock");
    waiting.setDaemon(true);
    waiting.start();
    try {
      lock.get(waitMax.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw new HeldException(file, waitMax);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HeldException(file, waitMax);
    } catch (ExecutionException e) {
      throw new IOException("cannot lock " + file + ": " + e.getCause(), e.getCause());
    }
  }

  private static void lock(FileChannel channel, CompletableFuture<FileLock> lock) {
    try {
      lock.complete(channel.lock());
    } catch (IOException | RuntimeException e) {
      lock.completeExceptionally(e);
    }
  }
}
