package dev.tocsin.chaos;

import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceBlockingStub;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/**
 * Reads incidents while faults are on. What owners answer never goes back: no incident's revision
 * or occurrences become less, and none is missing that was there. An answer that says it is stale
 * may be behind, and a read may be UNAVAILABLE if it says when to ask again.
 *
 * <p>One thread, so that each answer is compared with those that were there before it was asked
 * for. What it remembers is bounded by the number of incidents.
 */
final class ReadProbe implements AutoCloseable {
  /** Above what a query-service takes at most, so that a busy machine is no difference. */
  private static final Duration CALL_MAX = Duration.ofSeconds(20);

  private static final Duration PAUSE = Duration.ofMillis(100);

  private record Last(long revision, long occurrences) {}

  private final List<ManagedChannel> ways;
  private final Differences differences;
  private final LoadCounts counts;
  private final Random random;
  private final Map<String, Map<String, Last>> bySource = new HashMap<>();
  private final Thread thread = new Thread(this::run, "read-probe");
  private volatile boolean ending;

  ReadProbe(List<ManagedChannel> ways, Differences differences, LoadCounts counts, long seed) {
    this.ways = List.copyOf(ways);
    this.differences = differences;
    this.counts = counts;
    this.random = new Random(seed);
  }

  void start() {
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws InterruptedException {
    ending = true;
    thread.join(2 * CALL_MAX.toMillis());
  }

  private void run() {
    for (int i = 0; !ending; i++) {
      ManagedChannel way = ways.get(i % ways.size());
      try {
        probe(way);
      } catch (StatusRuntimeException e) {
        counts.unavailable.incrementAndGet();
        way.resetConnectBackoff();
        if (!Answers.mayRefuse(e)) {
          differences.add("a read ended with %s %s", Answers.text(e.getStatus()), e.getTrailers());
        }
      } catch (RuntimeException e) {
        differences.add("the reads failed: %s", e);
        return;
      }
      LockSupport.parkNanos(PAUSE.toNanos());
    }
  }

  private void probe(ManagedChannel way) {
    int groups = counts.groups.get();
    if (groups == 0) {
      return;
    }
    // The newest change most.
    int number =
        random.nextBoolean() ? random.nextInt(groups) : groups - 1 - random.nextInt(groups / 8 + 1);
    String source = new Group(number, 0).source();
    Map<String, Last> known = bySource.computeIfAbsent(source, any -> new HashMap<>());
    IncidentServiceBlockingStub stub =
        IncidentServiceGrpc.newBlockingStub(way).withDeadlineAfter(CALL_MAX);
    ListIncidentsResponse page =
        stub.listIncidents(
            ListIncidentsRequest.newBuilder()
                .setSource(source)
                .setIncludeSuppressed(true)
                .setPageSize(1_000)
                .build());
    boolean whole = page.getNextPageToken().isEmpty();
    if (count(page.hasStaleness()) && whole) {
      Set<String> missing = new HashSet<>(known.keySet());
      page.getIncidentsList().forEach(each -> missing.remove(each.getId()));
      if (!missing.isEmpty()) {
        differences.add("a list of %s says nothing of being stale and lacks %s", source, missing);
      }
      page.getIncidentsList().forEach(each -> compare(known, each));
    }
    for (String id : List.copyOf(known.keySet())) {
      GetIncidentResponse got = stub.getIncident(GetIncidentRequest.newBuilder().setId(id).build());
      if (!got.getIncident().getId().equals(id)) {
        differences.add("asked for %s and got %s", id, got);
      } else if (count(got.hasStaleness())) {
        compare(known, got.getIncident());
      }
    }
  }

  /** Whether the answer is the owner's. */
  private boolean count(boolean stale) {
    (stale ? counts.stale : counts.fresh).incrementAndGet();
    return !stale;
  }

  private void compare(Map<String, Last> known, Incident now) {
    Last next = new Last(now.getRevision(), now.getOccurrences());
    Last before = known.put(now.getId(), next);
    if (before != null
        && (before.revision() > next.revision() || before.occurrences() > next.occurrences())) {
      differences.add("owners told %s of %s, and later %s", before, now.getId(), next);
    }
  }
}
