package dev.tocsin.ingest;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatchAck;
import dev.tocsin.proto.alerts.FieldViolation;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/**
 * Collects the acks of one batch, and tells when it has all of them.
 *
 * <p>Thread-safe: each alert of the batch is settled by whichever thread it is with.
 */
final class BatchReply implements PendingAlert.Reply, AckStream.Outgoing<AlertBatchAck> {
  /** What a batch costs besides its alerts, about. */
  static final int OVERHEAD_BYTES = 512;

  private final String batchId;
  private final List<FieldViolation> violations;
  private final AlertAck[] acks;
  private final AtomicInteger open;
  private final Consumer<BatchReply> whenDone;
  private long bytes;

  /**
   * A reply to a batch.
   *
   * @param violations of the batch itself; if there are any none of its alerts is settled
   * @param alerts how many alerts will be settled
   * @param whenDone called once, after the last of them
   */
  BatchReply(
      String batchId, List<FieldViolation> violations, int alerts, Consumer<BatchReply> whenDone) {
    this.batchId = batchId;
    this.violations = violations;
    this.acks = new AlertAck[alerts];
    // One more than there are alerts: the caller's own, so that it is done only once charged.
    this.open = new AtomicInteger(alerts + 1);
    this.whenDone = whenDone;
    this.bytes = OVERHEAD_BYTES + 2L * batchId.length();
  }

  /** Charges the stream for one of the alerts. Before {@link #begun} only. */
  void charge(PendingAlert alert) {
    bytes += alert.bytes();
  }

  /** Every alert is under way. */
  void begun() {
    countDown();
  }

  @Override
  public void settled(PendingAlert alert) {
    acks[alert.place()] = alert.message();
    countDown();
  }

  List<FieldViolation> violations() {
    return violations;
  }

  @Override
  public AlertBatchAck message() {
    return AlertBatchAck.newBuilder()
        .setBatchId(batchId)
        .addAllAcks(Arrays.asList(acks))
        .addAllViolations(violations)
        .build();
  }

  @Override
  public int alerts() {
    return Math.max(1, acks.length);
  }

  @Override
  public long bytes() {
    return bytes;
  }

  private void countDown() {
    if (open.decrementAndGet() == 0) {
      whenDone.accept(this);
    }
  }
}
