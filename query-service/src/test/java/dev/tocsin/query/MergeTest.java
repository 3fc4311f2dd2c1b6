package dev.tocsin.query;

import static dev.tocsin.query.ServedQuery.code;
import static dev.tocsin.query.ServedQuery.error;
import static dev.tocsin.query.ServedQuery.reason;
import static dev.tocsin.query.ServedQuery.violations;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.MergeIncidentRequest;
import dev.tocsin.proto.incidents.MergeIncidentResponse;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Partitions;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.producer.MockProducer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Merges as callers meet them: two commands, in two partitions. */
class MergeTest {
  private static final int PARTITIONS = 4;
  private static final Codec<LogEntry> CODEC = Codec.of(LogEntry.class);

  private final FakeProcessors processors = new FakeProcessors(PARTITIONS).open("a");
  private final MockProducer<byte[], byte[]> producer = ServedQuery.producer(true);
  private ServedQuery query;

  @BeforeEach
  void open() {
    processors.assign("a");
    query =
        new ServedQuery(
            processors, ServedQuery.config(Duration.ofSeconds(20), 100, "a"), () -> producer);
    await().until(query.health::serving);
  }

  @AfterEach
  void close() {
    query.close();
    processors.close();
  }

  private Incident incident(long route, UnaryOperator<Incident.Builder> details) {
    return processors.open("default", 1_000, route << 40, details);
  }

  private Incident incident(long route) {
    return incident(route, each -> each.setTitle("title " + route));
  }

  private static MergeIncidentRequest merge(Incident one, String into) {
    return MergeIncidentRequest.newBuilder()
        .setId(one.getId())
        .setInto(into)
        .setRequestId("r1")
        .build();
  }

  private List<Command> commands() {
    return producer.history().stream()
        .map(each -> CODEC.decode(each.value()).getCommand())
        .toList();
  }

  @Test
  void merge_isACommandToEachOfTheTwo() {
    Incident one = incident(1);
    Incident other = incident(2);
    processors.outcomes =
        request ->
            ReadOutcomeResponse.newBuilder()
                .setFound(true)
                .setCode(ReadOutcomeResponse.Code.DONE)
                .setIncident(Incident.newBuilder().setId("of " + request.getRequestId()))
                .build();
    MergeIncidentResponse merged = query.incidents.mergeIncident(merge(one, other.getId()));
    assertThat(merged.getRequestId()).isEqualTo("r1");
    assertThat(merged.getIncident().getId()).isEqualTo("of r1");
    assertThat(commands()).hasSize(2);
    Command first = commands().get(0);
    assertThat(IncidentId.text(first.getIncident())).isEqualTo(one.getId());
    assertThat(IncidentId.text(first.getMerge().getInto())).isEqualTo(other.getId());
    assertThat(first.getMerge().getTitle()).isEqualTo("title 2");
    assertThat(first.getMergedFrom()).isNull();
    Command second = commands().get(1);
    assertThat(second.getRequestId()).isEqualTo("merged-from r1");
    assertThat(IncidentId.text(second.getIncident())).isEqualTo(other.getId());
    assertThat(IncidentId.text(second.getMergedFrom().getIncident())).isEqualTo(one.getId());
    assertThat(second.getMergedFrom().getTitle()).isEqualTo("title 1");
    assertThat(producer.history().get(1).partition())
        .isEqualTo(Partitions.of(second.getRoute(), PARTITIONS));
    assertThat(CODEC.decode(producer.history().get(0).value()).getEngineVersionMin()).isEqualTo(3);
    assertThat(
            query.count(
                "query.commands", "kind", "merge", "outcome", CommandEnd.Outcome.DONE.name()))
        .isEqualTo(1);
  }

