package dev.tocsin.ingest;

import dev.tocsin.runtime.Health;
import dev.tocsin.schemas.AlertsEntry;
import dev.tocsin.schemas.Partitions;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.RecordMetadata;
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
  private static final Duration IDLE_MAX = Duration.ofSeconds(1);
  private static final Duration CLOSING_STEP = Duration.ofMillis(1);

  /** Traces that an entry of the log names. */
  static final int TRACES_MAX = 16;

  private final EdgeConfig config;
  private final Supplier<LogState> log;
  private final LogProducer producer;
  private final InFlight inFlight;
  private final Room room;
  private final Settler settler;
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
   * @param log how it is now. While it is open, its partitions are never any other number than
   *     before
   * @param producers makes a producer; tried again as long as it throws
   * @param appended is run after each entry that the log took
   * @param acks where alerts are settled; it must take every task, also after its shutdown
   */
  LogAppender(
      EdgeConfig config,
      Supplier<LogState> log,
      Supplier<Producer<byte[], byte[]>> producers,
      Runnable appended,
      InFlight inFlight,
      Executor acks,
      EdgeMeters meters,
      Health health) {
    this.config = config;
    this.log = log;
    this.producer =
        new LogProducer(
            config.topics().log(), config.answerMax(), producers, meters::producer, health);
    this.inFlight = inFlight;
    this.room = new Room(inFlight, health);
    this.settler = new Settler(inFlight, room, acks, meters, appended);
    this.health = health;
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  /** Puts {@code alert} in line, or refuses it. */
  void append(PendingAlert alert) {
    LogState known = log.get();
    if (!producer.ready() || known.partitions() == 0) {
      settler.refuse(alert, closing ? Refusal.CLOSING : why(known));
      return;
    }
    if (!inFlight.acquire(alert.bytes(), alert.worth())) {
      room.refused(alert.worth());
      settler.refuse(alert, alert.worth() == Worth.HIGHEST ? Refusal.FULL : Refusal.SHED);
      return;
    }
    // Only now that it is counted: the thread ends when it is closing and nothing is counted.
    if (closing) {
      inFlight.release(1, alert.bytes());
      settler.refuse(alert, Refusal.CLOSING);
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

  /** What alerts are told while nothing is taken. */
  private Refusal why(LogState known) {
    return known.partitions() == 0 ? known.refusal() : producer.refusal();
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
        try {
          step();
        } catch (RuntimeException e) { // a fault of ours; who calls is not to pay for it for ever
          LOG.error("the appender failed; it begins anew with another producer", e);
          producer.replace(e);
          rest(producer.refusal());
        }
      }
      health.unmet(LogProducer.CONDITION, Refusal.CLOSING.message()); // also if it just became met
    } catch (RuntimeException | Error e) {
      LOG.error("the appender ends: nothing is taken any more", e);
      health.unmet(LogProducer.CONDITION, "the appender failed: " + e);
    } finally {
      closing = true;
      end();
    }
  }

  private void step() {
    if (prepare()) {
      collect();
      flush();
      park();
    } else {
      rest(why(log.get()));
    }
  }

  private void rest(Refusal why) {
    refuseWaiting(why);
    LockSupport.parkNanos(this, LogProducer.RETRY.toNanos());
  }

  /** Stands ready to send without waiting, if that can be had now. */
  private boolean prepare() {
    producer.check();
    LogState known = log.get();
    if (known.refuses()) { // all it does fails, and a topic that is gone it might bring back empty
      producer.giveUp(known.refusal().message());
    }
    if (producer.ready()) {
      return true;
    }
    if (known.partitions() == 0 || closing) {
      return false;
    }
    if (lanes.length == 0) {
      lanes = lanesOf(known.partitions());
    }
    if (!producer.open()) {
      refuseWaiting(producer.refusal()); // to make one can take long
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
    byte[] record;
    List<String> traces;
    try {
      record = sent.record();
      traces = traces(sent.alerts);
    } catch (RuntimeException | Error e) {
      LOG.error("a fault in this program: an entry could not be made", e);
      lane.answered();
      settler.fail(sent.alerts, Refusal.LOG_UNAVAILABLE);
      if (e instanceof Error) {
        throw e;
      }
      return;
    }
    if (!producer.send(lane.partition(), record, traces, sent)) {
      refuseWaiting(producer.refusal()); // sooner than to have each wait for the same in turn
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
      settler.refuseInFlight(alert, why);
    }
    for (PartitionLane lane : lanes) {
      while (!lane.isEmpty()) {
        settler.refuseInFlight(lane.drop(), why);
      }
    }
  }

  /** An entry on its way. */
  private final class Sent implements Callback {
    private final PartitionLane lane;
    private final List<PendingAlert> alerts;

    Sent(PartitionLane lane, List<PendingAlert> alerts) {
      this.lane = lane;
      this.alerts = alerts;
    }

    byte[] record() {
      return AlertsEntry.join(
          alerts.get(0).encoded().rulesVersion(),
          alerts.stream().map(alert -> alert.encoded().bytes()).toList());
    }

    // On the producer's thread, mostly: everything but the hand-over is for the ack threads.
    @Override
    public void onCompletion(RecordMetadata metadata, Exception error) {
      lane.answered();
      wake();
      if (error == null) {
        settler.accept(alerts, metadata);
      } else {
        producer.warn("the log did not take an entry", error);
        settler.fail(alerts, SendFault.of(error).refusal());
      }
    }
  }
}
