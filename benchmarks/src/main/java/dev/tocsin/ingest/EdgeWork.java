package dev.tocsin.ingest;

import dev.tocsin.access.Quota;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Stamper;
import dev.tocsin.proto.alerts.AlertMessage;
import java.time.Clock;

/**
 * What the edge does with an alert of its own between the parsing and the log: check, keys, bytes,
 * under the default rules. In the edge's package, so that nothing of the edge is public only to be
 * measured.
 *
 * <p>Thread-safe.
 */
public final class EdgeWork {
  private final AlertIntake intake;
  private final AlertIntake.Sender sender = new AlertIntake.Sender("default", Quota.NONE, "");

  /** Without a log and without meters: nothing is appended, and nothing is refused. */
  public EdgeWork() {
    Stamper stamper = new Stamper(DefaultRules.read());
    intake = new AlertIntake(() -> stamper, null, null, Clock.systemUTC());
  }

  /**
   * An alert as the log takes it.
   *
   * @param route which decides its partition
   * @param fingerprint 16 bytes
   * @param bytes to be joined with others into an entry
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Stamped(int rulesVersion, long route, byte[] fingerprint, byte[] bytes) {}

  /**
   * What the log would take of one alert.
   *
   * @throws IllegalArgumentException if the alert is refused
   */
  public byte[] entry(AlertMessage alert) {
    return encode(alert).bytes();
  }

  /**
   * The same, with what decides where it goes.
   *
   * @throws IllegalArgumentException if the alert is refused
   */
  public Stamped stamp(AlertMessage alert) {
    AlertEncoder.Encoded encoded = encode(alert);
    return new Stamped(
        encoded.rulesVersion(), encoded.route(), encoded.fingerprint().bytes(), encoded.bytes());
  }

  private AlertEncoder.Encoded encode(AlertMessage alert) {
    PendingAlert prepared =
        intake.prepare(alert, settled -> {}, 0, intake.arrival(sender), Violations.LISTED_MAX);
    if (prepared.refusal() != null) {
      throw new IllegalArgumentException("refused: " + prepared.refusal());
    }
    return prepared.encoded();
  }
}
