package dev.tocsin.chaos;

import dev.tocsin.chaos.AlertStream.Sent;
import dev.tocsin.proto.alerts.AlertAck;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A steady load of alerts over the edge's streams. Each alert is sent under its own id until it is
 * acknowledged, as a client would, but for a share that is given up: of those it stays unknown
 * whether they count. Groups take turns, each with one step under way at most.
 *
 * <p>One thread does everything; what calls and commands answer comes to it by a queue. That one is
 * bounded by what can be under way: a step of each group, and the end of each stream.
 */
final class AlertLoad implements AutoCloseable {
  private static final int STREAMS = 2;
  private static final int GROUPS_MIN = 8;
  private static final int GROUPS_MAX = 200;

  /** Of one group, so that it is seldom due before its last ack has come. */
  private static final int ALERTS_PER_GROUP_AND_SECOND = 4;

  /** Each stream takes a part of what is due, or the first would take all of it. */
  private static final int TURNS_PER_SECOND = 100;

  private static final Duration TICK = Duration.ofMillis(10);
  private static final Duration AGAIN_AFTER = Duration.ofMillis(250);

  /** What could not be sent in time is made up for, but not more than so many seconds of it. */
  private static final int BEHIND_SECONDS_MAX = 1;

  /** Above the edge's own bound for an entry that Kafka has not answered, 18 s. */
  private static final Duration ACK_MAX = Duration.ofSeconds(40);

  private static final Duration CLOSE_MAX = Duration.ofMinutes(3);

  private final ManagedChannel edge;
  private final CommandDesk desk;
  private final Differences differences;
  private final LoadCounts counts;
  private final long seed;
  private final int rate;
  private final Thread thread = new Thread(this::run, "load");
  private final BlockingQueue<Runnable> inbox = new LinkedBlockingQueue<>();
  private final List<Group> groups = new ArrayList<>();
  private final Deque<Group> ready = new ArrayDeque<>();
  private final Deque<Sent> again = new ArrayDeque<>();
  private final AlertStream[] streams = new AlertStream[STREAMS];
  private final Map<Integer, Long> acked = new ConcurrentHashMap<>();
  private int commands;
  private double permits;
  private long lastNanos;
  private volatile boolean ending;
  private volatile boolean gaveUp;

  /** A load that has not begun, of {@code rate} alerts and commands a second. */
  AlertLoad(
      ManagedChannel edge,
      CommandDesk desk,
      Differences differences,
      LoadCounts counts,
      int rate,
      long seed) {
    this.edge = edge;
    this.desk = desk;
    this.differences = differences;
    this.counts = counts;
    this.rate = rate;
    this.seed = seed;
  }

  void start() {
    thread.setDaemon(true);
    int alive = Math.max(GROUPS_MIN, Math.min(GROUPS_MAX, rate / ALERTS_PER_GROUP_AND_SECOND));
    for (int i = 0; i < alive; i++) {
      ready.add(begin());
    }
    thread.start();
  }

  /** For each partition the highest offset that an ack named. Safe from any thread. */
  Map<Integer, Long> acked() {
    return Map.copyOf(acked);
  }

  /** All groups there were. Once the load has ended. */
  List<Group> groups() {
    return groups;
  }

  /** Ends once every step under way has its outcome. */
  @Override
  public void close() throws InterruptedException {
    ending = true;
    thread.join(CLOSE_MAX.toMillis());
    if (thread.isAlive()) {
      differences.add(
          "alerts or commands have no outcome %d s after the last fault", CLOSE_MAX.toSeconds());
      giveUp();
      thread.join();
    }
  }

  /** Ends at once, whatever is under way. */
  void giveUp() {
    gaveUp = true;
  }

  /** Has something done by the load's thread. Safe from any thread. */
  void tell(Runnable what) {
    inbox.add(what);
  }