  @Test
  void merge_thatIsHalfDoneSaysSoAndIsCompletedWithoutAnotherLook() {
    Incident other = incident(2, each -> each.setState(IncidentState.INCIDENT_STATE_CLOSED));
    Incident one = incident(1, each -> each.setMergedInto(other.getId()));
    processors.outcomes =
        request ->
            ReadOutcomeResponse.newBuilder()
                .setFound(request.getRequestId().equals("r1"))
                .setCode(ReadOutcomeResponse.Code.DONE)
                .build();
    StatusRuntimeException half =
        error(() -> query.incidents.mergeIncident(merge(one, other.getId())));
    assertThat(half.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(half.getStatus().getDescription()).contains("send it again under the request_id r1");
    assertThat(reason(half).getReason()).isEqualTo("OUTCOME_UNKNOWN");
    assertThat(reason(half).getMetadataMap()).containsEntry("request_id", "r1");
    processors.outcomes =
        request ->
            ReadOutcomeResponse.newBuilder()
                .setFound(true)
                .setCode(ReadOutcomeResponse.Code.DONE)
                .build();
    query.incidents.mergeIncident(merge(one, other.getId()));
    assertThat(commands()).hasSize(4);
  }

  @Test
  void merge_thatWouldMakeWhatMustNotBeIsRefused() {
    Incident one = incident(1);
    Incident closed = incident(2, each -> each.setState(IncidentState.INCIDENT_STATE_CLOSED));
    Incident merged = incident(3, each -> each.setMergedInto(one.getId()));
    refused(one, one.getId(), "an incident cannot be merged into itself");
    refused(one, closed.getId(), "the incident %s is CLOSED".formatted(closed.getId()));
    refused(
        one,
        merged.getId(),
        "the incident %s is itself merged, into %s".formatted(merged.getId(), one.getId()));
  }

  @Test
  void merge_ofWhatOthersWereMergedIntoAndAreNotAnyMoreIsDone() {
    Incident one = incident(1);
    Incident elsewhere = incident(3, each -> each.setMergedInto(one.getId()));
    Incident takenUp = incident(4);
    Incident head =
        incident(
            7,
            each ->
                each.addMergedFrom(elsewhere.getId())
                    .addMergedFrom(takenUp.getId())
                    .addMergedFrom(IncidentId.text(IncidentId.of(7, 7, 7))));
    query.incidents.mergeIncident(merge(head, one.getId()));
    assertThat(commands()).hasSize(2);
  }

  @Test
  void merge_ofWhatOthersAreMergedIntoIsRefused() {
    Incident other = incident(2);
    String id = IncidentId.text(IncidentId.of(5_000, 9L << 40, 77));
    Incident part = incident(1, each -> each.setMergedInto(id));
    // The fake gives ids by its own count: this one is made to be the id that the part names.
    Incident head =
        incident(9, each -> each.setId(id).addMergedFrom(part.getId()).setTitle("head"));
    refused(
        head,
        other.getId(),
        "the incident %s is merged into this one: merge it elsewhere, or take it up, first"
            .formatted(part.getId()));
  }

  @Test
  void merge_ofNobodysIsNotFoundAndAWrongOneIsRefused() {
    Incident one = incident(1);
    String nobodys = IncidentId.text(IncidentId.of(7, 7, 7));
    assertThat(code(() -> query.incidents.mergeIncident(merge(one, nobodys))))
        .isEqualTo(Status.Code.NOT_FOUND);
    assertThat(
            code(
                () ->
                    query.incidents.mergeIncident(
                        merge(one, one.getId()).toBuilder().setId(nobodys).build())))
        .isEqualTo(Status.Code.NOT_FOUND);
    assertThat(
            violations(
                error(
                    () ->
                        query.incidents.mergeIncident(
                            MergeIncidentRequest.newBuilder()
                                .setId("x")
                                .setInto("y")
                                .setExpectedRevision(-1)
                                .build()))))
        .containsOnlyKeys("id", "into", "expected_revision");
    assertThat(commands()).isEmpty();
  }

  private void refused(Incident one, String into, String why) {
    int before = commands().size();
    StatusRuntimeException error = error(() -> query.incidents.mergeIncident(merge(one, into)));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(error.getStatus().getDescription()).isEqualTo(why);
    assertThat(reason(error).getReason()).isEqualTo("INVALID_STATE_TRANSITION");
    assertThat(commands()).hasSize(before);
  }
}
