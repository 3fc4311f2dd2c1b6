package dev.tocsin.access;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that belong together, read again when one of them was changed. While they cannot be read,
 * or do not fit each other, what was read before stays, and the log says so once. Called by one
 * thread at a time.
 */
final class CertificateFiles {
  private static final Logger LOG = LoggerFactory.getLogger(CertificateFiles.class);

  private final List<Path> files;
  private final Reading reading;
  private String seen = "";

  /** Takes over what the files hold. */
  interface Reading {
    void read() throws IOException, GeneralSecurityException;
  }

  CertificateFiles(List<Path> files, Reading reading) {
    this.files = files;
    this.reading = reading;
  }

  /**
   * Reads them.
   *
   * @throws IOException if they cannot be used; they are named
   */
  void readNow() throws IOException {
    try {
      seen = state();
      reading.read();
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      throw new IOException("%s cannot be used: %s".formatted(names(), e), e);
    }
  }

  void readIfChanged() {
    try {
      if (!state().equals(seen)) {
        readNow();
        LOG.info("{} were read again", names());
      }
    } catch (IOException e) {
      LOG.warn("what was read before stays: {}", e.getMessage());
    }
  }

  /** When each was changed last, and how long it is. */
  private String state() throws IOException {
    StringBuilder state = new StringBuilder();
    for (Path file : files) {
      state
          .append(Files.getLastModifiedTime(file))
          .append(' ')
          .append(Files.size(file))
          .append(';');
    }
    return state.toString();
  }

  private String names() {
    return files.stream().map(Path::toString).collect(Collectors.joining(", "));
  }
}
