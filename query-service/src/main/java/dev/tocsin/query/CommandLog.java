package dev.tocsin.query;

import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends commands to the log. One thread of its own has the producer to itself, since a producer
 * may block; whoever appends only puts the entry in line. The line and what the producer holds are
 * bounded in number and bytes; beyond that an entry is refused at once.
 *
 * <p>While the log cannot be reached, an entry waits for as long as the producer may block, and all
 * that stood in line behind it are refused with it. {@link #append} is thread-safe and never
 * blocks.
 */
final class CommandLog implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CommandLog.class);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(2);

  /** What becomes of an entry: one of these, once, in any thread; none if it was withdrawn. */
  interface Answer {
    /** It is on the log, on every in-sync replica. */
    void appended(long offset);

    /** It is surely not on the log, and never will be. */
    void notAppended(String why);

    /** It may be on the log, or may yet come to be. */
    void unknown(String why);
  }

  private final String topic;
  private final Supplier<Producer<byte[], byte[]>> producers;
  private final QueryMetrics metrics;
  private final Semaphore places;
  private final Semaphore bytes = new Semaphore(CommandConfig.IN_FLIGHT_BYTES_MAX);
  private final ThreadPoolExecutor thread =
      new ThreadPoolExecutor(
          1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), CommandLog::named);
  private volatile boolean closing;
  private Producer<byte[], byte[]> producer; // of the thread, as what follows
  private long awayNanos = System.nanoTime();

  /**
   * A log that is yet to be started.
   *
   * @param producers makes a producer when one is needed; it may throw
   * @param entriesMax that the log has not answered
   */
  CommandLog(
      String topic,
      Supplier<Producer<byte[], byte[]>> producers,
      int entriesMax,
      QueryMetrics metrics) {
    this.topic = topic;
    this.producers = producers;
    this.places = new Semaphore(entriesMax);
    this.metrics = metrics;
  }

  /** Begins to connect, so that the first command need not wait for it. Returns at once. */
  void start() {
    thread.execute(this::connect);
  }

  /**
   * Puts an entry in line. The answer may come before this returns.
   *
   * @param partition of the log
   */
  Entry append(int partition, byte[] value, Answer answer) {
    Entry entry = new Entry(partition, value, answer);
    if (!places.tryAcquire()) {
      answer.notAppended("too many commands under way");
    } else if (!bytes.tryAcquire(value.length)) {
      places.release();
      answer.notAppended("too many bytes of commands under way");
    } else {
      try {
        thread.execute(() -> send(entry));
      } catch (RejectedExecutionException closed) {
        entry.settle(() -> answer.notAppended("the service stops"));
      }
    }
    return entry;
  }

  /**
   * Refuses what is in line and what comes, waits a moment for the log to answer what it was sent,
   * and closes the producer.
   */
  @Override
  public void close() throws InterruptedException {
    closing = true;
    try {
      thread.execute(() -> discard(CLOSE_MAX));
    } catch (RejectedExecutionException closed) {
      return;
    }
    thread.shutdown();
    thread.awaitTermination(2 * CLOSE_MAX.toMillis(), TimeUnit.MILLISECONDS);
  }

  private void connect() {
    try {
      producer().partitionsFor(topic);
      metrics.logUp(true);
    } catch (RuntimeException e) {
      LOG.warn("the log cannot be reached yet: {}", e.toString());
      discard(Duration.ZERO);
    }
  }

  private Producer<byte[], byte[]> producer() {
    if (producer == null) {
      producer = producers.get();
    }
    return producer;
  }

  @SuppressWarnings("FutureReturnValueIgnored") // the callback is told the same
  private void send(Entry entry) {
    if (!entry.take()) {
      entry.settle(() -> {}); // withdrawn
      return;
    }
    if (closing || entry.queuedNanos - awayNanos < 0) {
      entry.refused(closing ? "the service stops" : "the log cannot be reached");
      return;
    }
    try {
      entry.sender = Thread.currentThread();
      producer().send(new ProducerRecord<>(topic, entry.partition, null, entry.value), entry);
      entry.sender = null;
    } catch (RuntimeException | Error e) { // this producer is of no use any more
      away(e);
      entry.refused("the log cannot be reached");
      discard(Duration.ZERO);
      if (e instanceof Error error) {
        throw error;
      }
    }
  }

  private void away(Throwable cause) {
    awayNanos = System.nanoTime();
    metrics.logUp(false);
    LOG.warn("a command could not be sent to the log: {}", cause.toString());
  }

  /** Closes the producer; what it has not sent by then is answered with an error. */
  private void discard(Duration wait) {
    if (producer == null) {
      return;
    }
    try {
      producer.close(wait);
    } catch (RuntimeException e) {
      LOG.warn("closing the producer failed", e);
    }
    producer = null;
  }

  private static Thread named(Runnable task) {
    Thread thread = new Thread(task, "query-command-log");
    thread.setDaemon(true);
    return thread;
  }

  /** An entry on its way. */
  final class Entry implements Callback {
    private enum State {
      WAITING,
      SENT,
      WITHDRAWN
    }

    private final int partition;
    private final byte[] value;
    private final Answer answer;
    private final long queuedNanos = System.nanoTime();
    private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);
    private final AtomicBoolean settled = new AtomicBoolean();

    /** The thread that sends it, while it does. */
    private volatile Thread sender;

    private Entry(int partition, byte[] value, Answer answer) {
      this.partition = partition;
      this.value = value;
      this.answer = answer;
    }

    /** Takes it out of the line, if it still stands there: then it will never be on the log. */
    boolean withdraw() {
      return state.compareAndSet(State.WAITING, State.WITHDRAWN);
    }

    private boolean take() {
      return state.compareAndSet(State.WAITING, State.SENT);
    }

    private void refused(String why) {
      settle(() -> answer.notAppended(why));
    }

    // On the producer's thread; but on the sending one where the record was not even buffered.
    @Override
    public void onCompletion(RecordMetadata metadata, Exception error) {
      if (error == null) {
        metrics.logUp(true);
        settle(() -> answer.appended(metadata.offset()));
      } else if (Thread.currentThread() == sender) {
        away(error);
        refused("the log cannot be reached");
      } else {
        metrics.logUp(false);
        LOG.warn("the log did not take a command: {}", error.toString());
        settle(() -> answer.unknown("the log did not answer"));
      }
    }

    private void settle(Runnable answered) {
      if (settled.compareAndSet(false, true)) {
        places.release();
        bytes.release(value.length);
        answered.run();
      }
    }
  }
}
