package dev.tocsin.query;

import static dev.tocsin.query.ServedQuery.code;
import static dev.tocsin.query.ServedQuery.error;
import static dev.tocsin.query.ServedQuery.saysWhenToRetry;
import static dev.tocsin.query.ServedQuery.violations;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.AlertSighting;
import dev.tocsin.proto.incidents.ExplainAlertRequest;
import dev.tocsin.proto.incidents.ExplainAlertResponse;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.state.ReadSightingsRequest;
import dev.tocsin.proto.state.ReadSightingsResponse;
import dev.tocsin.query.FakeProcessors.Fault;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ExplainAlertTest {
  private static final int PARTITIONS = 4;

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
    processors.assign(owners);
    query = new ServedQuery(processors, Duration.ofSeconds(1), "a", "b");
    await().until(query.health::serving);
  }

  private ExplainAlertResponse explain(ExplainAlertRequest.Builder request) {
    return query.incidents.explainAlert(request.build());
  }

  private static ExplainAlertRequest.Builder asked() {
    return ExplainAlertRequest.newBuilder().setSource("disk").setAlertId("a-1");
  }

  @Test
  void explain_asksAllPartitionsOfAllOwners_andTellsNewestFirst() {
    serve("a", "b");
    processors.sightings =
        request ->
            remembered(
                sighting(request, 100 - request.getPartition(), 7),
                sighting(request, 90, 5),
                sighting(request, 90, 4));
    ExplainAlertResponse response = explain(asked());
    assertThat(response.getSightingsList())
        .extracting(each -> each.getLoggedAt().getSeconds())
        .isSortedAccordingTo((one, other) -> Long.compare(other, one))
        .hasSize(3 * PARTITIONS);
    assertThat(response.getSightings(0).getPosition())
        .isEqualTo(Position.newBuilder().setPartition(0).setOffset(7).build());
    assertThat(response.getSightings(PARTITIONS).getPosition().getOffset()).isEqualTo(5);
    assertThat(response.getSightingsLeftOut()).isZero();
    assertThat(processors.sightingRequests)
        .extracting(ReadSightingsRequest::getPartition)
        .containsExactlyInAnyOrder(0, 1, 2, 3);
    assertThat(processors.sightingRequests)
        .allMatch(
            request ->
                request.getWorkspace().equals("default")
                    && request.getSource().equals("disk")
                    && request.getAlertId().equals("a-1")
                    && !request.hasMinOffset());
  }

  @Test
  void explain_givesTheNewestHundred_andCountsTheOthers() {
    serve("a");
    processors.sightings =
        request -> {
          ReadSightingsResponse.Builder response = ReadSightingsResponse.newBuilder().setLeftOut(2);
          for (int i = 0; i < 60; i++) {
            response.addSightings(sighting(request, 1_000 - i, i));
          }
          return response.build();
        };
    ExplainAlertResponse response = explain(asked());
    assertThat(response.getSightingsCount()).isEqualTo(100);
    assertThat(response.getSightings(99).getLoggedAt().getSeconds()).isEqualTo(1_000 - 24);
    assertThat(response.getSightingsLeftOut()).isEqualTo(PARTITIONS * 62 - 100);
  }

  @Test
  void explain_ofWhatNobodyRemembers_isNotFound_andSaysWhyThatMayBe() {
    serve("a", "b");
    processors.sightings =
        request -> ReadSightingsResponse.newBuilder().setReceiptWindowMs(3_600_000).build();
    StatusRuntimeException error = error(() -> explain(asked()));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(error.getStatus().getDescription())
        .isEqualTo(
            "no alert a-1 of source disk is remembered here: it was applied longer ago than the receipt window (PT1H), was never acknowledged, or its id was made by the edge, because its source gave it none");
  }

  @Test
  void explain_isWholeOrUnavailable() {
    serve("a", "b");
    processors.sightings = request -> remembered(sighting(request, 1, 1));
    processors.fault("b", Fault.UNAVAILABLE);
    StatusRuntimeException away = error(() -> explain(asked()));
    assertThat(away.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(away)).isTrue();
    processors.fault("b", Fault.UNAVAILABLE_ONCE);
    assertThat(explain(asked()).getSightingsCount()).isEqualTo(PARTITIONS);
    processors.fault("b", Fault.OLDER);
    StatusRuntimeException older = error(() -> explain(asked()));
    assertThat(older.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(older.getStatus().getDescription()).contains("until it is upgraded");
    assertThat(saysWhenToRetry(older)).isTrue();
  }

  @Test
  void explain_beforeTheOwnersAreKnown_isUnavailable() {
    query = new ServedQuery(processors, Duration.ofSeconds(1), "c");
    assertThat(code(() -> explain(asked()))).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void explain_waitsForAPosition_inItsPartitionOnly() {
    serve("a");
    processors.sightings = request -> remembered(sighting(request, 1, 1));
    processors.applied(2, 8, 9);
    Position applied = Position.newBuilder().setPartition(2).setOffset(7).build();
    assertThat(explain(asked().setMinPosition(applied)).getSightingsCount()).isEqualTo(PARTITIONS);
    assertThat(processors.sightingRequests)
        .allMatch(request -> request.hasMinOffset() == (request.getPartition() == 2));
    Position beyond = applied.toBuilder().setOffset(9).build();
    assertThat(violations(error(() -> explain(asked().setMinPosition(beyond)))))
        .containsOnlyKeys("min_position");
    Position notYet = applied.toBuilder().setOffset(8).build();
    assertThat(code(() -> explain(asked().setMinPosition(notYet))))
        .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
  }

  @Test
  void explain_refusesEveryFault() {
    serve("a");
    ExplainAlertRequest.Builder bad =
        ExplainAlertRequest.newBuilder()
            .setSource(" ")
            .setAlertId("x".repeat(257))
            .setMinPosition(Position.newBuilder().setPartition(PARTITIONS).setOffset(-1));
    assertThat(violations(error(() -> explain(bad))))
        .containsOnlyKeys("source", "alert_id", "min_position.partition", "min_position.offset");
    assertThat(processors.sightingRequests).isEmpty();
  }

  @Test
  void explain_beyondTheBound_isUnavailable() throws Exception {
    serve("a");
    processors.fault("a", Fault.SILENT);
    var calls =
        dev.tocsin.proto.incidents.IncidentServiceGrpc.newFutureStub(query.channel)
            .withDeadlineAfter(20, java.util.concurrent.TimeUnit.SECONDS);
    List<Future<?>> waiting = new ArrayList<>();
    for (int i = 0; i < AlertReads.CALLS_MAX; i++) {
      waiting.add(calls.explainAlert(asked().build()));
    }
    await().until(() -> processors.sightingRequests.size() >= AlertReads.CALLS_MAX * PARTITIONS);
    StatusRuntimeException full = error(() -> explain(asked()));
    assertThat(full.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(full)).isTrue();
    waiting.forEach(call -> call.cancel(true));
  }

  private static ReadSightingsResponse remembered(AlertSighting... sightings) {
    return ReadSightingsResponse.newBuilder().addAllSightings(List.of(sightings)).build();
  }

  private static AlertSighting sighting(ReadSightingsRequest request, long second, long offset) {
    return AlertSighting.newBuilder()
        .setLoggedAt(Timestamp.newBuilder().setSeconds(second))
        .setPosition(Position.newBuilder().setPartition(request.getPartition()).setOffset(offset))
        .build();
  }
}
