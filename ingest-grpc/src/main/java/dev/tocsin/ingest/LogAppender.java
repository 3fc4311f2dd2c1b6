package dev.tocsin.ingest;

import dev.tocsin.runtime.Health;
import dev.tocsin.schemas.AlertsEntry;
import dev.tocsin.schemas.Partitions;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Appends alerts to the log and settles each once the log has answered. One thread of its own has
 * the producer to itself, since a producer may block; whoever appends only puts the alert in line.
 * The line and all that the producer holds are under {@link InFlight}'s bounds; beyond them an
 * alert is refused at once.
 *
 * <p>Alerts are settled on the ack threads, or where they were refused on the thread that appended.
 * {@link #append} is thread-safe and never blocks.
 */
final class LogAppender implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(LogAppender.class);
  private static final Duration RETRY = Duration.ofMillis(500);
  private static final Duration IDLE_MAX = Duration.ofSeconds(1);
  private static final Duration CLOSING_STEP = Duration.ofMillis(1);

  /** Traces that an entry of the log names. */
  static final int TRACES_MAX = 16;

  private final EdgeConfig config;
  private final IntSupplier partitions;
  private final LogProducer producer;
  private final Runnable appended;
  private final InFlight inFlight;
  private final Room room;
  private final Executor acks;
  private final EdgeMeters meters;
  private final Health health;
  private final Thread thread = new Thread(this::run, "edge-log-appender");
  private final Queue<PendingAlert> line = new ConcurrentLinkedQueue<>();
  private volatile boolean parked;
  private volatile boolean closing;
  private volatile long closeByNanos;
  private volatile PartitionLane[] lanes = {};

  /**
   * An appender that is yet to be started.
   *
   * @param partitions of the log; 0 while it cannot be reached. Never any other number than before
   * @param producers makes a producer; tried again as long as it throws
   * @param appended is run after each entry that the log took
   * @param acks where alerts are settled; it must take every task, also after its shutdown
   */
  LogAppender(
      EdgeConfig config,
      IntSupplier partitions,
      Supplier<Producer<byte[], byte[]>> producers,
      Runnable appended,
      InFlight inFlight,
      Executor acks,
      EdgeMeters meters,
      Health health) {
    this.config = config;
    this.partitions = partitions;
    this.producer = new LogProducer(config.topics().log(), producers, meters::producer, health);
    this.appended = appended;
    this.inFlight = inFlight;
    this.room = new Room(inFlight, health);
    this.acks = acks;
    this.meters = meters;
    this.health = health;
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  /** Puts {@code alert} in line, or refuses it. */
  void append(PendingAlert alert) {
    if (!producer.ready() || partitions.getAsInt() == 0) {
      refuse(alert, closing ? Refusal.CLOSING : Refusal.LOG_UNAVAILABLE);
      return;
    }
    if (!inFlight.acquire(alert.bytes(), alert.worth())) {
      room.refused(alert.worth());
      refuse(alert, alert.worth() == Worth.HIGHEST ? Refusal.FULL : Refusal.SHED);
      return;
    }
    // Only now that it is counted: the thread ends when it is closing and nothing is counted.
    if (closing) {
      inFlight.release(1, alert.bytes());
      refuse(alert, Refusal.CLOSING);
      return;
    }
    alert.queuedAt(System.nanoTime());
    PartitionLane[] all = lanes;
    PartitionLane lane = all[Partitions.of(alert.encoded().route(), all.length)];
    line.add(alert);
    // A lane that collects has an answer coming, which wakes the thread; see Sent.
    if (lane.open()) {
      wake();
    }
  }

  /** The line must move: something came that does not have to wait. */
  void wake() {
    if (parked) {
      parked = false;
      LockSupport.unpark(thread);
    }
  }

  /**
   * Refuses what comes from now on, waits for the log to answer what is in line, and settles the
   * rest as refused. Bounded by the configured time.
   */
  @Override
  public void close() throws InterruptedException {
    closeByNanos = System.nanoTime() + config.closeTimeout().toNanos();
    closing = true;
    health.unmet(LogProducer.CONDITION, Refusal.CLOSING.message());
    wake();
    LockSupport.unpark(thread);
    thread.join(config.closeTimeout().multipliedBy(2).toMillis());
  }

  private void run() {
    try {
      while (!(closing && (inFlight.alerts() == 0 || System.nanoTime() > closeByNanos))) {
        if (prepare()) {
          collect();
          flush();
          park();
        } else {
          refuseWaiting(Refusal.LOG_UNAVAILABLE);
          LockSupport.parkNanos(this, RETRY.toNanos());
        }
      }
    } catch (RuntimeException | Error e) {
      LOG.error("the appender ends: nothing is taken any more", e);
      health.unmet(LogProducer.CONDITION, "the appender failed: " + e);
    } finally {
      closing = true;
      end();
    }
  }

  /** Stands ready to send without waiting, if that can be had now. */
  private boolean prepare() {
    if (producer.ready()) {
      return true;
    }
    int count = partitions.getAsInt();
    if (count == 0 || closing) {
      return false;
    }
    if (lanes.length == 0) {
      lanes = lanesOf(count);
    }
    return producer.prepare();
  }

  private PartitionLane[] lanesOf(int count) {
    PartitionLane[] made = new PartitionLane[count];
    for (int i = 0; i < count; i++) {
      made[i] = new PartitionLane(i, config.entryAlertsMax(), config.entryBytesMax());
    }
    return made;
  }

  private void collect() {
    PartitionLane[] all = lanes;
    PendingAlert alert;
    while ((alert = line.poll()) != null) {
      all[Partitions.of(alert.encoded().route(), all.length)].collect(alert);
    }
  }

  private void flush() {
    long now = System.nanoTime();
    for (PartitionLane lane : lanes) {
      while (producer.ready() && (closing ? !lane.isEmpty() : lane.due(now))) {
        send(lane);
      }
    }
  }

  private void send(PartitionLane lane) {
    Sent sent = new Sent(lane, lane.cut());
    lane.sent();
    try {
      producer.send(lane.partition(), sent.record(), traces(sent.alerts), sent);
    } catch (Error e) {
      sent.onCompletion(null, new KafkaException(e));
      throw e;
    }
    if (sent.failed()) {
      producer.unready(); // it was not even buffered: look again before the next one
    }
  }

  /** Of the calls that brought the alerts, the first few: one entry holds those of many. */
  static List<String> traces(List<PendingAlert> alerts) {
    return alerts.stream()
        .map(PendingAlert::trace)
        .filter(trace -> !trace.isEmpty())
        .distinct()
        .limit(TRACES_MAX)
        .toList();
  }

  /** Waits until something is due: an append or an answer wakes it, or a time is up. */
  private void park() {
    parked = true;
    if (line.isEmpty()) {
      long wait = waitNanos(System.nanoTime());
      if (wait > 0) {
        LockSupport.parkNanos(this, wait);
      }
    }
    parked = false;
  }

  private long waitNanos(long now) {
    long wait = (closing ? CLOSING_STEP : IDLE_MAX).toNanos();
    for (PartitionLane lane : lanes) {
      if (lane.isEmpty()) {
        // Nobody wakes the thread for an alert of a lane that collects: look after them in time.
        wait = lane.open() ? wait : Math.min(wait, PartitionLane.COLLECT_MAX.toNanos());
      } else {
        wait = lane.open() ? 0 : Math.min(wait, lane.waitsNanos(now));
      }
    }
    return wait;
  }

  /** Whatever is left gets its answer; nothing may be counted in flight after this. */
  private void end() {
    producer.discard(Duration.ofNanos(Math.max(0, closeByNanos - System.nanoTime())));
    long giveUp = System.nanoTime() + config.closeTimeout().toNanos();
    do {
      refuseWaiting(Refusal.CLOSING);
      LockSupport.parkNanos(this, CLOSING_STEP.toNanos());
    } while (inFlight.alerts() > 0 && System.nanoTime() < giveUp);
  }

  private void refuseWaiting(Refusal why) {
    PendingAlert alert;
    while ((alert = line.poll()) != null) {
      settleRefused(alert, why);
    }
    for (PartitionLane lane : lanes) {
      while (!lane.isEmpty()) {
        settleRefused(lane.drop(), why);
      }
    }
  }

  private void settleRefused(PendingAlert alert, Refusal why) {
    acks.execute(
        () -> {
          inFlight.release(1, alert.bytes());
          room.released();
          refuse(alert, why);
        });
  }

  private void refuse(PendingAlert alert, Refusal why) {
    meters.refused(why, 1);
    alert.refused(why);
  }

  /** An entry on its way. Answered once, however often and by whomever that is tried. */
  private final class Sent implements Callback {
    private final PartitionLane lane;
    private final List<PendingAlert> alerts;
    private final long bytes;
    private final AtomicBoolean answered = new AtomicBoolean();
    private volatile boolean failed;

    Sent(PartitionLane lane, List<PendingAlert> alerts) {
      this.lane = lane;
      this.alerts = alerts;
      this.bytes = alerts.stream().mapToLong(PendingAlert::bytes).sum();
    }

    byte[] record() {
      return AlertsEntry.join(
          alerts.get(0).encoded().rulesVersion(),
          alerts.stream().map(alert -> alert.encoded().bytes()).toList());
    }

    boolean failed() {
      return failed;
    }

    // On the producer's thread, mostly: everything but the hand-over is for the ack threads.
    @Override
    public void onCompletion(RecordMetadata metadata, Exception error) {
      if (!answered.compareAndSet(false, true)) {
        return;
      }
      failed = error != null;
      lane.answered();
      wake();
      acks.execute(() -> settle(metadata, error));
    }

    private void settle(RecordMetadata metadata, Exception error) {
      inFlight.release(alerts.size(), bytes);
      room.released();
      if (error == null) {
        appended.run();
        meters.appended(alerts.size());
        long now = System.nanoTime();
        for (int i = 0; i < alerts.size(); i++) {
          PendingAlert alert = alerts.get(i);
          meters.acknowledged(now - alert.queuedNanos());
          alert.accepted(metadata.partition(), metadata.offset(), i);
        }
      } else {
        producer.warn("the log did not take an entry", error);
        meters.refused(Refusal.LOG_FAILED, alerts.size());
        alerts.forEach(alert -> alert.refused(Refusal.LOG_FAILED));
      }
    }
  }
}
