package dev.tocsin.chaos;

import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import io.grpc.Context;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Follows all incidents by one stream after the other, each going on with the last token by the
 * other way in, and sees that every partition's events come without a gap and without a double. It
 * begins on an empty log, so each partition's first event is number 1.
 */
final class EventFollower implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofMillis(50);
  private static final Duration END_MAX = Duration.ofSeconds(10);
  private static final com.google.protobuf.Duration HEARTBEAT =
      com.google.protobuf.Duration.newBuilder().setSeconds(2).build();

  private final List<ManagedChannel> ways;
  private final Differences differences;
  private final LoadCounts counts;
  private final Context.CancellableContext context = Context.ROOT.withCancellation();
  private final Thread thread = new Thread(context.wrap((Runnable) this::run), "events");
  private final Map<Integer, Long> last = new ConcurrentHashMap<>();
  private final CountDownLatch live = new CountDownLatch(1);
  private String token = "";

  EventFollower(List<ManagedChannel> ways, Differences differences, LoadCounts counts) {
    this.ways = List.copyOf(ways);
    this.differences = differences;
    this.counts = counts;
  }

  /** Begins, and waits until the snapshot, of nothing, is whole. */
  void start(Duration max) throws InterruptedException, NotHealedException {
    thread.setDaemon(true);
    thread.start();
    if (!live.await(max.toMillis(), TimeUnit.MILLISECONDS)) {
      throw new NotHealedException("no stream of incidents began in " + max.toSeconds() + " s");
    }
  }

  /** The number of the last event of a partition; 0 for none. Safe from any thread. */
  long last(int partition) {
    return last.getOrDefault(partition, 0L);
  }

  @Override
  public void close() throws InterruptedException {
    context.cancel(null);
    thread.join(END_MAX.toMillis());
  }

  private void run() {
    for (int i = 0; !context.isCancelled(); i++) {
      ManagedChannel way = ways.get(i % ways.size());
      try {
        follow(way);
      } catch (StatusRuntimeException e) {
        way.resetConnectBackoff();
        if (!context.isCancelled() && !Answers.mayBreak(e.getStatus())) {
          differences.add("a stream of incidents ended with %s", Answers.text(e.getStatus()));
          return;
        }
      } catch (RuntimeException e) {
        differences.add("following the incidents failed: %s", e);
        return;
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  private void follow(ManagedChannel way) {
    boolean resumes = !token.isEmpty();
    Iterator<IncidentEvent> told =
        IncidentServiceGrpc.newBlockingStub(way)
            .streamIncidents(
                StreamIncidentsRequest.newBuilder()
                    .setIncludeSuppressed(true)
                    .setResumeToken(token)
                    .setHeartbeatInterval(HEARTBEAT)
                    .build());
    while (told.hasNext()) {
      take(told.next());
      if (resumes) {
        counts.resumed.incrementAndGet();
        resumes = false;
      }
    }
  }

  private void take(IncidentEvent event) {
    switch (event.getEventType()) {
      case INCIDENT_EVENT_TYPE_SNAPSHOT ->
          differences.add("a snapshot of an empty log holds %s", event.getIncidentId());
      case INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE -> live.countDown();
      case INCIDENT_EVENT_TYPE_HEARTBEAT -> {}
      default -> count(event);
    }
    if (!event.getResumeToken().isEmpty()) {
      token = event.getResumeToken();
    }
  }

  private void count(IncidentEvent event) {
    counts.events.incrementAndGet();
    int partition = event.getPartition();
    long before = last(partition);
    if (event.getSequence() != before + 1) {
      differences.add(
          "event %d of partition %d was told after %d", event.getSequence(), partition, before);
    }
    last.put(partition, event.getSequence());
  }
}