  private void run() {
    lastNanos = System.nanoTime();
    try {
      while (!gaveUp && !(ending && idle())) {
        Runnable told = inbox.poll(TICK.toNanos(), TimeUnit.NANOSECONDS);
        for (; told != null; told = inbox.poll()) {
          told.run();
        }
        for (int i = 0; i < streams.length; i++) {
          keepOpen(i);
        }
        send();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      differences.add("the load failed: %s", e);
    }
    for (AlertStream stream : streams) {
      if (stream != null) {
        stream.complete();
      }
    }
  }

  private boolean idle() {
    boolean open = commands > 0 || !again.isEmpty();
    for (AlertStream stream : streams) {
      open |= stream != null && !stream.idle();
    }
    return !open;
  }

  private void keepOpen(int i) {
    AlertStream stream = streams[i];
    if (stream == null || stream.overFor(AGAIN_AFTER)) {
      edge.resetConnectBackoff();
      streams[i] = AlertStream.open(edge, this);
    } else if (stream.silentFor(ACK_MAX)) {
      differences.add("no ack in %d s on a stream that is open", ACK_MAX.toSeconds());
      stream.cancel();
    }
  }

  private void send() {
    long now = System.nanoTime();
    permits += (now - lastNanos) * (double) rate / TimeUnit.SECONDS.toNanos(1);
    permits = Math.min(permits, (double) rate * BEHIND_SECONDS_MAX);
    lastNanos = now;
    for (AlertStream stream : streams) {
      while (stream.isReady() && resendDue(now)) {
        Sent sent = again.remove();
        counts.again.incrementAndGet();
        stream.send(sent.group(), sent.step(), sent.message());
      }
      for (int turn = 0; turn <= rate / TURNS_PER_SECOND; turn++) {
        if (!stream.isReady() || permits < 1 || ending || ready.isEmpty()) {
          break;
        }
        permits--;
        step(stream, ready.remove());
      }
    }
  }

  private boolean resendDue(long now) {
    return !again.isEmpty() && now - again.peek().atNanos() > AGAIN_AFTER.toNanos();
  }

  private void step(AlertStream stream, Group group) {
    Optional<Step> next = group.next(System.currentTimeMillis());
    if (next.isEmpty()) {
      ready.add(begin()); // another takes its place
      return;
    }
    Step step = next.get();
    if (step.kind().isAlert()) {
      counts.sent.incrementAndGet();
      stream.send(group, step, group.message(step));
    } else {
      commands++;
      desk.ask(group, step, answer -> tell(() -> answered(group, answer)));
    }
  }

  private Group begin() {
    Group group = new Group(groups.size(), seed);
    groups.add(group);
    counts.groups.set(groups.size());
    return group;
  }

  private void answered(Group group, Step answer) {
    commands--;
    record(group, answer);
  }

  private void record(Group group, Step step) {
    group.record(step, System.currentTimeMillis());
    ready.add(group);
  }

  private void unknown(Sent sent) {
    if (sent.group().abandons(sent.step())) {
      counts.unknown.incrementAndGet();
      record(sent.group(), sent.step().unknown());
    } else {
      again.add(new Sent(sent.group(), sent.step(), sent.message(), System.nanoTime()));
    }
  }

  /** An alert's ack has come. */
  void acked(Sent sent, AlertAck ack) {
    boolean faulty = sent.step().kind() == Step.Kind.FAULTY;
    switch (ack.getStatus()) {
      case ACCEPTED -> {
        acked.merge(ack.getPosition().getPartition(), ack.getPosition().getOffset(), Math::max);
        counts.acked.incrementAndGet();
        if (faulty) {
          differences.add("an alert without a title was accepted: %s", ack);
        }
        record(sent.group(), sent.step().done(ack.getPosition()));
      }
      case REJECTED -> {
        counts.refused.incrementAndGet();
        if (!faulty) {
          differences.add("an alert was refused: %s", ack);
        }
        record(sent.group(), sent.step().refused());
      }
      default -> unknown(sent);
    }
  }

  /** An ack has come for which nothing was open on its stream. */
  void unasked(AlertAck ack) {
    differences.add("an ack for %s, which was not asked for", ack.getAlertId());
  }

  /** A stream is over, and of what was open on it nothing is known. */
  void ended(Status status, List<Sent> open) {
    counts.broken.incrementAndGet();
    if (!Answers.mayBreak(status)) {
      differences.add("a stream of alerts ended with %s", Answers.text(status));
    }
    open.forEach(this::unknown);
  }
}
