package dev.tocsin.ingest;

import com.google.protobuf.Timestamp;
import dev.tocsin.access.Quota;
import dev.tocsin.engine.Stamper;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.FieldViolation;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Trace;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What happens to every alert, however it came: checked, encoded, appended. In two steps, so that
 * the call between them can charge itself for the alert before any thread answers it.
 *
 * <p>Thread-safe; never blocks.
 */
final class AlertIntake {
  private static final Logger LOG = LoggerFactory.getLogger(AlertIntake.class);

  private final Supplier<Stamper> stampers;
  private final LogAppender appender;
  private final EdgeMeters meters;
  private final Clock clock;

  /**
   * An intake.
   *
   * @param stampers gives the one of the active rules; null while they are not known
   */
  AlertIntake(Supplier<Stamper> stampers, LogAppender appender, EdgeMeters meters, Clock clock) {
    this.stampers = stampers;
    this.appender = appender;
    this.meters = meters;
    this.clock = clock;
  }

  /** Who sends: for the call's life. */
  record Sender(String workspace, Quota quota, String trace) {
    /** Of the gRPC call that this thread serves. */
    static Sender current() {
      return new Sender(Caller.current().workspace(), Quota.current(), Trace.current());
    }
  }

  /** When a message came, and from whom. */
  record Arrival(Sender sender, long atMs, Timestamp at) {}

  /** That a message comes now. */
  Arrival arrival(Sender sender) {
    long ms = clock.millis();
    return new Arrival(
        sender,
        ms,
        Timestamp.newBuilder()
            .setSeconds(Math.floorDiv(ms, 1000))
            .setNanos((int) Math.floorMod(ms, 1000L) * 1_000_000)
            .build());
  }

  /**
   * The faults of a batch itself, for which none of its alerts is taken. They cost what they would
   * cost if they were.
   */
  List<FieldViolation> check(AlertBatch batch, Sender sender) {
    List<FieldViolation> faults = AlertValidator.check(batch);
    if (!faults.isEmpty()) {
      for (int i = 0; i < batch.getAlertsCount(); i++) {
        if (!sender.quota().takeAlert().isZero()) {
          break; // nothing is left
        }
      }
      meters.refused(Refusal.INVALID_BATCH, batch.getAlertsCount());
    }
    return faults;
  }

  /**
   * Checks and encodes. The alert is not settled yet, also if it is refused here.
   *
   * @param place within its batch
   * @param listedMax how many violations are told in full
   */
  PendingAlert prepare(
      AlertMessage message, PendingAlert.Reply reply, int place, Arrival arrival, int listedMax) {
    String alertId = AlertEncoder.alertId(message);
    PendingAlert alert =
        new PendingAlert(
            reply,
            place,
            AlertValidator.echo(alertId, AlertValidator.ALERT_ID_MAX),
            arrival.at(),
            Worth.of(message),
            arrival.sender().trace());
    Duration wait = arrival.sender().quota().takeAlert();
    if (!wait.isZero()) { // before it costs any more
      alert.refuse(Refusal.RATE_LIMITED, wait);
      return alert;
    }
    List<FieldViolation> faults = AlertValidator.check(message, arrival.atMs(), listedMax);
    if (!faults.isEmpty()) {
      invalid(alert, faults);
      return alert;
    }
    Stamper stamper = stampers.get();
    if (stamper == null) {
      alert.refuse(Refusal.RULES_UNKNOWN, Refusal.RULES_UNKNOWN.message(), List.of());
      return alert;
    }
    try {
      AlertEncoder.Encoded encoded =
          AlertEncoder.encode(
              stamper, message, alertId, arrival.sender().workspace(), arrival.atMs());
      if (encoded.bytes().length > AlertValidator.ALERT_BYTES_MAX) {
        invalid(alert, AlertValidator.tooLarge(encoded.bytes().length));
      } else {
        alert.encoded(encoded);
      }
    } catch (RuntimeException e) {
      LOG.error("a valid alert could not be encoded", e);
      alert.refuse(Refusal.INTERNAL, Refusal.INTERNAL.message(), List.of());
    }
    return alert;
  }

  /** Appends a prepared alert, or settles it where it was refused. */
  void append(PendingAlert alert) {
    if (alert.refusal() != null) {
      meters.refused(alert.refusal(), 1);
      alert.settle();
      return;
    }
    appender.append(alert);
  }

  private static void invalid(PendingAlert alert, List<FieldViolation> faults) {
    FieldViolation first = faults.get(0);
    alert.refuse(Refusal.INVALID, first.getField() + ": " + first.getDescription(), faults);
  }
}
