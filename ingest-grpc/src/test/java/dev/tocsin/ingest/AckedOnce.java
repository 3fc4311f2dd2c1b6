package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntry;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * A client that sends alerts by a stream, and each one again under its id until it is acknowledged;
 * and what must then be so: each is on the log, no more often than it was sent, and counts once.
 */
final class AckedOnce implements AutoCloseable {
  private static final int AHEAD_MAX = 200;
  private static final int SERVICES = 20;

  /** Now and then, so that a run does not cost more than it shows. */
  private static final Duration PAUSE = Duration.ofMillis(20);

  final AtomicInteger acknowledged = new AtomicInteger();
  private final EdgeFixture edge;
  private final Map<String, AlertMessage> open = new ConcurrentHashMap<>();
  private final Map<String, Integer> sent = new ConcurrentHashMap<>();
  private final Semaphore room = new Semaphore(AHEAD_MAX);
  private final AtomicBoolean ended = new AtomicBoolean();
  private final StreamObserver<AlertMessage> requests;
  private final Thread thread = new Thread(this::send, "acked-once");

  AckedOnce(EdgeFixture edge) {
    this.edge = edge;
    this.requests = edge.streams().streamAlerts(new Answers());
    thread.start();
  }

  private final class Answers implements StreamObserver<AlertAck> {
    @Override
    public void onNext(AlertAck ack) {
      if (ack.getStatus() == AlertAck.Status.ACCEPTED) {
        open.remove(ack.getAlertId());
        acknowledged.incrementAndGet();
      }
      room.release();
    }

    @Override
    public void onError(Throwable t) {
      ended.set(true);
    }

    @Override
    public void onCompleted() {}
  }

  private void send() {
    for (int i = 0; !ended.get(); i++) {
      submit(Alerts.of("once-" + i, i % SERVICES));
      if (i % AHEAD_MAX == 0) {
        awaitAnswers();
        open.values().forEach(this::submit); // what was refused
        LockSupport.parkNanos(PAUSE.toNanos());
      }
    }
  }

  private void submit(AlertMessage alert) {
    take(1);
    open.put(alert.getAlertId(), alert);
    sent.merge(alert.getAlertId(), 1, Integer::sum);
    requests.onNext(alert);
  }

  private void awaitAnswers() {
    take(AHEAD_MAX);
    room.release(AHEAD_MAX);
  }

  private void take(int answers) {
    try {
      assertThat(room.tryAcquire(answers, 60, TimeUnit.SECONDS)).as("answered").isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Until so many more are acknowledged. */
  void awaitMore(int count) {
    int goal = acknowledged.get() + count;
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(10))
        .until(() -> acknowledged.get() >= goal);
  }

  /** Ends once all is acknowledged. */
  @Override
  public void close() throws InterruptedException {
    ended.set(true);
    thread.join(TimeUnit.SECONDS.toMillis(60));
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () -> {
              awaitAnswers();
              open.values().forEach(this::submit);
              return open.isEmpty();
            });
    requests.onCompleted();
  }

  /** Of all that were sent; to be called once it is closed. How many stand on the log twice. */
  int verify() {
    Map<String, Integer> logged = new HashMap<>();
    edge.log().forEach(each -> logged.merge(each.alert().getAlertId(), 1, Integer::sum));
    assertThat(logged.keySet()).isEqualTo(sent.keySet());
    assertThat(logged)
        .as("on the log no more often than it was sent")
        .allSatisfy((id, times) -> assertThat(times).isLessThanOrEqualTo(sent.get(id)));
    assertThat(counted()).isEqualTo(expected());
    return logged.values().stream().mapToInt(times -> times - 1).sum();
  }

  private Map<String, Long> expected() {
    Set<String> ids = sent.keySet();
    return ids.stream()
        .collect(
            Collectors.groupingBy(
                id -> "service-" + Integer.parseInt(id.substring(5)) % SERVICES,
                Collectors.counting()));
  }

  /** Occurrences by service, as the engine folds this log. */
  private Map<String, Long> counted() {
    Map<String, Long> counts = new HashMap<>();
    var records = edge.records();
    for (int partition = 0; partition < EdgeFixture.PARTITIONS; partition++) {
      int of = partition;
      MemoryStore store = new MemoryStore();
      Fold fold = new Fold(store, event -> {});
      records.stream()
          .filter(record -> record.partition() == of)
          .forEach(
              record ->
                  fold.apply(
                      Codec.of(LogEntry.class).decode(record.value()),
                      record.offset(),
                      record.timestamp()));
      store
          .incidents()
          .forEach(
              incident ->
                  counts.merge(
                      incident.getLabels().get("service"),
                      store.tally(incident.getId()).getOccurrences(),
                      Long::sum));
    }
    return counts;
  }
}
