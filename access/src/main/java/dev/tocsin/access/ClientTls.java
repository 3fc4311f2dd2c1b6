package dev.tocsin.access;

import dev.tocsin.runtime.Settings;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/**
 * The side of TLS 1.3 on which one of our servers calls another: it trusts the authorities that it
 * is given and no others, holds the other end to the name or address that it was called by, and
 * shows a certificate of its own if it has one. The files are looked at again and again, as {@link
 * ServerTls} does it. Thread-safe.
 */
public final class ClientTls implements AutoCloseable {
  private static final String AUTHORITIES = "forward.tls.ca-file";
  private static final String CERTIFICATES = "forward.tls.certificate-file";
  private static final String KEY = "forward.tls.key-file";

  private final TlsFiles files;
  private final SslContext context;

  /**
   * The files, all PEM.
   *
   * @param authorities {@code forward.tls.ca-file}: one of these must have signed the certificate
   *     of whoever is called
   * @param identity what is shown where it is asked for
   * @param reload {@code forward.tls.reload}: how often the files are looked at
   */
  public record Config(Path authorities, Optional<Identity> identity, Duration reload) {
    /**
     * The settings {@code forward.tls.*}; empty if none is given: then calls are not encrypted.
     * Faults are left to {@link Settings#check}.
     */
    public static Optional<Config> read(Settings settings) {
      Optional<Path> authorities = ServerTls.Config.path(settings, AUTHORITIES);
      Optional<Path> certificates = ServerTls.Config.path(settings, CERTIFICATES);
      Optional<Path> key = ServerTls.Config.path(settings, KEY);
      Duration reload = ServerTls.Config.reload(settings, "forward.tls.reload");
      if (authorities.isEmpty() && certificates.isEmpty() && key.isEmpty()) {
        return Optional.empty();
      }
      Path given = Path.of(settings.required(AUTHORITIES));
      if (certificates.isEmpty() && key.isEmpty()) {
        return Optional.of(new Config(given, Optional.empty(), reload));
      }
      Identity identity =
          new Identity(Path.of(settings.required(CERTIFICATES)), Path.of(settings.required(KEY)));
      return Optional.of(new Config(given, Optional.of(identity), reload));
    }
  }

  /**
   * A certificate and its key.
   *
   * @param certificates {@code forward.tls.certificate-file}: the caller's, and those between it
   *     and the root
   * @param key {@code forward.tls.key-file}: PKCS #8, not encrypted
   */
  public record Identity(Path certificates, Path key) {}

  /**
   * Reads the files.
   *
   * @throws IOException if one cannot be used; it is named
   */
  public ClientTls(Config config) throws IOException {
    files = new TlsFiles(config.reload());
    SslContextBuilder builder =
        GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
            .protocols("TLSv1.3")
            .trustManager(
                files.authorities(
                    config.authorities(), Verification.CERTIFICATE_AND_HOST_NAME_VERIFICATION));
    if (config.identity().isPresent()) {
      Identity identity = config.identity().get();
      builder.keyManager(files.identity(identity.certificates(), identity.key()));
    }
    context = builder.build();
  }

  /** For channels. */
  public SslContext context() {
    return context;
  }

  @Override
  public void close() {
    files.close();
  }
}
