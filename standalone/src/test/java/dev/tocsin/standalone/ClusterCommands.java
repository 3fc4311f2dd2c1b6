package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.ErrorInfo;
import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceBlockingStub;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * Opens incidents and takes each through its life by commands, while parts of the cluster come and
 * go. Each command is asked under one request id until it is acknowledged, and many of them once
 * more after that; what all of it must have come to is written down.
 */
final class ClusterCommands implements AutoCloseable {
  /** Of the incidents that are opened here. */
  static final String SOURCE = "desk";

  private static final int THREADS = 2;
  private static final Duration CALL_MAX = Duration.ofSeconds(10);
  private static final Duration PAUSE = Duration.ofMillis(40);

  /** A command that has no answer by then is a fault: no part is away for so long. */
  private static final Duration ANSWERED_MAX = Duration.ofMinutes(2);

  /** What an incident must be in the end. */
  private record Expected(long revision, long notes, IncidentState state, Severity severity) {}

  final AtomicInteger acknowledged = new AtomicInteger();
  final AtomicInteger unknown = new AtomicInteger();
  final AtomicInteger notAppended = new AtomicInteger();
  final ConcurrentLinkedQueue<String> faults = new ConcurrentLinkedQueue<>();

  private final List<ManagedChannel> edges;
  private final Map<String, Expected> expected = new ConcurrentHashMap<>();
  private final AtomicInteger calls = new AtomicInteger();
  private final AtomicBoolean ended = new AtomicBoolean();
  private final List<Thread> threads = new ArrayList<>();

  ClusterCommands(List<ManagedChannel> edges) {
    this.edges = edges;
  }

  void start() {
    for (int i = 0; i < THREADS; i++) {
      String name = "commands-" + i;
      threads.add(new Thread(() -> steerOn(name), name));
    }
    threads.forEach(Thread::start);
  }

  /** Ends when the commands under way are acknowledged. */
  @Override
  public void close() throws InterruptedException {
    ended.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
  }

  /** Everything acknowledged took effect once, and nothing else did anything. */
  void verify(ManagedChannel edge) {
    assertThat(faults).isEmpty();
    assertThat(expected).isNotEmpty();
    Map<String, Incident> found =
        list(edge, ListIncidentsRequest.newBuilder().setSource(SOURCE).build());
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    found.forEach(
        (id, incident) ->
            assertThat(
                    new Expected(
                        incident.getRevision(),
                        incident.getNotesAdded(),
                        incident.getState(),
                        incident.getSeverity()))
                .as(incident.getTitle())
                .isEqualTo(expected.get(id)));
  }

  /** All pages of it, by id. */
  static Map<String, Incident> list(ManagedChannel edge, ListIncidentsRequest filter) {
    Map<String, Incident> all = new TreeMap<>();
    ListIncidentsResponse page = ListIncidentsResponse.getDefaultInstance();
    do {
      page =
          IncidentServiceGrpc.newBlockingStub(edge)
              .withDeadlineAfter(CALL_MAX)
              .listIncidents(
                  filter.toBuilder()
                      .setPageSize(500)
                      .setPageToken(page.getNextPageToken())
                      .build());
      assertThat(page.hasStaleness()).isFalse();
      page.getIncidentsList().forEach(each -> all.put(each.getId(), each));
    } while (!page.getNextPageToken().isEmpty());
    return all;
  }

  private void steerOn(String name) {
    try {
      for (int i = 0; !ended.get(); i++) {
        steer(name + "-" + i, i);
      }
    } catch (RuntimeException | AssertionError e) {
      faults.add(name + ": " + e);
    }
  }

