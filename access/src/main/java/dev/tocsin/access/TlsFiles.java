package dev.tocsin.access;

import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import io.grpc.util.CertificateUtils;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.SignatureException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What one end of TLS shows and whom it trusts, from PEM files that are looked at again and again:
 * new ones hold for the next connections, ones that cannot be used leave the last in force.
 * Thread-safe once it is made.
 */
final class TlsFiles implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TlsFiles.class);
  private static final int PROOF_BYTES = 32;

  /** The most that a server's handshake time-out can be set to. */
  private static final Duration HANDSHAKE_MAX = Duration.ofMinutes(2);

  private static final int FILE_BYTES_MAX = 1 << 20;

  private final Consumer<String> warnings;
  private final List<CertificateFiles> watched = new CopyOnWriteArrayList<>();
  private final ScheduledExecutorService reader =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "certificates");
            thread.setDaemon(true);
            return thread;
          });
  private final Future<?> looks;

  /** No files yet; they are looked at as often as {@code reload} says. */
  TlsFiles(Duration reload) {
    this(reload, LOG::warn);
  }

  /** With another place for what the log says of files that cannot be used. */
  TlsFiles(Duration reload, Consumer<String> warnings) {
    this.warnings = warnings;
    looks =
        reader.scheduleWithFixedDelay(
            this::look, reload.toMillis(), reload.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Takes over what was changed. By one thread at a time. */
  void look() {
    watched.forEach(CertificateFiles::readIfChanged);
  }

  /**
   * A certificate, with those between it and the root, and its key: RSA or EC, PKCS #8. The two
   * files are replaced one after the other, so a pair that does not match is never taken over.
   *
   * @throws IOException if they cannot be used; then all is closed
   */
  AdvancedTlsX509KeyManager identity(Path certificates, Path key) throws IOException {
    AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();
    watch(
        List.of(certificates, key),
        () -> {
          X509Certificate[] chain = chain(certificates);
          PrivateKey own = CertificateUtils.getPrivateKey(bytes(key));
          checkPair(chain[0].getPublicKey(), own);
          keys.updateIdentityCredentials(chain, own);
        });
    return keys;
  }

  /**
   * Trusts whom one of these authorities has signed.
   *
   * @param onChange is run after others have taken their place, and again when no handshake can be
   *     under way that began before
   * @throws IOException if they cannot be used; then all is closed
   */
  AdvancedTlsX509TrustManager authorities(Path file, Verification verification, Runnable onChange)
      throws IOException {
    try {
      AdvancedTlsX509TrustManager trust =
          AdvancedTlsX509TrustManager.newBuilder().setVerification(verification).build();
      AtomicBoolean first = new AtomicBoolean(true);
      watch(
          List.of(file),
          () -> {
            trust.updateTrustCredentials(chain(file));
            if (!first.getAndSet(false)) {
              onChange.run();
              // For handshakes that were under way, of which some trusted the old ones.
              var unused =
                  reader.schedule(onChange, HANDSHAKE_MAX.toMillis(), TimeUnit.MILLISECONDS);
            }
          });
      return trust;
    } catch (GeneralSecurityException e) {
      close();
      throw new IOException(e);
    }
  }

  /** The same, where nothing depends on whom they trust. */
  AdvancedTlsX509TrustManager authorities(Path file, Verification verification) throws IOException {
    return authorities(file, verification, () -> {});
  }

  /** Reads the files now, and again whenever one of them was changed. */
  private void watch(List<Path> files, CertificateFiles.Reading reading) throws IOException {
    CertificateFiles some = new CertificateFiles(files, reading, warnings);
    try {
      some.readNow();
    } catch (IOException e) {
      close();
      throw e;
    }
    watched.add(some);
  }

  /** A file that is being written may be empty for a moment. */
  private static X509Certificate[] chain(Path file) throws IOException, CertificateException {
    X509Certificate[] chain = CertificateUtils.getX509Certificates(bytes(file));
    if (chain.length == 0) {
      throw new CertificateException(file + " holds no certificate");
    }
    return chain;
  }

  private static InputStream bytes(Path file) throws IOException {
    if (Files.size(file) > FILE_BYTES_MAX) {
      throw new IOException(file + " is over " + FILE_BYTES_MAX + " bytes");
    }
    return new ByteArrayInputStream(Files.readAllBytes(file));
  }

  private static void checkPair(PublicKey shown, PrivateKey own) throws GeneralSecurityException {
    if (!shown.getAlgorithm().equals(own.getAlgorithm()) || !verifies(shown, own)) {
      throw new CertificateException("the key is not that of the certificate");
    }
  }

  /** Whether what one signs the other verifies, which is all that a handshake asks of them. */
  private static boolean verifies(PublicKey shown, PrivateKey own) throws GeneralSecurityException {
    byte[] proof = new byte[PROOF_BYTES];
    new SecureRandom().nextBytes(proof);
    Signature signature =
        Signature.getInstance(
            own.getAlgorithm().equals("EC") ? "SHA256withECDSA" : "SHA256withRSA");
    signature.initSign(own);
    signature.update(proof);
    byte[] signed = signature.sign();
    signature.initVerify(shown);
    signature.update(proof);
    try {
      return signature.verify(signed);
    } catch (SignatureException e) {
      return false; // a key of another size or curve
    }
  }

  @Override
  public void close() {
    looks.cancel(false);
    reader.shutdownNow();
  }
}
