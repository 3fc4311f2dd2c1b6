package dev.tocsin.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.jwk.AsymmetricJWK;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKMatcher;
import com.nimbusds.jose.jwk.JWKSelector;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.util.ResourceRetriever;
import dev.tocsin.runtime.Health;
import java.io.IOException;
import java.net.URL;
import java.security.Key;
import java.text.ParseException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The keys that an issuer publishes (JWKS, RFC 7517), fetched by a thread of its own: at the start,
 * every now and then, and when a token names a key that is not among them; but never twice within
 * {@link #FETCH_INTERVAL}, which is also how soon a first fetch that failed is tried again. The
 * last ones stay good while the issuer is away. Thread-safe.
 *
 * <p>A key that is not among them may have been published since. Whether it was is known after the
 * next fetch; until then {@link #select} says that it is not known yet.
 */
final class PublishedKeys implements TokenKeys {
  /** Between the begins of two fetches, whoever asks. */
  static final Duration FETCH_INTERVAL = Duration.ofSeconds(30);

  /** The condition of {@link Health} that keys were fetched at all. */
  static final String CONDITION = "token keys";

  private static final Logger LOG = LoggerFactory.getLogger(PublishedKeys.class);

  /** Names of keys that no fetch has brought, with the time at which each was first seen. */
  private static final int UNKNOWN_MAX = 1_000;

  private static final Duration UNKNOWN_KEPT = Duration.ofMinutes(10);

  private final URL url;
  private final ResourceRetriever retriever;
  private final Duration refresh;
  private final Duration interval;
  private final Health health;
  private final Clock clock;
  private final Cache<String, Instant> unknown =
      Caffeine.newBuilder().maximumSize(UNKNOWN_MAX).expireAfterWrite(UNKNOWN_KEPT).build();
  private final AtomicBoolean askedNow = new AtomicBoolean();
  private final AtomicBoolean askedLater = new AtomicBoolean();
  private final ScheduledExecutorService fetcher =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "token-keys");
            thread.setDaemon(true);
            return thread;
          });
  private volatile Fetched fetched = new Fetched(new JWKSet(), Instant.MIN);
  private volatile Instant begun = Instant.MIN;
  private long begunNanos; // of the fetcher's thread
  private final Future<?> fetches;
  private volatile Future<?> sooner;

  /** What a fetch brought, and when it began. */
  private record Fetched(JWKSet keys, Instant begun) {}

  /**
   * Keys that are fetched from now on.
   *
   * @param retriever with time-outs and a bound on what it reads
   * @param refresh between two fetches that nobody asked for
   */
  PublishedKeys(
      URL url, ResourceRetriever retriever, Duration refresh, Health health, Clock clock) {
    this(url, retriever, refresh, FETCH_INTERVAL, health, clock);
  }

  PublishedKeys(
      URL url,
      ResourceRetriever retriever,
      Duration refresh,
      Duration interval,
      Health health,
      Clock clock) {
    this.url = url;
    this.retriever = retriever;
    this.interval = interval;
    this.health = health;
    this.clock = clock;
    health.unmet(CONDITION, "the keys of " + url + " are not fetched yet");
    this.refresh = refresh;
    fetches =
        fetcher.scheduleWithFixedDelay(
            this::fetchIfOld, 0, interval.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public List<Key> select(JWSHeader header) {
    Fetched now = fetched;
    List<Key> keys = new ArrayList<>();
    for (JWK key : new JWKSelector(JWKMatcher.forJWSHeader(header)).select(now.keys())) {
      try {
        keys.add(((AsymmetricJWK) key).toPublicKey());
      } catch (JOSEException e) {
        LOG.debug("a published key cannot be used", e);
      }
    }
    if (keys.isEmpty()) {
      Duration wait = ask(); // also where a fetch did not bring it: it may be published later
      String name = header.getKeyID() == null ? "" : header.getKeyID();
      Instant seen = unknown.get(name, unused -> clock.instant());
      if (!now.begun().isAfter(seen)) {
        throw new NotYetException(wait);
      }
    }
    return keys;
  }

  /** Has the keys fetched as soon as that is due. Gives how long that will take about. */
  private Duration ask() {
    Duration wait = untilDue();
    // One that waits for its time does not hold up one that is due.
    AtomicBoolean pending = wait.isZero() ? askedNow : askedLater;
    if (pending.compareAndSet(false, true)) {
      try {
        sooner =
            fetcher.schedule(
                () -> {
                  pending.set(false);
                  fetchIfDue();
                },
                wait.toMillis(),
                TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException closed) {
        LOG.debug("no more keys are fetched", closed);
      }
    }
    return wait.plusSeconds(1);
  }

  private Duration untilDue() {
    Instant last = begun;
    if (last.equals(Instant.MIN)) {
      return Duration.ZERO;
    }
    Duration left = Duration.between(clock.instant(), last.plus(interval));
    boolean clockWentBack = left.compareTo(interval) > 0;
    return left.isNegative() || clockWentBack ? Duration.ZERO : left;
  }

  private void fetchIfOld() {
    boolean none = fetched.begun().equals(Instant.MIN);
    if (none || System.nanoTime() - begunNanos >= refresh.toNanos()) {
      fetchIfDue();
    }
  }

  private void fetchIfDue() {
    if (!untilDue().isZero()) {
      return;
    }
    Instant now = clock.instant();
    begun = now;
    begunNanos = System.nanoTime();
    try {
      JWKSet keys = JWKSet.parse(retriever.retrieveResource(url).getContent());
      fetched = new Fetched(keys, now);
      health.met(CONDITION);
    } catch (IOException | ParseException | RuntimeException e) {
      LOG.warn("the keys of {} cannot be fetched; the last ones stay: {}", url, e.toString());
    }
  }

  @Override
  public void close() {
    fetches.cancel(false);
    Future<?> last = sooner;
    if (last != null) {
      last.cancel(false);
    }
    fetcher.shutdownNow();
  }
}
