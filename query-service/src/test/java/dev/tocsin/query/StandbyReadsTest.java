package dev.tocsin.query;

import static dev.tocsin.query.ServedQuery.error;
import static dev.tocsin.query.ServedQuery.saysWhenToRetry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Duration;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.Staleness;
import dev.tocsin.query.FakeProcessors.Fault;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Partitions;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Reads while the owner, a, is away, and b and c keep standbys. */
class StandbyReadsTest {
  private static final int PARTITIONS = 4;
  private static final Staleness BEHIND =
      Staleness.newBuilder().setEntries(3).setAge(Duration.newBuilder().setSeconds(7)).build();

  private final FakeProcessors processors =
      new FakeProcessors(PARTITIONS).open("a").open("b").open("c");
  private ServedQuery query;

  @BeforeEach
  void serve() {
    processors.assignWithStandbys("a", "b", "c");
    processors.staleness = BEHIND;
    query = new ServedQuery(processors, java.time.Duration.ofSeconds(1), "b", "c");
    await().until(query.health::serving);
  }

  @AfterEach
  void close() {
    query.close();
    processors.close();
  }

  private GetIncidentResponse get(String id) {
    return query.incidents.getIncident(GetIncidentRequest.newBuilder().setId(id).build());
  }

  private ListIncidentsResponse list() {
    return query.incidents.listIncidents(ListIncidentsRequest.getDefaultInstance());
  }

  @Test
  void read_isTheOwnersWhileItAnswers() {
    Incident incident = processors.open("default", 1_000, 7);
    assertThat(get(incident.getId()).hasStaleness()).isFalse();
    assertThat(list().hasStaleness()).isFalse();
    assertThat(processors.reads).hasValue(1);
    assertThat(processors.scans).hasValue(PARTITIONS);
  }

  @Test
  void read_isAStandbysAndSaysHowStaleWhereTheOwnerIsDead() {
    Incident incident = processors.open("default", 1_000, 7);
    processors.kill("a");
    GetIncidentResponse got = get(incident.getId());
    assertThat(got.getIncident()).isEqualTo(incident);
    assertThat(got.getStaleness()).isEqualTo(BEHIND);
    ListIncidentsResponse listed = list();
    assertThat(listed.getIncidentsList()).containsExactly(incident);
    assertThat(listed.getStaleness().getEntries()).as("of all").isEqualTo(3 * PARTITIONS);
    assertThat(listed.getStaleness().getAge()).as("the greatest").isEqualTo(BEHIND.getAge());
    assertThat(query.meters.get("query.stale.answers").counter().count()).isEqualTo(2);
  }

  /** Serves anew with more time than a test has to wait for. */
  private void serveLong() {
    query.close();
    query =
        new ServedQuery(
            processors, ServedQuery.config(java.time.Duration.ofSeconds(60), 1_000, "b", "c"));
    await().until(query.health::serving);
  }

  @Test
  void read_isAStandbysWhereTheOwnerHangs_longBeforeHalfTheTime() {
    serveLong();
    Incident incident = processors.open("default", 1_000, 7);
    processors.fault("a", Fault.SILENT);
    long begunNanos = System.nanoTime();
    assertThat(get(incident.getId()).getStaleness()).isEqualTo(BEHIND);
    assertThat(list().getIncidentsList()).containsExactly(incident);
    assertThat(java.time.Duration.ofNanos(System.nanoTime() - begunNanos))
        .isBetween(OwnerCalls.HEDGE_AFTER.multipliedBy(2), java.time.Duration.ofSeconds(20));
    await().untilAsserted(() -> assertThat(processors.underWay).hasValue(0));
  }

