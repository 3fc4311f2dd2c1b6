package dev.tocsin.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;

/**
 * The last resume token, in memory, and in a file if there is one: whole or not at all, written at
 * most once a second, and when closed. Not thread-safe.
 */
final class TokenFile implements AutoCloseable {
  private static final Duration WRITE_INTERVAL = Duration.ofSeconds(1);

  private final Path file;
  private String token;
  private String written;
  private long writtenNanos = System.nanoTime() - WRITE_INTERVAL.toNanos();

  private TokenFile(Path file, String token) {
    this.file = file;
    this.token = token;
    this.written = token;
  }

  /** No file; the first token is this one, or empty for none. */
  static TokenFile none(String token) {
    return new TokenFile(null, token);
  }

  /** What the file holds, if it is there. */
  static TokenFile of(Path file) throws IOException {
    String held = Files.exists(file) ? Files.readString(file, StandardCharsets.UTF_8).strip() : "";
    return new TokenFile(file, held);
  }

  /** The last one; empty if there is none. */
  String token() {
    return token;
  }

  /** Takes a new one; an empty one leaves the last. */
  void keep(String next) throws IOException {
    if (next.isEmpty()) {
      return;
    }
    token = next;
    if (System.nanoTime() - writtenNanos >= WRITE_INTERVAL.toNanos()) {
      write();
    }
  }

  @Override
  public void close() throws IOException {
    write();
  }

  private void write() throws IOException {
    if (file == null || token.equals(written)) {
      return;
    }
    Path draft = file.resolveSibling(file.getFileName() + ".new");
    Files.writeString(draft, token + "\n", StandardCharsets.UTF_8);
    Files.move(draft, file, StandardCopyOption.REPLACE_EXISTING);
    written = token;
    writtenNanos = System.nanoTime();
  }
}
