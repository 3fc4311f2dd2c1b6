package dev.tocsin.access;

import com.nimbusds.jose.util.DefaultResourceRetriever;
import dev.tocsin.runtime.Guards;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.LoggedCalls;
import dev.tocsin.runtime.Settings;
import io.grpc.ServerInterceptor;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.security.Key;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.Predicate;

/**
 * Who may call one server, and how much: its certificate, the tokens that it takes, and quotas.
 * Thread-safe.
 */
public final class Access implements Guards, AutoCloseable {
  private static final Duration CONNECT_MAX = Duration.ofSeconds(2);
  private static final Duration READ_MAX = Duration.ofSeconds(5);
  private static final int JWKS_BYTES_MAX = 256 << 10;

  private final Lifetime lifetime = new Lifetime();
  private final Optional<ServerTls> tls;
  private final Optional<TokenVerifier> verifier;
  private final LoggedCalls logged;
  private final Quotas quotas;
  private final MeterRegistry meters;
  private final Clock clock;
  private final ScheduledThreadPoolExecutor timer;

  /**
   * What it is told.
   *
   * @param tls empty for a server that is not encrypted
   * @param tokens empty for a server that asks nobody who they are
   * @param logged {@code NAME.access-log}: off, errors (the default) or all
   */
  public record Config(
      Optional<ServerTls.Config> tls,
      Optional<TokenConfig> tokens,
      Quotas.Config quotas,
      LoggedCalls logged) {
    /**
     * The settings {@code NAME.tls.*}, {@code auth.*} and {@code limits.*}. A server that can be
     * reached from elsewhere has to ask who calls, and has to be encrypted, unless {@code
     * NAME.open} or {@code NAME.plaintext} says that it need not. Faults are left to {@link
     * Settings#check}.
     */
    public static Config read(Settings settings, String name) {
      Config config =
          new Config(
              ServerTls.Config.read(settings, name),
              TokenConfig.read(settings),
              Quotas.Config.read(settings),
              LoggedCalls.read(settings, name + ".access-log"));
      config.checkOpen(settings, name);
      return config;
    }

    private void checkOpen(Settings settings, String name) {
      boolean asked =
          tokens.isPresent() || tls.filter(c -> c.clientAuthorities().isPresent()).isPresent();
      Reach.check(settings, name, asked, "set auth.*, or %s.open=true".formatted(name));
      boolean plaintext = settings.flag(name + ".plaintext", false);
      String host = Reach.host(settings, name);
      if (asked && tls.isEmpty() && !plaintext && !Reach.loopback(host)) {
        settings.fault(
            name + ".host",
            "%s can be reached from elsewhere and tokens would go there unencrypted: set %s.tls.*, or %s.plaintext=true if something before it encrypts"
                .formatted(host, name, name));
      }
    }
  }

  /**
   * Reads the files that it is told of.
   *
   * @param health has a condition more where keys are fetched
   * @throws IOException if one cannot be used; then nothing is left open
   */
  public Access(Config config, MeterRegistry meters, Health health, Clock clock)
      throws IOException {
    this.logged = config.logged();
    this.quotas = new Quotas(config.quotas());
    this.meters = meters;
    this.clock = clock;
    this.timer = new ScheduledThreadPoolExecutor(1, Access::daemon);
    timer.setRemoveOnCancelPolicy(true);
    lifetime.add(timer::shutdownNow);
    try {
      this.tls =
          config.tls().isEmpty()
              ? Optional.empty()
              : Optional.of(lifetime.add(new ServerTls(config.tls().get())));
      this.verifier =
          config.tokens().isEmpty()
              ? Optional.empty()
              : Optional.of(verifier(config.tokens().get(), health));
    } catch (IOException | RuntimeException e) {
      lifetime.close();
      throw e;
    }
  }

  private TokenVerifier verifier(TokenConfig config, Health health) throws IOException {
    return new TokenVerifier(config, lifetime.add(keys(config, health)), clock);
  }

  private TokenKeys keys(TokenConfig config, Health health) throws IOException {
    if (config.jwks().isPresent()) {
      return new PublishedKeys(
          config.jwks().get().toURL(),
          new DefaultResourceRetriever(
              (int) CONNECT_MAX.toMillis(), (int) READ_MAX.toMillis(), JWKS_BYTES_MAX),
          config.jwksRefresh(),
          health,
          clock);
    }
    Key key =
        config.secret().isPresent()
            ? KeyFiles.secret(config.secret().get())
            : KeyFiles.publicKey(config.publicKey().orElseThrow(), config.algorithm());
    List<Key> only = List.of(key);
    return header -> only;
  }

  @Override
  public LoggedCalls logged() {
    return logged;
  }

  @Override
  public Optional<SslContext> tls() {
    return tls.map(ServerTls::context);
  }

  @Override
  public Optional<ServerInterceptor> tokens(Predicate<String> closed) {
    return verifier.map(verifier -> new TokenGuard(verifier, closed, timer, meters, clock));
  }

  @Override
  public Optional<ServerInterceptor> quotas(Predicate<String> bounded) {
    return Optional.of(new QuotaGuard(quotas, bounded, meters));
  }

  @Override
  public void close() {
    lifetime.close();
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "token-ends");
    thread.setDaemon(true);
    return thread;
  }
}
