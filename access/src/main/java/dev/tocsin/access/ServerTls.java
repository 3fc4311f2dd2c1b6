package dev.tocsin.access;

import dev.tocsin.runtime.Settings;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import java.io.IOException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * A server's side of TLS 1.3, from files that are looked at again and again: a new certificate
 * serves the next connection. Files that cannot be read leave the last ones in force, and a line in
 * the log. Thread-safe.
 */
public final class ServerTls implements AutoCloseable {
  private final ScheduledExecutorService reader =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "certificates");
            thread.setDaemon(true);
            return thread;
          });
  private final List<Future<?>> watches = new ArrayList<>();
  private final SslContext context;

  /**
   * The files, all PEM.
   *
   * @param certificates {@code NAME.tls.certificate-file}: the server's, and those between it and
   *     the root
   * @param key {@code NAME.tls.key-file}: PKCS #8, not encrypted
   * @param clientAuthorities {@code NAME.tls.client-authorities-file}: if given, a client must show
   *     a certificate that one of these has signed
   * @param reload {@code NAME.tls.reload}: how often the files are looked at
   */
  public record Config(
      Path certificates, Path key, Optional<Path> clientAuthorities, Duration reload) {
    /**
     * The settings {@code NAME.tls.*}; empty if none is given. Faults are left to {@link
     * Settings#check}.
     */
    public static Optional<Config> read(Settings settings, String name) {
      Optional<Path> certificates = path(settings, name + ".tls.certificate-file");
      Optional<Path> key = path(settings, name + ".tls.key-file");
      Optional<Path> authorities = path(settings, name + ".tls.client-authorities-file");
      Duration reload =
          settings.duration(
              name + ".tls.reload",
              Duration.ofSeconds(10),
              Duration.ofMillis(100),
              Duration.ofHours(24));
      if (certificates.isEmpty() && key.isEmpty() && authorities.isEmpty()) {
        return Optional.empty();
      }
      String certificateFile = settings.required(name + ".tls.certificate-file");
      String keyFile = settings.required(name + ".tls.key-file");
      return Optional.of(
          new Config(Path.of(certificateFile), Path.of(keyFile), authorities, reload));
    }

    private static Optional<Path> path(Settings settings, String name) {
      return Optional.of(settings.text(name, "")).filter(text -> !text.isEmpty()).map(Path::of);
    }
  }

  /**
   * Reads the files.
   *
   * @throws IOException if one cannot be used; it is named
   */
  public ServerTls(Config config) throws IOException {
    AdvancedTlsX509KeyManager keys = new AdvancedTlsX509KeyManager();
    watch(
        List.of(config.certificates(), config.key()),
        () -> keys.updateIdentityCredentials(config.certificates().toFile(), config.key().toFile()),
        config.reload());
    SslContextBuilder builder =
        GrpcSslContexts.configure(SslContextBuilder.forServer(keys), SslProvider.JDK)
            .protocols("TLSv1.3");
    if (config.clientAuthorities().isPresent()) {
      builder
          .trustManager(trust(config.clientAuthorities().get(), config.reload()))
          .clientAuth(ClientAuth.REQUIRE);
    }
    context = builder.build();
  }

  private AdvancedTlsX509TrustManager trust(Path authorities, Duration reload) throws IOException {
    try {
      AdvancedTlsX509TrustManager trust =
          AdvancedTlsX509TrustManager.newBuilder()
              .setVerification(Verification.CERTIFICATE_ONLY_VERIFICATION)
              .build();
      watch(List.of(authorities), () -> trust.updateTrustCredentials(authorities.toFile()), reload);
      return trust;
    } catch (GeneralSecurityException e) {
      throw new IOException(e);
    }
  }

  /** Reads the files now, and again whenever one of them was changed. */
  private void watch(List<Path> files, CertificateFiles.Reading reading, Duration reload)
      throws IOException {
    CertificateFiles watched = new CertificateFiles(files, reading);
    try {
      watched.readNow();
    } catch (IOException e) {
      close();
      throw e;
    }
    watches.add(
        reader.scheduleWithFixedDelay(
            watched::readIfChanged, reload.toMillis(), reload.toMillis(), TimeUnit.MILLISECONDS));
  }

  /** For the listener. */
  public SslContext context() {
    return context;
  }

  @Override
  public void close() {
    watches.forEach(watch -> watch.cancel(false));
    reader.shutdownNow();
  }
}
