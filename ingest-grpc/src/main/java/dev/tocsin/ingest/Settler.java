package dev.tocsin.ingest;

import java.util.List;
import java.util.concurrent.Executor;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * Tells alerts what became of them, and gives back the room that they had. Thread-safe; what is in
 * flight is settled on the ack threads.
 */
final class Settler {
  private final InFlight inFlight;
  private final Room room;
  private final Executor acks;
  private final EdgeMeters meters;
  private final Runnable appended;

  /**
   * A settler.
   *
   * @param acks where alerts are settled; it must take every task, also after its shutdown
   * @param appended is run after each entry that the log took
   */
  Settler(InFlight inFlight, Room room, Executor acks, EdgeMeters meters, Runnable appended) {
    this.inFlight = inFlight;
    this.room = room;
    this.acks = acks;
    this.meters = meters;
    this.appended = appended;
  }

  /** Here and now: of an alert that is not in flight. */
  void refuse(PendingAlert alert, Refusal why) {
    meters.refused(why, 1);
    alert.refused(why);
  }

  /** Of an alert in flight that is not sent. */
  void refuseInFlight(PendingAlert alert, Refusal why) {
    acks.execute(
        () -> {
          release(List.of(alert));
          refuse(alert, why);
        });
  }

  /** Of those of an entry that the log took. */
  void accept(List<PendingAlert> alerts, RecordMetadata metadata) {
    acks.execute(
        () -> {
          release(alerts);
          appended.run();
          meters.appended(alerts.size());
          long now = System.nanoTime();
          for (int i = 0; i < alerts.size(); i++) {
            PendingAlert alert = alerts.get(i);
            meters.acknowledged(now - alert.queuedNanos());
            alert.accepted(metadata.partition(), metadata.offset(), i);
          }
        });
  }

  /** Of those of an entry that failed. */
  void fail(List<PendingAlert> alerts, Refusal why) {
    acks.execute(
        () -> {
          release(alerts);
          meters.refused(why, alerts.size());
          alerts.forEach(alert -> alert.refused(why));
        });
  }

  private void release(List<PendingAlert> alerts) {
    inFlight.release(alerts.size(), alerts.stream().mapToLong(PendingAlert::bytes).sum());
    room.released();
  }
}
