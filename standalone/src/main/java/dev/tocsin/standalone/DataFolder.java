package dev.tocsin.standalone;

import dev.tocsin.broker.FolderLock;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * The data folder: what lies where in it; made if need be, and held against every other standalone
 * until closed.
 */
final class DataFolder implements AutoCloseable {
  private final FolderLock lock;

  private DataFolder(FolderLock lock) {
    this.lock = lock;
  }

  static Path lockFile(Path data) {
    return data.resolve("lock");
  }

  static Path kafka(Path data) {
    return data.resolve("kafka");
  }

  static Path state(Path data) {
    return data.resolve("state");
  }

  /** What signs resume tokens, so that they outlive the process. */
  static Path tokenKey(Path data) {
    return data.resolve("token-key");
  }

  static Path logFile(Path data) {
    return data.resolve("logs").resolve("standalone.log");
  }

  static Path brokerLogFile(Path data) {
    return data.resolve("logs").resolve("broker.log");
  }

  /**
   * Takes the folder.
   *
   * @throws StartException if it cannot be made or written, or is in use
   */
  static DataFolder take(Path data) throws StartException {
    try {
      Files.createDirectories(logFile(data).getParent());
      return new DataFolder(FolderLock.take(lockFile(data), Duration.ZERO));
    } catch (FolderLock.HeldException e) {
      throw new StartException("the data folder " + e.getMessage(), e);
    } catch (IOException e) {
      throw new StartException(
          "the data folder %s cannot be used: %s".formatted(data, reason(e)), e);
    }
  }

  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A file fault's message is the path, and its reason only sometimes there. */
  private static String reason(IOException e) {
    if (e instanceof FileSystemException fault) {
      String why = fault.getReason() != null ? fault.getReason() : e.getClass().getSimpleName();
      return why + " (" + Path.of(fault.getFile()) + ")";
    }
    return e.getMessage();
  }
}
