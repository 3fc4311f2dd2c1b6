package dev.tocsin.standalone;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * A file that is there while the process serves, and says where: {@code {"grpc": "HOST:PORT",
 * "metrics": "http://HOST:PORT", "kafka": "HOST:PORT", "pid": N}}. It appears whole.
 */
final class ReadyFile implements AutoCloseable {
  private final Optional<Path> file;

  /**
   * Removes what an earlier process may have left.
   *
   * @param file empty if nobody asked for one
   */
  ReadyFile(Optional<Path> file) throws IOException {
    this.file = file.map(Path::toAbsolutePath);
    if (file.isPresent()) {
      Files.deleteIfExists(this.file.get());
    }
  }

  void write(String grpc, String metrics, String kafka, long pid) throws IOException {
    if (file.isEmpty()) {
      return;
    }
    String json =
        "{\"grpc\":\"%s\",\"metrics\":\"%s\",\"kafka\":\"%s\",\"pid\":%d}\n"
            .formatted(grpc, metrics, kafka, pid);
    Path target = file.get();
    Path whole = Files.createTempFile(target.getParent(), target.getFileName().toString(), ".tmp");
    Files.writeString(whole, json);
    Files.move(whole, target, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Removes it; where that cannot be done, whoever reads it finds a process that is gone. */
  @Override
  public void close() {
    file.map(Path::toFile).ifPresent(File::delete);
  }
}