  @Test
  void read_thatTheOwnerAnswersLateIsTheOwnersWhereNoStandbyIsOfUse() {
    serveLong();
    String none = IncidentId.text(IncidentId.of(1, 2, 3));
    processors.fault("a", Fault.SLOW_READ);
    assertThat(error(() -> get(none)).getStatus().getCode())
        .as("the copies are behind, the owner knows")
        .isEqualTo(Status.Code.NOT_FOUND);
    assertThat(processors.reads).as("the owner and both standbys").hasValue(3);
    processors.fault("b", Fault.UNAVAILABLE);
    processors.fault("c", Fault.BROKEN);
    Incident incident = processors.open("default", 1_000, 7);
    assertThat(get(incident.getId()).hasStaleness()).isFalse();
  }

  @Test
  void read_ofAnOwnerThatHangs_asksNoStandbyBeyondTheBound() {
    serveLong();
    Incident incident = processors.open("default", 1_000, 7);
    for (String each : new String[] {"a", "b", "c"}) {
      processors.fault(each, Fault.SILENT);
    }
    var calls = dev.tocsin.proto.incidents.IncidentServiceGrpc.newFutureStub(query.channel);
    int many = OwnerCalls.HEDGES_MAX + 50;
    var reads =
        java.util.stream.IntStream.range(0, many)
            .mapToObj(
                i ->
                    calls.getIncident(
                        GetIncidentRequest.newBuilder().setId(incident.getId()).build()))
            .toList();
    await()
        .untilAsserted(() -> assertThat(processors.reads).hasValue(many + OwnerCalls.HEDGES_MAX));
    await()
        .during(OwnerCalls.HEDGE_AFTER)
        .until(() -> processors.reads.get() == many + OwnerCalls.HEDGES_MAX);
    reads.forEach(read -> read.cancel(true));
    await().untilAsserted(() -> assertThat(processors.underWay).hasValue(0));
    processors.fault("b", Fault.NONE);
    assertThat(get(incident.getId()).getStaleness()).as("there is room again").isEqualTo(BEHIND);
  }

  @Test
  void read_goesOnToTheNextStandby() {
    Incident incident = processors.open("default", 1_000, 7);
    processors.fault("a", Fault.UNAVAILABLE);
    processors.fault("b", Fault.UNAVAILABLE);
    assertThat(get(incident.getId()).getStaleness()).isEqualTo(BEHIND);
    assertThat(processors.reads).hasValue(3);
  }

  @Test
  void read_isUnavailableWhereNoStandbyAnswersEither() {
    String id = processors.open("default", 1_000, 7).getId();
    for (String each : new String[] {"a", "b", "c"}) {
      processors.fault(each, Fault.UNAVAILABLE);
    }
    StatusRuntimeException error = error(() -> get(id));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
    assertThat(processors.reads).as("the owner twice").hasValue(4);
    assertThat(error(this::list).getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void read_ofALogPositionIsTheOwnersAlone() {
    Incident incident = processors.open("default", 1_000, 7);
    int partition = Partitions.of(7, PARTITIONS);
    processors.applied(partition, 5, 10);
    processors.fault("a", Fault.UNAVAILABLE);
    Position position = Position.newBuilder().setPartition(partition).setOffset(4).build();
    StatusRuntimeException error =
        error(
            () ->
                query
                    .incidents
                    .withDeadlineAfter(2, TimeUnit.SECONDS)
                    .getIncident(
                        GetIncidentRequest.newBuilder()
                            .setId(incident.getId())
                            .setMinPosition(position)
                            .build()));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(processors.reads).hasValue(2);
    ListIncidentsRequest list = ListIncidentsRequest.newBuilder().addMinPosition(position).build();
    assertThat(error(() -> query.incidents.listIncidents(list)).getStatus().getCode())
        .isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void get_ofWhatAStandbyDoesNotHaveIsNotFoundOnlyIfItIsNotBehind() {
    processors.kill("a");
    String none = IncidentId.text(IncidentId.of(1, 2, 3));
    assertThat(error(() -> get(none)).getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    processors.staleness = Staleness.getDefaultInstance();
    assertThat(error(() -> get(none)).getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
  }
}
