package dev.tocsin.ingest;

import dev.tocsin.runtime.Health;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The producer for the log: made when it is needed, and anew, after a wait, when the one before is
 * of no use any more. There is one at a time: the next is made when the threads of the one before
 * have ended and each entry that it had is answered.
 *
 * <p>Of one thread, but for {@link #ready}, {@link #refusal} and {@link #warn}.
 */
final class LogProducer {
  /** The condition of {@link Health} that a producer stands ready. */
  static final String CONDITION = "log-producer";

  /** The header of a record that names a trace that it belongs to. */
  static final String TRACE_HEADER = "traceparent";

  /** Between one look for a log that is away and the next. */
  static final Duration RETRY = Duration.ofMillis(500);

  private static final Logger LOG = LoggerFactory.getLogger(LogProducer.class);
  private static final Duration FIRST_WAIT = Duration.ofMillis(500);
  private static final Duration WAIT_MAX = Duration.ofSeconds(10);
  private static final Duration WARN_INTERVAL = Duration.ofSeconds(10);
  private static final Duration CHECK_INTERVAL = Duration.ofSeconds(1);

  private final String topic;
  private final Duration answerMax;
  private final Supplier<Producer<byte[], byte[]>> producers;
  private final Function<Producer<byte[], byte[]>, AutoCloseable> shown;
  private final Health health;
  private final Backoff backoff =
      new Backoff(FIRST_WAIT, WAIT_MAX, () -> ThreadLocalRandom.current().nextDouble());
  private final Set<Answer> unanswered = ConcurrentHashMap.newKeySet();
  private volatile boolean ready;
  private volatile Refusal refusal = Refusal.LOG_UNAVAILABLE;
  private volatile Exception broken; // by what; null while the producer is of use
  private volatile boolean proven; // the producer has had an entry acknowledged
  private volatile Producer<byte[], byte[]> producer;
  private volatile long warnedNanos = System.nanoTime() - WARN_INTERVAL.toNanos();
  private AutoCloseable metrics = () -> {};
  private long nextTryNanos = System.nanoTime();
  private long nextCheckNanos = System.nanoTime();

  /**
   * None yet.
   *
   * @param answerMax by when a producer that works has answered any entry; one that has not is
   *     given up
   * @param producers makes a producer; tried again as long as it throws
   * @param shown shows a producer's metrics, until what it gives is closed
   */
  LogProducer(
      String topic,
      Duration answerMax,
      Supplier<Producer<byte[], byte[]>> producers,
      Function<Producer<byte[], byte[]>, AutoCloseable> shown,
      Health health) {
    this.topic = topic;
    this.answerMax = answerMax;
    this.producers = producers;
    this.shown = shown;
    this.health = health;
    health.require(CONDITION);
  }

  /** Whether {@link #send} would not wait, as far as is known. From any thread. */
  boolean ready() {
    return ready;
  }

  /** What alerts are told while it is not ready. From any thread. */
  Refusal refusal() {
    return refusal;
  }

  /** Whether there is a producer, of use or not. */
  boolean open() {
    return producer != null;
  }

  /**
   * Has a producer stand ready, if that can be had now. One that there is is waited for no longer
   * than it may block; to make one can take half a minute.
   */
  boolean prepare() {
    if (System.nanoTime() - nextTryNanos < 0) {
      return false;
    }
    try {
      if (producer == null) {
        proven = false;
        producer = producers.get();
        metrics = shown.apply(producer);
      }
      producer.partitionsFor(topic); // has the metadata come here, rather than when first sending
    } catch (RuntimeException e) {
      unprepared(e);
      return false;
    }
    refusal = Refusal.LOG_UNAVAILABLE;
    ready = true;
    if (broken != null) { // just now
      ready = false;
      return false;
    }
    health.met(CONDITION);
    return true;
  }

  private void unprepared(RuntimeException e) {
    if (SendFault.of(e) == SendFault.PASSING) { // entries may be on their way
      warn("no producer for the log", e);
      refusal = Refusal.LOG_UNAVAILABLE;
      health.unmet(CONDITION, e.toString());
    } else {
      replace(e);
    }
  }

  /**
   * Gives up a producer that is of no use any more, so that {@link #prepare} makes another one in
   * time: one that met an error which it cannot get over, or that has stopped answering.
   */
  void check() {
    if (broken == null && producer != null && System.nanoTime() - nextCheckNanos >= 0) {
      nextCheckNanos = System.nanoTime() + CHECK_INTERVAL.toNanos();
      if (unanswered.stream().anyMatch(Answer::overdue)) {
        broken = new KafkaException("an entry has no answer after " + answerMax);
      }
    }
    if (broken != null) {
      replace(broken);
    }
  }

  /** Gives up the producer for this reason; {@link #prepare} makes another one after a wait. */
  void replace(Exception e) {
    if (proven) {
      backoff.reset();
    }
    Duration wait = backoff.next();
    nextTryNanos = System.nanoTime() + wait.toNanos();
    refusal = refusal(e);
    warn("the producer for the log is made anew in %d ms".formatted(wait.toMillis()), e);
    giveUp(e.toString());
  }

  private static Refusal refusal(Exception e) {
    return SendFault.of(e) == SendFault.DENIED ? Refusal.LOG_REFUSES : Refusal.LOG_UNAVAILABLE;
  }

  /** Closes the producer at once, if there is one, and says why there is none. */
  void giveUp(String why) {
    health.unmet(CONDITION, why);
    discard(Duration.ZERO);
  }

  /**
   * Sends an entry that belongs to these traces; {@code callback} is told what became of it, once
   * and at the latest when the producer is closed, maybe before this returns. Throws nothing but an
   * {@link Error}.
   *
   * @return false if the next one would not be buffered either
   */
  @SuppressWarnings("FutureReturnValueIgnored") // the callback is told the same
  boolean send(int partition, byte[] entry, List<String> traces, Callback callback) {
    Answer answer = new Answer(producer, callback);
    unanswered.add(answer);
    try {
      producer.send(
          new ProducerRecord<byte[], byte[]>(topic, partition, null, entry, headers(traces)),
          answer);
    } catch (RuntimeException e) { // whatever it says: it does not throw while it is of use
      broken(answer.by, e);
      answer.onCompletion(null, e);
    } catch (Error e) {
      answer.onCompletion(null, new KafkaException(e));
      throw e;
    }
    if (answer.notBuffered()) {
      ready = false; // look again before the next one
    }
    return ready;
  }

  /** As W3C's Trace Context has it, one header a trace. */
  private static List<Header> headers(List<String> traces) {
    return traces.stream()
        .<Header>map(
            trace -> new RecordHeader(TRACE_HEADER, trace.getBytes(StandardCharsets.US_ASCII)))
        .toList();
  }

  private void broken(Producer<byte[], byte[]> by, Exception e) {
    if (by == producer && broken == null) { // what one that is closed has to say is known
      refusal = refusal(e);
      broken = e;
      ready = false;
    }
  }

  /** Closes the producer; what it has not sent by then is answered with an error. */
  void discard(Duration wait) {
    ready = false;
    Producer<byte[], byte[]> closed = producer;
    if (closed == null) {
      return;
    }
    producer = null;
    broken = null;
    try {
      metrics.close();
      closed.close(wait);
    } catch (Exception e) {
      LOG.warn("closing the producer failed", e);
    }
    // A producer whose own thread has died answers nothing, not even when it is closed.
    unanswered.forEach(
        answer -> answer.onCompletion(null, new KafkaException("the producer was closed")));
  }

  /** Says so once in a while: with the log away every entry fails. From any thread. */
  void warn(String what, Exception e) {
    long now = System.nanoTime();
    if (now - warnedNanos >= WARN_INTERVAL.toNanos()) {
      warnedNanos = now;
      LOG.warn("{}: {}", what, e.toString());
    }
  }

  /** What becomes of one entry. Told once, however often and by whomever that is tried. */
  private final class Answer implements Callback {
    private final Producer<byte[], byte[]> by;
    private final Callback callback;
    private final long sentNanos = System.nanoTime();
    private final AtomicBoolean told = new AtomicBoolean();
    private volatile boolean failed;

    Answer(Producer<byte[], byte[]> by, Callback callback) {
      this.by = by;
      this.callback = callback;
    }

    /** It failed before it left, and not by its own fault. */
    boolean notBuffered() {
      return failed;
    }

    boolean overdue() {
      return System.nanoTime() - sentNanos > answerMax.toNanos();
    }

    // On the producer's thread, mostly.
    @Override
    public void onCompletion(RecordMetadata metadata, Exception error) {
      if (!told.compareAndSet(false, true)) {
        return;
      }
      unanswered.remove(this);
      if (error == null) {
        proven = true;
      } else {
        SendFault fault = SendFault.of(error);
        failed = fault != SendFault.ENTRY;
        if (fault.replaces()) {
          broken(by, error);
        }
      }
      callback.onCompletion(metadata, error);
    }
  }
}
