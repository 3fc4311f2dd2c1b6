package dev.tocsin.query;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where the key comes from that signs resume tokens. */
final class TokenKey {
  private static final Logger LOG = LoggerFactory.getLogger(TokenKey.class);
  private static final int BYTES = 32;

  private TokenKey() {}

  /**
   * The key: what the configuration says, or what its file holds, or a new one, which dies with the
   * process.
   *
   * @throws IOException if the file cannot be read or made, or holds no key
   */
  static byte[] load(StreamConfig config) throws IOException {
    if (config.tokenSecret().isPresent()) {
      return config.tokenSecret().get().getBytes(StandardCharsets.UTF_8);
    }
    if (config.tokenKeyFile().isPresent()) {
      return ofFile(config.tokenKeyFile().get());
    }
    LOG.warn(
        "resume tokens do not outlive this process, and no other takes them: set query.token-secret"
            + " if they are to");
    return fresh();
  }

  private static byte[] ofFile(Path file) throws IOException {
    if (!Files.exists(file)) {
      make(file);
    }
    byte[] key = Files.readAllBytes(file);
    if (key.length != BYTES) {
      throw new IOException(file + " holds no key: it is not " + BYTES + " bytes long");
    }
    return key;
  }

  /**
   * Whole or not at all, and never readable by others. Of several that make it at once one does,
   * and all read its: a link, unlike a move, replaces nothing.
   */
  private static void make(Path file) throws IOException {
    Path draft = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".new");
    Files.createFile(draft, ownerOnly());
    try {
      Files.write(draft, fresh());
      Files.createLink(file, draft);
    } catch (FileAlreadyExistsException e) {
      LOG.info("another process has just made {}", file);
    } catch (UnsupportedOperationException e) {
      throw new IOException("no links in its folder; set query.token-secret instead: " + file, e);
    } finally {
      Files.deleteIfExists(draft);
    }
  }

  private static FileAttribute<?>[] ownerOnly() {
    if (!FileSystems.getDefault().supportedFileAttributeViews().contains("posix")) {
      return new FileAttribute<?>[0];
    }
    return new FileAttribute<?>[] {
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
    };
  }

  private static byte[] fresh() {
    byte[] key = new byte[BYTES];
    new SecureRandom().nextBytes(key);
    return key;
  }
}
