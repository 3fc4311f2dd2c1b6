package dev.tocsin.access;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Settings;
import io.github.bucket4j.Bucket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How much each principal may use, and all of them together. Thread-safe.
 *
 * <p>A principal has the same buckets as long as any call of it is open. Those of {@value
 * #PRINCIPALS_MAX} more are kept; one that returns after ten minutes, or after so many others,
 * begins with full ones.
 */
public final class Quotas {
  static final int PRINCIPALS_MAX = 10_000;

  private static final Duration KEPT = Duration.ofMinutes(10);

  private final Config config;
  private final Optional<Bucket> allCalls;
  private final Optional<Bucket> allAlerts;
  private final Cache<Caller, Quota> recent;

  /** Also those that only their open calls hold: a second stream is to find the first one's. */
  private final Cache<Caller, Quota> all = Caffeine.newBuilder().weakValues().build();

  /**
   * A rate, and how much may come at once.
   *
   * @param perSecond 0 for no bound
   * @param burst what an idle bucket holds
   */
  public record Rate(int perSecond, int burst) {
    static Rate read(Settings settings, String name) {
      int perSecond = settings.integer(name + "-per-second", 0, 0, 100_000_000);
      return new Rate(
          perSecond, settings.integer(name + "-burst", Math.max(1, perSecond), 1, 1_000_000_000));
    }

    private Optional<Bucket> bucket() {
      return perSecond == 0
          ? Optional.empty()
          : Optional.of(
              Bucket.builder()
                  .addLimit(
                      limit -> limit.capacity(burst).refillGreedy(perSecond, Duration.ofSeconds(1)))
                  .build());
    }
  }

  /**
   * The bounds.
   *
   * @param calls of one principal: {@code limits.calls-per-second}, {@code limits.calls-burst}
   * @param alerts of one principal: {@code limits.alerts-per-second} and so on
   * @param allCalls of all: {@code limits.all-calls-per-second}
   * @param allAlerts of all: {@code limits.all-alerts-per-second}
   */
  public record Config(Rate calls, Rate alerts, Rate allCalls, Rate allAlerts) {
    /** Reads {@code limits.*}. Faults are left to {@link Settings#check}. */
    public static Config read(Settings settings) {
      return new Config(
          Rate.read(settings, "limits.calls"),
          Rate.read(settings, "limits.alerts"),
          Rate.read(settings, "limits.all-calls"),
          Rate.read(settings, "limits.all-alerts"));
    }
  }

  /** Full buckets. */
  public Quotas(Config config) {
    this(config, KEPT, Ticker.systemTicker());
  }

  Quotas(Config config, Duration kept, Ticker ticker) {
    this.config = config;
    this.allCalls = config.allCalls().bucket();
    this.allAlerts = config.allAlerts().bucket();
    this.recent =
        Caffeine.newBuilder()
            .maximumSize(PRINCIPALS_MAX)
            .expireAfterAccess(kept)
            .ticker(ticker)
            .build();
  }

  /** The quota of one principal. */
  Quota of(Caller caller) {
    Quota quota =
        all.get(
            caller,
            unused ->
                new Quota(
                    buckets(config.calls().bucket(), allCalls),
                    buckets(config.alerts().bucket(), allAlerts)));
    recent.put(caller, quota);
    return quota;
  }

  private static List<Bucket> buckets(Optional<Bucket> own, Optional<Bucket> all) {
    List<Bucket> buckets = new ArrayList<>();
    own.ifPresent(buckets::add);
    all.ifPresent(buckets::add);
    return List.copyOf(buckets);
  }
}
