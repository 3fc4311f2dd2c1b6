package dev.tocsin.access;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Files that belong together, read again when one of them was changed. While they cannot be read,
 * or do not fit each other, what was read before stays, and the log says so once for each cause;
 * they are tried again until they can be used. Called by one thread at a time.
 */
final class CertificateFiles {
  private static final Logger LOG = LoggerFactory.getLogger(CertificateFiles.class);

  private final List<Path> files;
  private final Reading reading;
  private final Consumer<String> warnings;
  private String seen = "";
  private String told = "";

  /** Takes over what the files hold. */
  interface Reading {
    void read() throws IOException, GeneralSecurityException;
  }

  /**
   * Files that are yet to be read.
   *
   * @param warnings where the log says that they cannot be used
   */
  CertificateFiles(List<Path> files, Reading reading, Consumer<String> warnings) {
    this.files = files;
    this.reading = reading;
    this.warnings = warnings;
  }

  /**
   * Reads them.
   *
   * @throws IOException if they cannot be used; they are named
   */
  void readNow() throws IOException {
    readUnless("");
  }

  void readIfChanged() {
    try {
      if (readUnless(seen)) {
        LOG.info("{} were read again", names());
      }
      told = "";
    } catch (IOException e) {
      if (!e.getMessage().equals(told)) {
        told = e.getMessage();
        warnings.accept("what was read before stays: " + told);
      }
    }
  }

  private boolean readUnless(String known) throws IOException {
    try {
      String now = state();
      if (now.equals(known)) {
        return false;
      }
      reading.read();
      seen = now; // only now: a file that may not be read yet can be allowed without a change of it
      return true;
    } catch (IOException | GeneralSecurityException | RuntimeException e) {
      throw new IOException("%s cannot be used: %s".formatted(names(), e), e);
    }
  }

  /**
   * Which file each is, when it was changed last, and how long it is. One that takes another's
   * place can be as long and of the same time: clocks of file systems tick some hundred times a
   * second, and some tools set times.
   */
  private String state() throws IOException {
    StringBuilder state = new StringBuilder();
    for (Path file : files) {
      BasicFileAttributes its = Files.readAttributes(file, BasicFileAttributes.class);
      state
          .append(its.fileKey())
          .append(' ')
          .append(its.lastModifiedTime())
          .append(' ')
          .append(its.size())
          .append(';');
    }
    return state.toString();
  }

  private String names() {
    return files.stream().map(Path::toString).collect(Collectors.joining(", "));
  }
}
