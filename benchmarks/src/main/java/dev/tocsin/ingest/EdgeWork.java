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
   * The bytes that the log would take.
   *
   * @throws IllegalArgumentException if the alert is refused
   */
  public byte[] entry(AlertMessage alert) {
    PendingAlert prepared =
        intake.prepare(alert, settled -> {}, 0, intake.arrival(sender), Violations.LISTED_MAX);
    if (prepared.refusal() != null) {
      throw new IllegalArgumentException("refused: " + prepared.refusal());
    }
    return prepared.encoded().bytes();
  }
}
