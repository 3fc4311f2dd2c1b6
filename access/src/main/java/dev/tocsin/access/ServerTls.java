package dev.tocsin.access;

import dev.tocsin.runtime.Guards;
import dev.tocsin.runtime.Settings;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.netty.handler.ssl.ClientAuth;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.util.AdvancedTlsX509TrustManager;
import io.grpc.util.AdvancedTlsX509TrustManager.Verification;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.Optional;
import javax.net.ssl.SSLSession;
import javax.net.ssl.SSLSessionContext;

/**
 * A server's side of TLS 1.3, from files that are looked at again and again: a new certificate
 * serves the next connection. Files that cannot be read, or a certificate and a key that do not
 * match, leave the last ones in force, and a line in the log. Thread-safe.
 */
public final class ServerTls implements Guards, AutoCloseable {
  /** Tickets would hold sessions outside of this process, where none can be forgotten. */
  private static final String TICKETS = "jdk.tls.server.enableSessionTicketExtension";

  static {
    if (System.getProperty(TICKETS) == null) {
      System.setProperty(TICKETS, "false");
    }
  }

  private final TlsFiles files;
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
      Duration reload = reload(settings, name + ".tls.reload");
      if (certificates.isEmpty() && key.isEmpty() && authorities.isEmpty()) {
        return Optional.empty();
      }
      String certificateFile = settings.required(name + ".tls.certificate-file");
      String keyFile = settings.required(name + ".tls.key-file");
      return Optional.of(
          new Config(Path.of(certificateFile), Path.of(keyFile), authorities, reload));
    }

    /**
     * The same for a port that only our own servers call. One that can be reached from elsewhere
     * has to ask for their certificates, unless {@code NAME.open} says that it need not.
     */
    public static Optional<Config> readInternal(Settings settings, String name) {
      Optional<Config> config = read(settings, name);
      Reach.check(
          settings,
          name,
          config.filter(tls -> tls.clientAuthorities().isPresent()).isPresent(),
          "set %s.tls.client-authorities-file, or %s.open=true".formatted(name, name));
      return config;
    }

    static Optional<Path> path(Settings settings, String name) {
      return Optional.of(settings.text(name, "")).filter(text -> !text.isEmpty()).map(Path::of);
    }

    static Duration reload(Settings settings, String name) {
      return settings.duration(
          name, Duration.ofSeconds(10), Duration.ofMillis(100), Duration.ofHours(24));
    }
  }

  /**
   * Reads the files.
   *
   * @throws IOException if one cannot be used; it is named
   */
  public ServerTls(Config config) throws IOException {
    files = new TlsFiles(config.reload());
    SslContextBuilder builder =
        SslContextBuilder.forServer(files.identity(config.certificates(), config.key()));
    if (config.clientAuthorities().isPresent()) {
      AdvancedTlsX509TrustManager trust =
          files.authorities(
              config.clientAuthorities().get(),
              Verification.CERTIFICATE_ONLY_VERIFICATION,
              this::forgetSessions);
      // By the JDK, whose sessions can be forgotten; else by whichever library is the fastest.
      GrpcSslContexts.configure(builder, SslProvider.JDK)
          .trustManager(trust)
          .clientAuth(ClientAuth.REQUIRE);
    } else {
      GrpcSslContexts.configure(builder);
    }
    builder.protocols("TLSv1.3");
    context = builder.build();
  }

  /**
   * Who resumes a session shows no certificate, so one that an authority has signed would live on
   * in them after the authority is taken away.
   */
  private void forgetSessions() {
    SSLSessionContext sessions = context.sessionContext();
    for (byte[] id : Collections.list(sessions.getIds())) {
      SSLSession session = sessions.getSession(id);
      if (session != null) {
        session.invalidate();
      }
    }
  }

  /** For the listener. */
  public SslContext context() {
    return context;
  }

  @Override
  public Optional<SslContext> tls() {
    return Optional.of(context);
  }

  @Override
  public void close() {
    files.close();
  }
}
