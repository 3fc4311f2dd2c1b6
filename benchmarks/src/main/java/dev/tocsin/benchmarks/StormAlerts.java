package dev.tocsin.benchmarks;

import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.IncidentType;
import dev.tocsin.proto.alerts.Severity;
import java.util.Arrays;
import java.util.Random;

/**
 * The storm load: alerts of about 300 bytes, their conditions drawn by Zipf's law (exponent 1.1)
 * from 100,000 fingerprints in 10,000 groups, one in ten sent a second time under its own id. The
 * same seed gives the same alerts. Not thread-safe.
 */
final class StormAlerts implements AlertSource {
  static final int FINGERPRINTS = 100_000;
  private static final int GROUPS = 10_000;
  private static final double EXPONENT = 1.1;
  private static final int REDELIVERED_IN = 10;
  private static final String PADDING =
      "p99 of the last five minutes is above its objective; the error budget of this month burns"
          + " at 14 times its rate. Look at the dashboard of the service first, then at what was"
          + " deployed within the hour before.";

  private final Random random;
  private final String idPrefix;
  private final double[] cumulative = new double[FINGERPRINTS];
  private long next;
  private AlertMessage last;

  StormAlerts(long seed, String idPrefix) {
    this.random = new Random(seed);
    this.idPrefix = idPrefix;
    double sum = 0;
    for (int rank = 0; rank < FINGERPRINTS; rank++) {
      sum += 1 / Math.pow(rank + 1, EXPONENT);
      cumulative[rank] = sum;
    }
  }

  /** The next alert; now and then the one before it once more. */
  @Override
  public AlertMessage next() {
    if (last == null || random.nextInt(REDELIVERED_IN) != 0) {
      last = make(idPrefix + next++);
    }
    return last;
  }

  /** The next alert, never one that was before. */
  AlertMessage nextNew() {
    return make(idPrefix + next++);
  }

  private AlertMessage make(String id) {
    return of(id, draw());
  }

  /**
   * The alert of one of the conditions, none of which is like another.
   *
   * @param fingerprint from 0 to {@link #FINGERPRINTS}, exclusive
   */
  static AlertMessage of(String id, int fingerprint) {
    return of(id, fingerprint, GROUPS);
  }

  /** The same for a load with other numbers of them. */
  static AlertMessage of(String id, int fingerprint, int groups) {
    int group = fingerprint % groups;
    return AlertMessage.newBuilder()
        .setAlertId(id)
        .setSource("storm")
        .setTitle("Latency objective missed " + fingerprint)
        .setDescription(PADDING)
        .setSeverity(Severity.forNumber(1 + fingerprint % 5))
        .setType(IncidentType.INCIDENT_TYPE_PERFORMANCE)
        .putLabels("service", "service-" + group)
        .putLabels("instance", "pod-" + fingerprint)
        .build();
  }

  private int draw() {
    double at = random.nextDouble() * cumulative[FINGERPRINTS - 1];
    int found = Arrays.binarySearch(cumulative, at);
    return Math.min(FINGERPRINTS - 1, found >= 0 ? found : -found - 1);
  }
}
