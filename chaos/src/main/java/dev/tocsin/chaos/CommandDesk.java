package dev.tocsin.chaos;

import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceBlockingStub;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import io.grpc.ManagedChannel;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Commands on groups' incidents. Each is asked under one request id until it is answered, by one
 * way in after the other, and some once more after that, for the same answer. Thread-safe.
 */
final class CommandDesk implements AutoCloseable {
  private static final int THREADS = 3;

  /** Above the number of groups that live at once, of which each has one command here at most. */
  private static final int WAITING_MAX = 1_000;

  private static final Duration CALL_MAX = Duration.ofSeconds(6);
  private static final Duration ANSWERED_MAX = Duration.ofMinutes(2);
  private static final Duration PAUSE = Duration.ofMillis(100);

  /** One in so many is asked again though it was answered. */
  private static final int ASKED_AGAIN = 4;

  private final List<ManagedChannel> ways;
  private final Differences differences;
  private final LoadCounts counts;
  private final AtomicInteger calls = new AtomicInteger();
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          THREADS, THREADS, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING_MAX));

  /** A desk that asks by these channels in turn. */
  CommandDesk(List<ManagedChannel> ways, Differences differences, LoadCounts counts) {
    this.ways = List.copyOf(ways);
    this.differences = differences;
    this.counts = counts;
  }

  /**
   * Has a command done.
   *
   * @param group which nobody changes until it is
   * @param answer told the step with its outcome, on a thread of this
   */
  void ask(Group group, Step step, Consumer<Step> answer) {
    Step alert = group.lastAlert();
    counts.commands.incrementAndGet();
    threads.execute(() -> answer.accept(done(group.source(), group.service(), alert, step)));
  }

  private Step done(String source, String service, Step alert, Step step) {
    try {
      String id = newest(source, service, alert);
      Incident after = answered(stub -> send(stub, id, step));
      if (counts.commands.get() % ASKED_AGAIN == 0) {
        Incident same = answered(stub -> send(stub, id, step));
        if (!same.equals(after)) {
          differences.add("%s asked again: %s, after %s", step, same, after);
        }
      }
      return step.done(null);
    } catch (StatusRuntimeException | NotHealedException e) {
      differences.add("%s on %s/%s ended with %s", step, source, service, e);
      return step.refused();
    }
  }

  /** The id of the group's newest incident, read when all its alerts are applied. */
  private String newest(String source, String service, Step alert) throws NotHealedException {
    ListIncidentsRequest request =
        ListIncidentsRequest.newBuilder()
            .setSource(source)
            .setPageSize(1_000)
            .addMinPosition(
                Position.newBuilder()
                    .setPartition(alert.position().getPartition())
                    .setOffset(alert.position().getOffset())
                    .setIndex(alert.position().getIndex()))
            .build();
    return answered(stub -> stub.listIncidents(request)).getIncidentsList().stream()
        .filter(each -> each.getLabelsOrDefault("service", "").equals(service))
        .map(Incident::getId)
        .max(Comparator.naturalOrder()) // ids sort by time
        .orElseThrow(
            () ->
                new NotHealedException("no incident of an alert that was acknowledged: " + alert));
  }

  private static Incident send(IncidentServiceBlockingStub stub, String id, Step step) {
    return switch (step.kind()) {
      case NOTE ->
          stub.addNote(
                  AddNoteRequest.newBuilder()
                      .setId(id)
                      .setText("noted")
                      .setRequestId(step.id())
                      .build())
              .getIncident();
      case TRIAGE -> update(stub, id, step, IncidentState.INCIDENT_STATE_TRIAGED);
      case INVESTIGATE -> update(stub, id, step, IncidentState.INCIDENT_STATE_INVESTIGATING);
      case RESOLVE ->
          stub.resolveIncident(
                  ResolveIncidentRequest.newBuilder()
                      .setId(id)
                      .setResolution("by a person")
                      .setRequestId(step.id())
                      .build())
              .getIncident();
      case FIRING, RESOLVED, FAULTY -> throw new IllegalArgumentException(step + " is no command");
    };
  }

  private static Incident update(
      IncidentServiceBlockingStub stub, String id, Step step, IncidentState state) {
    return stub.updateIncident(
            UpdateIncidentRequest.newBuilder()
                .setId(id)
                .setState(state)
                .setRequestId(step.id())
                .build())
        .getIncident();
  }

  private <T> T answered(Function<IncidentServiceBlockingStub, T> call) throws NotHealedException {
    long begunNanos = System.nanoTime();
    StatusRuntimeException last = null;
    while (System.nanoTime() - begunNanos < ANSWERED_MAX.toNanos()) {
      ManagedChannel way = ways.get(calls.incrementAndGet() % ways.size());
      try {
        return call.apply(IncidentServiceGrpc.newBlockingStub(way).withDeadlineAfter(CALL_MAX));
      } catch (StatusRuntimeException e) {
        if (!Answers.mayBeUnknown(e) || Thread.currentThread().isInterrupted()) {
          throw e;
        }
        last = e;
        counts.commandsAgain.incrementAndGet();
        way.resetConnectBackoff();
        LockSupport.parkNanos(PAUSE.toNanos());
      }
    }
    throw new NotHealedException("no answer in " + ANSWERED_MAX.toSeconds() + " s: " + last);
  }

  @Override
  public void close() throws InterruptedException {
    threads.shutdownNow();
    threads.awaitTermination(CALL_MAX.toMillis(), TimeUnit.MILLISECONDS);
  }
}