  /** One incident's life; every third never matches the subscriber's severity at first. */
  private void steer(String name, int i) {
    Severity first = i % 3 == 0 ? Severity.SEVERITY_P4 : Severity.SEVERITY_P2;
    CreateIncidentRequest create =
        CreateIncidentRequest.newBuilder()
            .setSource(SOURCE)
            .setTitle(name)
            .setSeverity(first)
            .setRequestId(name + "-create")
            .build();
    String id = ask(1, stub -> stub.createIncident(create).getIncident()).getId();
    expect(id, 1, 0, IncidentState.INCIDENT_STATE_DETECTED, first);
    note(id, name, 2);
    expect(id, 2, 1, IncidentState.INCIDENT_STATE_DETECTED, first);
    Severity second = i % 4 == 0 ? Severity.SEVERITY_P3 : Severity.SEVERITY_P1;
    UpdateIncidentRequest update =
        UpdateIncidentRequest.newBuilder()
            .setId(id)
            .setState(IncidentState.INCIDENT_STATE_TRIAGED)
            .setSeverity(second)
            .setRequestId(name + "-update")
            .build();
    ask(3, stub -> stub.updateIncident(update).getIncident());
    expect(id, 3, 1, IncidentState.INCIDENT_STATE_TRIAGED, second);
    note(id, name, 4);
    expect(id, 4, 2, IncidentState.INCIDENT_STATE_TRIAGED, second);
    if (i % 2 == 0) {
      ResolveIncidentRequest resolve =
          ResolveIncidentRequest.newBuilder()
              .setId(id)
              .setResolution("done")
              .setRequestId(name + "-resolve")
              .build();
      ask(5, stub -> stub.resolveIncident(resolve).getIncident());
      expect(id, 5, 2, IncidentState.INCIDENT_STATE_RESOLVED, second);
    }
  }

  private void note(String id, String name, long revision) {
    AddNoteRequest note =
        AddNoteRequest.newBuilder()
            .setId(id)
            .setText("at " + revision)
            .setRequestId(name + "-note-" + revision)
            .build();
    ask(revision, stub -> stub.addNote(note).getIncident());
  }

  private void expect(
      String id, long revision, long notes, IncidentState state, Severity severity) {
    expected.put(id, new Expected(revision, notes, state, severity));
  }

  /** The incident as the acknowledged command left it; every second command is then sent again. */
  private Incident ask(long revision, Function<IncidentServiceBlockingStub, Incident> command) {
    Incident after = answered(command);
    if (acknowledged.incrementAndGet() % 2 == 0) {
      Incident again = answered(command);
      if (!again.equals(after)) {
        faults.add("asked again: " + again + " after " + after);
      }
    }
    if (after.getRevision() != revision) {
      faults.add(
          "acknowledged at revision %d and not %d: %s"
              .formatted(after.getRevision(), revision, after));
    }
    LockSupport.parkNanos(PAUSE.toNanos());
    return after;
  }

  private Incident answered(Function<IncidentServiceBlockingStub, Incident> command) {
    long begunNanos = System.nanoTime();
    while (System.nanoTime() - begunNanos < ANSWERED_MAX.toNanos()) {
      ManagedChannel edge = edges.get(calls.incrementAndGet() % edges.size());
      try {
        return command.apply(IncidentServiceGrpc.newBlockingStub(edge).withDeadlineAfter(CALL_MAX));
      } catch (StatusRuntimeException e) {
        count(e);
        edge.resetConnectBackoff();
        LockSupport.parkNanos(PAUSE.toNanos());
      }
    }
    throw new AssertionError("a command has no answer in " + ANSWERED_MAX);
  }

  private void count(StatusRuntimeException e) {
    Status.Code code = e.getStatus().getCode();
    // What this client's own gRPC says of a connection that closes while a call begins.
    boolean closed =
        code == Status.Code.UNKNOWN && "channel closed".equals(e.getStatus().getDescription());
    if (code != Status.Code.UNAVAILABLE && code != Status.Code.DEADLINE_EXCEEDED && !closed) {
      faults.add("a command ended with " + e);
    }
    // Without a reason it is the connection that died: then nobody knows either.
    (reason(e).equals("NOT_APPENDED") ? notAppended : unknown).incrementAndGet();
  }

  private static String reason(StatusRuntimeException e) {
    for (var detail : StatusProto.fromThrowable(e).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        try {
          return detail.unpack(ErrorInfo.class).getReason();
        } catch (com.google.protobuf.InvalidProtocolBufferException damaged) {
          throw new IllegalStateException(damaged);
        }
      }
    }
    return "";
  }
}
