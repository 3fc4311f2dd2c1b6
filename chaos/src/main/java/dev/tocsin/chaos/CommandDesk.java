package dev.tocsin.chaos;

import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.AlertSighting;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.ExplainAlertRequest;
import dev.tocsin.proto.incidents.ExplainAlertResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceBlockingStub;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.MergeIncidentRequest;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import io.grpc.StatusRuntimeException;
import java.util.Comparator;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Commands on groups' incidents, and questions after their alerts. Each is asked under one request
 * id until it is answered, by one way in after the other, and some once more after that, for the
 * same answer. Thread-safe.
 */
final class CommandDesk implements AutoCloseable {
  private static final int THREADS = 3;

  /** Above the number of groups that live at once, of which each has one command here at most. */
  private static final int WAITING_MAX = 1_000;

  /** What groups' incidents are merged into. */
  private static final CreateIncidentRequest UMBRELLA =
      CreateIncidentRequest.newBuilder()
          .setSource("chaos")
          .setTitle("what was merged")
          .setRequestId("umbrella")
          .build();

  /** One in so many is asked again though it was answered. */
  private static final int ASKED_AGAIN = 4;

  private final Ways ways;
  private final Differences differences;
  private final LoadCounts counts;
  private final Set<String> merged = ConcurrentHashMap.newKeySet();
  private final ThreadPoolExecutor threads =
      new ThreadPoolExecutor(
          THREADS, THREADS, 0, TimeUnit.SECONDS, new ArrayBlockingQueue<>(WAITING_MAX));

  CommandDesk(Ways ways, Differences differences, LoadCounts counts) {
    this.ways = ways;
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

  /** The ids of all that was merged. Once the load has ended. */
  Set<String> merged() {
    return merged;
  }

  /** What they were merged into, as it is now; empty if nothing was. */
  Optional<Incident> umbrella() throws NotHealedException {
    return merged.isEmpty() ? Optional.empty() : Optional.of(create());
  }

  private Incident create() throws NotHealedException {
    return answered(stub -> stub.createIncident(UMBRELLA)).getIncident();
  }

  private Step done(String source, String service, Step alert, Step step) {
    try {
      String id = newest(source, service, alert);
      if (step.kind() == Step.Kind.EXPLAIN) {
        explain(source, alert);
        return step.done(null);
      }
      String into = step.kind() == Step.Kind.MERGE ? create().getId() : "";
      Incident after = answered(stub -> send(stub, id, step, into));
      if (counts.commands.get() % ASKED_AGAIN == 0) {
        Incident same = answered(stub -> send(stub, id, step, into));
        if (!same.equals(after)) {
          differences.add("%s asked again: %s, after %s", step, same, after);
        }
      }
      if (step.kind() == Step.Kind.MERGE) {
        merged.add(id);
        if (!after.getMergedInto().equals(into)) {
          differences.add("%s into %s: %s", step, into, after);
        }
      }
      return step.done(null);
    } catch (StatusRuntimeException | NotHealedException e) {
      differences.add("%s on %s/%s ended with %s", step, source, service, e);
      return step.refused();
    }
  }

  /** What became of an alert that was acknowledged, once it is applied, is told. */
  private void explain(String source, Step alert) throws NotHealedException {
    ExplainAlertRequest request =
        ExplainAlertRequest.newBuilder().setSource(source).setAlertId(alert.id()).build();
    ExplainAlertResponse told = answered(stub -> stub.explainAlert(request));
    AlertSighting.Status status =
        alert.kind() == Step.Kind.RESOLVED
            ? AlertSighting.Status.RESOLVED
            : AlertSighting.Status.FIRING;
    // One that was sent again is told of by its first position.
    boolean found =
        told.getSightingsList().stream()
            .anyMatch(
                each ->
                    each.getStatus() == status
                        && each.getPosition().getPartition() == alert.position().getPartition()
                        && each.getPosition().getOffset() <= alert.position().getOffset()
                        && each.getEffect() != AlertSighting.Effect.EFFECT_UNSPECIFIED);
    if (!found) {
      differences.add("%s of %s is applied, and explained by %s", alert, source, told);
    }
  }

  /** The id of the group's newest incident, read when all its alerts are applied. */
  private String newest(String source, String service, Step alert) throws NotHealedException {
    ListIncidentsRequest request =
        ListIncidentsRequest.newBuilder()
            .setSource(source)
            .setIncludeSuppressed(true)
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

  private static Incident send(
      IncidentServiceBlockingStub stub, String id, Step step, String into) {
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
      case MERGE ->
          stub.mergeIncident(
                  MergeIncidentRequest.newBuilder()
                      .setId(id)
                      .setInto(into)
                      .setRequestId(step.id())
                      .build())
              .getIncident();
      case FIRING, RESOLVED, FAULTY, EXPLAIN ->
          throw new IllegalArgumentException(step + " is no command");
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
    return ways.answered(IncidentServiceGrpc::newBlockingStub, call);
  }

  @Override
  public void close() throws InterruptedException {
    threads.shutdownNow();
    threads.awaitTermination(Ways.CALL_MAX.toMillis(), TimeUnit.MILLISECONDS);
  }
}
