package dev.tocsin.access;

import io.github.bucket4j.Bucket;
import io.grpc.Context;
import java.time.Duration;
import java.util.List;

/**
 * What one caller may still use, as token buckets: its own, and the one that all share.
 * Thread-safe; never waits.
 */
public final class Quota {
  /** No bound. */
  public static final Quota NONE = new Quota(List.of(), List.of());

  private static final Context.Key<Quota> KEY = Context.keyWithDefault("quota", NONE);

  private final List<Bucket> calls;
  private final List<Bucket> alerts;

  Quota(List<Bucket> calls, List<Bucket> alerts) {
    this.calls = calls;
    this.alerts = alerts;
  }

  /** The quota of the gRPC call that this thread serves. */
  public static Quota current() {
    return KEY.get();
  }

  Context in(Context context) {
    return context.withValue(KEY, this);
  }

  /**
   * Takes one alert's worth.
   *
   * @return zero if there was enough; else how long to wait, and nothing is taken
   */
  public Duration takeAlert() {
    return take(alerts);
  }

  /** The same of one call. */
  Duration takeCall() {
    return take(calls);
  }

  private static Duration take(List<Bucket> buckets) {
    for (int i = 0; i < buckets.size(); i++) {
      if (!buckets.get(i).tryConsume(1)) {
        for (int j = 0; j < i; j++) {
          buckets.get(j).addTokens(1);
        }
        long nanos = buckets.get(i).estimateAbilityToConsume(1).getNanosToWaitForRefill();
        return Duration.ofNanos(Math.max(1, nanos));
      }
    }
    return Duration.ZERO;
  }
}
