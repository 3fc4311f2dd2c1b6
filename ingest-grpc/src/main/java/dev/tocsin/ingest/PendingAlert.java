package dev.tocsin.ingest;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.FieldViolation;
import dev.tocsin.proto.alerts.Position;
import dev.tocsin.runtime.Errors;
import dev.tocsin.schemas.Key128;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One alert on its way from the call that brought it to the log and back. It is settled exactly
 * once, by whichever thread owns it then: that sets its ack and hands it to its {@link Reply}.
 *
 * <p>Not thread-safe: it is handed from thread to thread by queues.
 */
final class PendingAlert implements AckStream.Outgoing<AlertAck> {
  private static final Logger LOG = LoggerFactory.getLogger(PendingAlert.class);

  /** What an alert costs besides its encoded bytes, about: this object and its ack. */
  static final long OVERHEAD_BYTES = 512;

  private static final HexFormat HEX = HexFormat.of();

  /** Takes settled alerts. Called from any thread; never blocks. */
  interface Reply {
    void settled(PendingAlert alert);
  }

  private final Reply reply;
  private final int place;
  private final String alertId;
  private final Timestamp receivedAt;
  private final Worth worth;
  private final String trace;
  private AlertEncoder.Encoded encoded;
  private Refusal refusal;
  private AlertAck ack;
  private long bytes;
  private long queuedNanos;

  /**
   * An alert that is yet to be encoded or refused.
   *
   * @param place within its batch, from 0
   * @param alertId its own, or the one that was made for it
   * @param trace of the call that brought it, as traceparent; empty if there is none
   */
  PendingAlert(
      Reply reply, int place, String alertId, Timestamp receivedAt, Worth worth, String trace) {
    this.reply = reply;
    this.place = place;
    this.alertId = alertId;
    this.receivedAt = receivedAt;
    this.worth = worth;
    this.trace = trace;
  }

  /** It is ready for the log. */
  void encoded(AlertEncoder.Encoded alert) {
    encoded = alert;
    bytes = alert.bytes().length + OVERHEAD_BYTES;
  }

  /** What the log takes; only between {@link #encoded} and its settling. */
  AlertEncoder.Encoded encoded() {
    return encoded;
  }

  Worth worth() {
    return worth;
  }

  /** The trace of the call that brought it; empty if there is none. */
  String trace() {
    return trace;
  }

  int place() {
    return place;
  }

  /** Why it was refused; null if it was not, or not yet. */
  Refusal refusal() {
    return refusal;
  }

  /** When it was put in line for the log, by {@link System#nanoTime}. */
  long queuedNanos() {
    return queuedNanos;
  }

  void queuedAt(long nanos) {
    queuedNanos = nanos;
  }

  /** Its outcome, once it is settled. */
  @Override
  public AlertAck message() {
    return ack;
  }

  @Override
  public int alerts() {
    return 1;
  }

  /** What it is charged to its stream, and from being taken to being settled to the process. */
  @Override
  public long bytes() {
    return bytes;
  }

  /** The log holds it. */
  void accepted(int partition, long offset, int index) {
    ack =
        builder()
            .setStatus(AlertAck.Status.ACCEPTED)
            .setPosition(
                Position.newBuilder().setPartition(partition).setOffset(offset).setIndex(index))
            .build();
    encoded = null;
    settle();
  }

  /** It is refused for a reason that is not its own. */
  void refused(Refusal why) {
    refused(why, why.message(), List.of());
  }

  /** It is refused. */
  void refused(Refusal why, String message, List<FieldViolation> violations) {
    refuse(why, message, violations);
    settle();
  }

  /**
   * Sets the outcome without telling anyone yet: for the call that brought it, which first has to
   * charge it to its stream.
   */
  void refuse(Refusal why, String message, List<FieldViolation> violations) {
    AlertAck.Builder outcome = builder().setMessage(message).addAllViolations(violations);
    if (why.passing()) {
      outcome.setRetryAfter(Errors.duration(why.retryAfter()));
    }
    refuse(why, outcome);
  }

  /** The same of one that may be sent again after {@code retryAfter}. */
  void refuse(Refusal why, Duration retryAfter) {
    refuse(why, builder().setMessage(why.message()).setRetryAfter(Errors.duration(retryAfter)));
  }

  private void refuse(Refusal why, AlertAck.Builder outcome) {
    refusal = why;
    ack = outcome.setStatus(why.status()).build();
    if (encoded == null) { // else it is charged already
      bytes = ack.getSerializedSize() + OVERHEAD_BYTES;
    }
    encoded = null;
  }

  /** Tells the reply. A reply that fails is its own loss, not that of its neighbours. */
  void settle() {
    try {
      reply.settled(this);
    } catch (RuntimeException e) {
      LOG.error("an alert's outcome could not be told", e);
    }
  }

  private AlertAck.Builder builder() {
    AlertAck.Builder builder = AlertAck.newBuilder().setAlertId(alertId).setReceivedAt(receivedAt);
    if (encoded != null) {
      builder.setFingerprint(hex(encoded.fingerprint()));
    }
    return builder;
  }

  /** By two longs, which HexFormat is much faster with than with sixteen bytes. */
  private static String hex(Key128 key) {
    ByteBuffer bytes = ByteBuffer.wrap(key.bytes());
    return HEX.toHexDigits(bytes.getLong()).concat(HEX.toHexDigits(bytes.getLong()));
  }
}
