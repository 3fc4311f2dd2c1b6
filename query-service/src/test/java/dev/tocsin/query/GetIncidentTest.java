package dev.tocsin.query;

import static dev.tocsin.query.ServedQuery.code;
import static dev.tocsin.query.ServedQuery.error;
import static dev.tocsin.query.ServedQuery.saysWhenToRetry;
import static dev.tocsin.query.ServedQuery.violations;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.state.Owner;
import dev.tocsin.proto.state.Owners;
import dev.tocsin.query.FakeProcessors.Fault;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Partitions;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GetIncidentTest {
  private static final int PARTITIONS = 4;
  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  /** For tests that have something else to happen first, however slow the machine is. */
  private static final Duration LONG = Duration.ofSeconds(20);

  private final FakeProcessors processors = new FakeProcessors(PARTITIONS).open("a").open("b");
  private ServedQuery query;

  @AfterEach
  void close() {
    if (query != null) {
      query.close();
    }
    processors.close();
  }

  private void serve(String... owners) {
    serve(TIMEOUT, owners);
  }

  private void serve(Duration timeout, String... owners) {
    processors.assign(owners);
    query = new ServedQuery(processors, timeout, "a", "b");
    await().until(query.health::serving);
  }

  private Incident get(String id) {
    return query.incidents.getIncident(request(id)).getIncident();
  }

  private static GetIncidentRequest request(String id) {
    return GetIncidentRequest.newBuilder().setId(id).build();
  }

  private static GetIncidentRequest request(String id, int partition, long offset, int index) {
    Position position =
        Position.newBuilder().setPartition(partition).setOffset(offset).setIndex(index).build();
    return GetIncidentRequest.newBuilder().setId(id).setMinPosition(position).build();
  }

  @Test
  void get_asksTheOwnerOfTheIncidentsPartition() {
    serve("a", "b");
    for (long route = 0; route < 50; route++) {
      Incident incident = processors.open("default", 1_000, route << 40);
      assertThat(get(incident.getId())).isEqualTo(incident);
      assertThat(processors.readRequests.get((int) route).getPartition())
          .isEqualTo(Partitions.of(route << 40, PARTITIONS));
    }
    assertThat(processors.reads).hasValue(50);
    assertThat(
            query
                .meters
                .get("query.owner.calls")
                .tags("method", "read_incident", "outcome", "OK")
                .counter()
                .count())
        .isEqualTo(50);
  }

  @Test
  void get_takesAnIdInUpperCase() {
    serve("a");
    Incident incident = processors.open("default", 0xABCDEF, 5);
    assertThat(get(incident.getId().toUpperCase(Locale.ROOT))).isEqualTo(incident);
  }

  @Test
  void get_refusesAnIdThatIsNoUuid() {
    serve("a");
    for (String id :
        new String[] {"", "incident-uuid-here", "1-2-3-4-5", " ", "{" + UUID.randomUUID() + "}"}) {
      StatusRuntimeException error = error(() -> get(id));
      assertThat(violations(error)).containsOnlyKeys("id").containsValue("Invalid UUID");
      assertThat(error.getStatus().getDescription()).isEqualTo("Invalid UUID");
    }
    assertThat(processors.reads).hasValue(0);
  }

  @Test
  void get_doesNotFindWhatIsNobodysOrAnothersOrOfAnotherKind() {
    serve("a");
    String anothers = processors.open("another", 1_000, 7).getId();
    assertThat(code(() -> get(anothers))).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(code(() -> get(IncidentId.text(IncidentId.of(1, 2, 3)))))
        .isEqualTo(Status.Code.NOT_FOUND);
    assertThat(processors.reads).hasValue(2);
    assertThat(code(() -> get("0b0ec5c7-5a2b-4b0a-9e0e-5a2b4b0a9e0e")))
        .isEqualTo(Status.Code.NOT_FOUND);
    assertThat(processors.reads).hasValue(2);
  }

  @Test
  void get_waitsForAPositionOfItsOwnPartitionOnly() {
    serve("a");
    Incident incident = processors.open("default", 1_000, 7);
    int own = Partitions.of(7, PARTITIONS);
    processors.applied(own, 5, 10);
    assertThat(query.incidents.getIncident(request(incident.getId(), own, 4, 9)).getIncident())
        .isEqualTo(incident);
    assertThat(processors.readRequests.get(0).getMinOffset()).isEqualTo(4);
    query.incidents.getIncident(request(incident.getId(), (own + 1) % PARTITIONS, 99, 0));
    assertThat(processors.readRequests.get(1).hasMinOffset()).isFalse();
  }

  @Test
  void get_endsWithItsDeadlineWhereThePositionIsNotApplied() {
    serve("a");
    Incident incident = processors.open("default", 1_000, 7);
    int own = Partitions.of(7, PARTITIONS);
    processors.applied(own, 5, 10);
    var request = request(incident.getId(), own, 6, 0);
    StatusRuntimeException error = error(() -> query.incidents.getIncident(request));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(error.getStatus().getDescription()).contains("min_position");
    assertThat(processors.reads).hasValue(1);
    await().untilAsserted(() -> assertThat(processors.cancelled).hasValue(1));
  }

  @Test
  void get_refusesAPositionBeyondTheLog() {
    serve("a");
    Incident incident = processors.open("default", 1_000, 7);
    var request = request(incident.getId(), Partitions.of(7, PARTITIONS), 6, 0);
    assertThat(violations(error(() -> query.incidents.getIncident(request))))
        .containsOnlyKeys("min_position");
  }

  @Test
  void get_tellsAllThatIsWrongWithAPositionAndTheId() {
    serve("a");
    assertThat(violations(error(() -> query.incidents.getIncident(request("x", -1, -1, -1)))))
        .containsOnlyKeys(
            "id", "min_position.partition", "min_position.offset", "min_position.index");
    String id = IncidentId.text(IncidentId.of(1, 2, 3));
    assertThat(violations(error(() -> query.incidents.getIncident(request(id, PARTITIONS, 0, 0)))))
        .containsOnlyKeys("min_position.partition");
  }

  @Test
  void get_isUnavailableAtOnceWhileOwnersAreUnknown() {
    query = new ServedQuery(processors, LONG, "a", "b");
    // What is wrong with the request does not depend on owners. (And the connection is there now.)
    assertThat(violations(error(() -> get("x")))).containsOnlyKeys("id");
    long begun = System.nanoTime();
    StatusRuntimeException error = error(() -> get(IncidentId.text(IncidentId.of(1, 2, 3))));
    assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofMillis(900));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
    assertThat(query.health.problems()).containsKey("owners");
  }

  @Test
  void get_isUnavailableBeforeTheCallersDeadlineWhereTheOwnerNeverAnswers() {
    serve("a");
    processors.fault("a", Fault.SILENT);
    String id = processors.open("default", 1_000, 7).getId();
    StatusRuntimeException error =
        error(
            () ->
                query
                    .incidents
                    .withDeadlineAfter(1_500, TimeUnit.MILLISECONDS)
                    .getIncident(request(id)));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
    assertThat(processors.reads).hasValue(2);
    await().untilAsserted(() -> assertThat(processors.cancelled).hasValue(2));
  }

  @Test
  void get_endsByItselfWhereTheCallerGivesNoDeadline() {
    serve("a");
    processors.fault("a", Fault.SILENT);
    String id = processors.open("default", 1_000, 7).getId();
    StatusRuntimeException error = error(() -> get(id));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
  }

  @Test
  void get_isUnavailableWhereTheOwnerDied() {
    serve("a", "b");
    processors.kill("b");
    long ownedByB = 0;
    while (Partitions.of(ownedByB, PARTITIONS) % 2 == 0) {
      ownedByB++;
    }
    String id = processors.open("default", 1_000, ownedByB).getId();
    StatusRuntimeException error = error(() -> get(id));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
  }

  @Test
  void get_asksTheNewOwnerWhenThePartitionMovesMeanwhile() {
    serve(Duration.ofSeconds(3), "a");
    Incident incident = processors.open("default", 1_000, 7);
    processors.fault("a", Fault.SILENT);
    var answer =
        IncidentServiceGrpc.newFutureStub(query.channel).getIncident(request(incident.getId()));
    await().untilAsserted(() -> assertThat(processors.reads).hasValue(1));
    processors.assign("b");
    assertThat(answer).succeedsWithin(LONG).extracting("incident").isEqualTo(incident);
    assertThat(processors.reads).hasValue(2);
  }

  @Test
  void get_asksOnceMoreWhereTheOwnerIsAwayForAMoment() {
    serve("a");
    Incident incident = processors.open("default", 1_000, 7);
    processors.fault("a", Fault.UNAVAILABLE_ONCE);
    assertThat(get(incident.getId())).isEqualTo(incident);
    assertThat(processors.reads).hasValue(2);
  }

  @Test
  void get_asksOnceMoreWhereTheConnectionClosesAsTheReadBegins() {
    serve("a");
    Incident incident = processors.open("default", 1_000, 7);
    processors.fault("a", Fault.LOST_ONCE);
    assertThat(get(incident.getId())).isEqualTo(incident);
    assertThat(processors.reads).hasValue(2);
  }

  @Test
  void get_isUnavailableWhereThePartitionHasNoOwner() {
    serve("a");
    processors.tell(
        Owners.newBuilder()
            .setPartitions(PARTITIONS)
            .addOwners(Owner.newBuilder().setAddress("a"))
            .build());
    await().until(() -> !query.health.serving());
    assertThat(query.health.problems().get("owners")).contains("[0, 1, 2, 3]");
    String id = processors.open("default", 1_000, 7).getId();
    StatusRuntimeException error = error(() -> get(id));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
    assertThat(processors.reads).hasValue(0);
  }

  @Test
  void get_isInternalAndSaysNothingMoreWhereTheOwnerBreaks() {
    serve("a");
    processors.fault("a", Fault.BROKEN);
    String id = processors.open("default", 1_000, 7).getId();
    StatusRuntimeException error = error(() -> get(id));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
    assertThat(error.getStatus().getDescription()).isEqualTo("internal error");
    assertThat(processors.reads).hasValue(1);
  }

  @Test
  void get_exceedsADeadlineOfOneMillisecond() {
    serve("a");
    processors.fault("a", Fault.SILENT);
    String id = processors.open("default", 1_000, 7).getId();
    for (int i = 0; i < 50; i++) {
      assertThat(
              code(
                  () ->
                      query
                          .incidents
                          .withDeadlineAfter(1, TimeUnit.MILLISECONDS)
                          .getIncident(request(id))))
          .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    }
  }

  @Test
  void get_cancelledByItsCallerCancelsTheOwnersCall() {
    serve(LONG, "a");
    processors.fault("a", Fault.SILENT);
    String id = processors.open("default", 1_000, 7).getId();
    var answer = IncidentServiceGrpc.newFutureStub(query.channel).getIncident(request(id));
    await()
        .pollInterval(Duration.ofMillis(1))
        .untilAsserted(() -> assertThat(processors.reads).hasValue(1));
    answer.cancel(true);
    await()
        .atMost(LONG.dividedBy(4))
        .untilAsserted(() -> assertThat(processors.cancelled).hasValue(1));
    assertThat(processors.reads).hasValue(1);
  }

  @Test
  void get_isUnavailableWhereTooManyAreUnderWayAndServesAgainAfter() {
    processors.assign("a");
    query = new ServedQuery(processors, ServedQuery.config(LONG, 1, "a"));
    await().until(query.health::serving);
    Incident incident = processors.open("default", 1_000, 7);
    processors.fault("a", Fault.SILENT);
    var first =
        IncidentServiceGrpc.newFutureStub(query.channel).getIncident(request(incident.getId()));
    await().untilAsserted(() -> assertThat(processors.reads).hasValue(1));
    StatusRuntimeException error = error(() -> get(incident.getId()));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
    first.cancel(true);
    processors.fault("a", Fault.NONE);
    await()
        .ignoreExceptions()
        .untilAsserted(() -> assertThat(get(incident.getId())).isEqualTo(incident));
  }
}
