package dev.tocsin.ingest;

import dev.tocsin.runtime.Health;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The producer for the log: made when it is needed, and anew when the one before is of no use any
 * more. Of one thread, but for {@link #ready}.
 */
final class LogProducer {
  /** The condition of {@link Health} that a producer stands ready. */
  static final String CONDITION = "log-producer";

  private static final Logger LOG = LoggerFactory.getLogger(LogProducer.class);

  /** The header of a record that names a trace that it belongs to. */
  static final String TRACE_HEADER = "traceparent";

  private static final Duration WARN_INTERVAL = Duration.ofSeconds(10);

  private final String topic;
  private final Supplier<Producer<byte[], byte[]>> producers;
  private final Function<Producer<byte[], byte[]>, AutoCloseable> shown;
  private final Health health;
  private volatile boolean ready;
  private volatile long warnedNanos = System.nanoTime() - WARN_INTERVAL.toNanos();
  private Producer<byte[], byte[]> producer;
  private AutoCloseable metrics = () -> {};

  /**
   * None yet.
   *
   * @param producers makes a producer; tried again as long as it throws
   * @param shown shows a producer's metrics, until what it gives is closed
   */
  LogProducer(
      String topic,
      Supplier<Producer<byte[], byte[]>> producers,
      Function<Producer<byte[], byte[]>, AutoCloseable> shown,
      Health health) {
    this.shown = shown;
    this.topic = topic;
    this.producers = producers;
    this.health = health;
    health.require(CONDITION);
  }

  /** Whether {@link #send} would not wait, as far as is known. From any thread. */
  boolean ready() {
    return ready;
  }

  /** Has a producer stand ready, if that can be had now; waits for no longer than it may block. */
  boolean prepare() {
    try {
      if (producer == null) {
        producer = producers.get();
        metrics = shown.apply(producer);
      }
      producer.partitionsFor(topic); // has the metadata come here, rather than when first sending
    } catch (RuntimeException e) {
      warn("no producer for the log", e);
      health.unmet(CONDITION, e.toString());
      if (!(e instanceof TimeoutException)) { // that one passes, and entries may be on their way
        discard(Duration.ZERO);
      }
      return false;
    }
    ready = true;
    health.met(CONDITION);
    return true;
  }

  /**
   * Sends an entry that belongs to these traces; {@code answer} is told what became of it, maybe
   * before this returns. Never throws.
   */
  @SuppressWarnings("FutureReturnValueIgnored") // the callback is told the same
  void send(int partition, byte[] entry, List<String> traces, Callback answer) {
    try {
      producer.send(
          new ProducerRecord<byte[], byte[]>(topic, partition, null, entry, headers(traces)),
          answer);
    } catch (RuntimeException e) { // this producer is of no use any more
      answer.onCompletion(null, e);
      discard(Duration.ZERO);
    }
  }

  /** As W3C's Trace Context has it, one header a trace. */
  private static List<Header> headers(List<String> traces) {
    return traces.stream()
        .<Header>map(
            trace -> new RecordHeader(TRACE_HEADER, trace.getBytes(StandardCharsets.US_ASCII)))
        .toList();
  }

  /** Something could not even be buffered, or nothing more is to be sent: look again before. */
  void unready() {
    ready = false;
  }

  /** Closes the producer; what it has not sent by then is answered with an error. */
  void discard(Duration wait) {
    ready = false;
    if (producer == null) {
      return;
    }
    try {
      metrics.close();
      producer.close(wait);
    } catch (Exception e) {
      LOG.warn("closing the producer failed", e);
    }
    producer = null;
  }

  /** Says so once in a while: with the log away every entry fails. From any thread. */
  void warn(String what, Exception e) {
    long now = System.nanoTime();
    if (now - warnedNanos >= WARN_INTERVAL.toNanos()) {
      warnedNanos = now;
      LOG.warn("{}: {}", what, e.toString());
    }
  }
}
