package dev.tocsin.query;

import static dev.tocsin.query.ServedQuery.code;
import static dev.tocsin.query.ServedQuery.error;
import static dev.tocsin.query.ServedQuery.saysWhenToRetry;
import static dev.tocsin.query.ServedQuery.violations;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Any;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import com.google.rpc.BadRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.query.FakeProcessors.Fault;
import io.grpc.CallOptions;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ListIncidentsTest {
  private static final int PARTITIONS = 4;
  private static final Duration TIMEOUT = Duration.ofSeconds(1);

  /** For tests that have something else to happen first, however slow the machine is. */
  private static final Duration LONG = Duration.ofSeconds(20);

  private static final ListIncidentsRequest ALL = ListIncidentsRequest.getDefaultInstance();

  private final FakeProcessors processors = new FakeProcessors(PARTITIONS).open("a").open("b");
  private final List<Incident> opened = new ArrayList<>();
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

  /** Opens so many incidents, of every state, severity and of two sources, newest first. */
  private void open(int count) {
    Random random = new Random(count);
    for (int i = 0; i < count; i++) {
      int number = i;
      opened.add(
          processors.open(
              "default",
              1_000 + random.nextInt(count),
              random.nextLong(),
              incident ->
                  incident
                      .setStateValue(1 + number % 6)
                      .setSeverityValue(1 + number % 5)
                      .setSource("source-" + number % 2)));
    }
    opened.sort(Comparator.comparing(Incident::getId).reversed());
  }

  private ListIncidentsResponse list(ListIncidentsRequest.Builder request) {
    return query.incidents.listIncidents(request.build());
  }

  private static ListIncidentsRequest.Builder pages(int size) {
    return ListIncidentsRequest.newBuilder().setPageSize(size);
  }

  private List<Incident> walk(ListIncidentsRequest.Builder request) {
    List<Incident> walked = new ArrayList<>();
    do {
      ListIncidentsResponse page = list(request);
      walked.addAll(page.getIncidentsList());
      request.setPageToken(page.getNextPageToken());
    } while (!request.getPageToken().isEmpty());
    return walked;
  }

  @Test
  void list_ofNothingIsAnEmptyPage() {
    serve("a");
    assertThat(query.incidents.listIncidents(ALL))
        .isEqualTo(ListIncidentsResponse.getDefaultInstance());
  }

  @Test
  void list_leavesOutWhatIsHiddenUnlessItIsAskedFor_andSoDoItsTokens() {
    serve("a");
    processors.open("default", 1_000, 1, each -> each.setInhibitedBy("another"));
    processors.open("default", 1_001, 1, each -> each.setSilencedBy("a silence"));
    Incident shown = processors.open("default", 1_002, 1);
    assertThat(list(pages(10)).getIncidentsList()).containsExactly(shown);
    ListIncidentsResponse all = list(pages(2).setIncludeSuppressed(true));
    assertThat(all.getIncidentsList()).hasSize(2);
    String token = all.getNextPageToken();
    assertThat(list(pages(2).setIncludeSuppressed(true).setPageToken(token)).getIncidentsList())
        .hasSize(1);
    assertThat(violations(error(() -> list(pages(2).setPageToken(token)))))
        .containsOnlyKeys("page_token");
  }

  @Test
  void list_givesFiftyOfAllPartitionsNewestFirst() {
    serve("a", "b");
    open(120);
    ListIncidentsResponse page = query.incidents.listIncidents(ALL);
    assertThat(page.getIncidentsList()).isEqualTo(opened.subList(0, 50));
    assertThat(page.getNextPageToken()).isNotEmpty();
    assertThat(query.meters.get("query.list.rounds").summary().count()).isEqualTo(1);
  }

  @Test
  void list_cutsThePageSizeToAThousand() {
    serve("a", "b");
    open(1_005);
    ListIncidentsResponse page = list(pages(1_000_000));
    assertThat(page.getIncidentsList()).isEqualTo(opened.subList(0, 1_000));
    assertThat(list(pages(5).setPageToken(page.getNextPageToken())))
        .isEqualTo(
            ListIncidentsResponse.newBuilder()
                .addAllIncidents(opened.subList(1_000, 1_005))
                .build());
  }

  @Test
  void list_walkedByTokensGivesAllOnceWhateverTheBudget() {
    serve("a", "b");
    open(150);
    for (int budget : new int[] {1, 3, 20}) {
      processors.budget = budget;
      assertThat(walk(pages(17))).isEqualTo(opened);
    }
  }

  @Test
  void list_endsAPageShortWhenItsRoundsAreUsedUp() {
    serve("a");
    open(100);
    processors.budget = 1;
    ListIncidentsResponse page = list(pages(100));
    assertThat(page.getIncidentsCount()).isLessThanOrEqualTo(ListCall.ROUNDS_MAX * PARTITIONS);
    assertThat(page.getIncidentsList()).isEqualTo(opened.subList(0, page.getIncidentsCount()));
    assertThat(page.getNextPageToken()).isNotEmpty();
    assertThat(processors.scans.get()).isLessThanOrEqualTo(ListCall.ROUNDS_MAX * PARTITIONS);
  }

  @Test
  void list_doesNotShiftWhileIncidentsOpen() {
    serve("a", "b");
    open(60);
    ListIncidentsRequest.Builder request = pages(7);
    List<Incident> walked = new ArrayList<>();
    do {
      ListIncidentsResponse page = list(request);
      walked.addAll(page.getIncidentsList());
      request.setPageToken(page.getNextPageToken());
      processors.open("default", 50_000 + walked.size(), walked.size());
    } while (!request.getPageToken().isEmpty());
    assertThat(walked).isEqualTo(opened);
  }

  @Test
  void list_filtersByStateSeverityAndSource() {
    serve("a", "b");
    open(120);
    processors.open("another", 5_000, 3);
    ListIncidentsRequest.Builder request =
        pages(3)
            .addStates(IncidentState.INCIDENT_STATE_DETECTED)
            .addStates(IncidentState.INCIDENT_STATE_CLOSED)
            .addSeverities(Severity.SEVERITY_P0)
            .addSeverities(Severity.SEVERITY_P4)
            .setSource("source-1");
    assertThat(walk(request))
        .isNotEmpty()
        .isEqualTo(
            opened.stream()
                .filter(i -> i.getStateValue() == 1 || i.getStateValue() == 6)
                .filter(i -> i.getSeverityValue() == 1 || i.getSeverityValue() == 5)
                .filter(i -> i.getSource().equals("source-1"))
                .toList());
  }

  @Test
  void list_servesPageNumbersByWalking() {
    serve("a", "b");
    open(60);
    processors.budget = 3;
    for (int page = 0; page < 6; page++) {
      assertThat(list(pages(10).setPage(page)).getIncidentsList())
          .as("page %d", page)
          .isEqualTo(opened.subList(page * 10, page * 10 + 10));
    }
    assertThat(list(pages(10).setPage(6))).isEqualTo(ListIncidentsResponse.getDefaultInstance());
    assertThat(list(pages(10).setPage(1_000)).getIncidentsList()).isEmpty();
  }

  @Test
  void list_goesOnByTokenAfterAPageNumber() {
    serve("a");
    open(40);
    String token = list(pages(10).setPage(1)).getNextPageToken();
    assertThat(walk(pages(10).setPageToken(token))).isEqualTo(opened.subList(20, 40));
  }

  @Test
  void list_refusesEverythingThatIsWrongAtOnce() {
    serve("a");
    StatusRuntimeException error =
        error(
            () ->
                list(
                    pages(-1)
                        .setPage(-1)
                        .setPageToken("garbage")
                        .addStates(IncidentState.INCIDENT_STATE_CLOSED)
                        .addStatesValue(77)
                        .addSeveritiesValue(0)
                        .setSource("\0".repeat(257))
                        .addMinPosition(Position.newBuilder().setPartition(PARTITIONS))
                        .addMinPosition(Position.newBuilder().setOffset(-1).setIndex(-1))));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(StatusProto.fromThrowable(error).getDetailsList())
        .singleElement()
        .extracting(detail -> unpack(detail).getFieldViolationsList())
        .asInstanceOf(InstanceOfAssertFactories.LIST)
        .extracting("field")
        .containsExactlyInAnyOrder(
            "page_size",
            "page",
            "page_token",
            "states[1]",
            "severities[0]",
            "source",
            "source",
            "min_position[0].partition",
            "min_position[1].offset",
            "min_position[1].index");
    assertThat(processors.scans).hasValue(0);
  }

  private static BadRequest unpack(Any detail) {
    try {
      return detail.unpack(BadRequest.class);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void list_refusesPagesTooFarAndPointsToTheToken() {
    serve("a");
    assertThat(violations(error(() -> list(pages(100).setPage(101)))).get("page"))
        .contains("page_token");
    assertThat(violations(error(() -> list(pages(0).setPage(201))))).containsOnlyKeys("page");
    assertThat(violations(error(() -> list(pages(5_000).setPage(Integer.MAX_VALUE)))))
        .containsOnlyKeys("page");
    assertThat(list(pages(100).setPage(100)).getIncidentsList()).isEmpty();
  }

  @Test
  void list_refusesATokenWithAPageNumber() {
    serve("a");
    open(5);
    String token = list(pages(2)).getNextPageToken();
    assertThat(violations(error(() -> list(pages(2).setPage(1).setPageToken(token)))))
        .containsOnlyKeys("page");
  }

  @Test
  void list_refusesATokenUnderAnotherFilter() {
    serve("a");
    open(30);
    String token = list(pages(2)).getNextPageToken();
    assertThat(violations(error(() -> list(pages(2).setSource("source-1").setPageToken(token)))))
        .containsOnlyKeys("page_token");
    assertThat(
            violations(
                error(
                    () ->
                        list(
                            pages(2)
                                .addStates(IncidentState.INCIDENT_STATE_CLOSED)
                                .setPageToken(token)))))
        .containsOnlyKeys("page_token");
    assertThat(list(pages(3).setPageToken(token)).getIncidentsList())
        .isEqualTo(opened.subList(2, 5));
  }

  @Test
  void list_takesPositionsOfOnePartitionTwiceAndWaitsForTheFurthest() {
    serve("a");
    processors.applied(2, 10, 10);
    list(
        pages(1)
            .addMinPosition(Position.newBuilder().setPartition(2).setOffset(9))
            .addMinPosition(Position.newBuilder().setPartition(2).setOffset(3)));
    assertThat(processors.scanRequests)
        .allMatch(request -> request.hasMinOffset() == (request.getPartition() == 2))
        .anyMatch(request -> request.getMinOffset() == 9);
  }

  @Test
  void list_endsWithItsDeadlineWhereAPositionIsNotApplied() {
    serve("a");
    processors.applied(2, 5, 10);
    var request = pages(1).addMinPosition(Position.newBuilder().setPartition(2).setOffset(7));
    assertThat(code(() -> list(request))).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
  }

  @Test
  void list_refusesAPositionBeyondTheLog() {
    serve("a");
    var request = pages(1).addMinPosition(Position.newBuilder().setPartition(2).setOffset(7));
    assertThat(violations(error(() -> list(request)))).containsOnlyKeys("min_position");
  }

  @Test
  void list_isUnavailableAtOnceWhileOwnersAreUnknown() {
    query = new ServedQuery(processors, LONG, "a");
    StatusRuntimeException error =
        error(
            () ->
                query.incidents.withDeadlineAfter(5_000, TimeUnit.MILLISECONDS).listIncidents(ALL));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
  }

  @Test
  void list_isUnavailableAsAWholeWhereOneOwnerDied() {
    serve("a", "b");
    open(20);
    processors.kill("b");
    StatusRuntimeException error = error(() -> query.incidents.listIncidents(ALL));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
  }

  @Test
  void list_isUnavailableAsAWholeBeforeTheDeadlineWhereOneOwnerNeverAnswers() {
    serve("a", "b");
    open(20);
    processors.fault("b", Fault.SILENT);
    StatusRuntimeException error =
        error(
            () ->
                query.incidents.withDeadlineAfter(1_500, TimeUnit.MILLISECONDS).listIncidents(ALL));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
  }

  @Test
  void list_asksTheNewOwnerWhenPartitionsMoveMeanwhile() {
    serve(Duration.ofSeconds(3), "a", "b");
    open(20);
    processors.fault("b", Fault.SILENT);
    var answer = IncidentServiceGrpc.newFutureStub(query.channel).listIncidents(ALL);
    await().untilAsserted(() -> assertThat(processors.scans).hasValue(PARTITIONS));
    processors.assign("a");
    assertThat(answer).succeedsWithin(LONG).extracting("incidentsList").isEqualTo(opened);
  }

  @Test
  void list_isInternalWhereAScanGetsNoFurther() {
    serve("a");
    open(20);
    String token = list(pages(2)).getNextPageToken();
    processors.fault("a", Fault.STUCK);
    assertThat(code(() -> list(pages(2).setPageToken(token)))).isEqualTo(Status.Code.INTERNAL);
  }

  @Test
  void list_givesUpAPageNumberThatIsTooFarToReachInTime() {
    serve(Duration.ofSeconds(3), "a");
    open(200);
    processors.budget = 1;
    // One index entry and 250 ms a scan: the 190th incident is seconds away.
    processors.fault("a", Fault.SLOW);
    StatusRuntimeException error = error(() -> list(pages(1).setPage(190)));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertThat(error.getStatus().getDescription()).contains("page_token");
  }

  @Test
  void list_endsAPageShortWhenHalfItsTimeIsGone() {
    serve(Duration.ofSeconds(3), "a");
    open(100);
    processors.budget = 1;
    processors.fault("a", Fault.SLOW);
    ListIncidentsResponse page = list(pages(100));
    assertThat(page.getNextPageToken()).isNotEmpty();
    assertThat(processors.scans.get()).isLessThan(ListCall.ROUNDS_MAX * PARTITIONS);
  }

  @Test
  void list_cancelledByItsCallerCancelsEveryOwnersCall() {
    serve(LONG, "a", "b");
    processors.fault("a", Fault.SILENT);
    processors.fault("b", Fault.SILENT);
    var answer = IncidentServiceGrpc.newFutureStub(query.channel).listIncidents(ALL);
    await().untilAsserted(() -> assertThat(processors.scans).hasValue(PARTITIONS));
    answer.cancel(true);
    await()
        .atMost(LONG.dividedBy(4))
        .untilAsserted(() -> assertThat(processors.cancelled).hasValue(PARTITIONS));
  }

  @Test
  void list_whereOneOwnerFailsCancelsTheOthersCalls() {
    serve(LONG, "a", "b");
    processors.fault("a", Fault.SILENT);
    processors.fault("b", Fault.BROKEN);
    assertThat(code(() -> query.incidents.listIncidents(ALL))).isEqualTo(Status.Code.INTERNAL);
    await()
        .atMost(LONG.dividedBy(4))
        .untilAsserted(() -> assertThat(processors.underWay).hasValue(0));
  }

  @Test
  void list_isUnavailableWhereTooManyAreUnderWay() {
    processors.assign("a");
    query = new ServedQuery(processors, ServedQuery.config(LONG, 1, "a"));
    await().until(query.health::serving);
    processors.fault("a", Fault.SILENT);
    var first = IncidentServiceGrpc.newFutureStub(query.channel).listIncidents(ALL);
    await().untilAsserted(() -> assertThat(processors.scans).hasValue(PARTITIONS));
    StatusRuntimeException error = error(() -> query.incidents.listIncidents(ALL));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(saysWhenToRetry(error)).isTrue();
    first.cancel(true);
  }

  @Test
  void list_nestedTenThousandDeepIsRefused() {
    serve("a");
    ByteArrayOutputStream nested = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(nested);
    try {
      for (int depth = 0; depth < 10_000; depth++) {
        out.writeTag(99, WireFormat.WIRETYPE_START_GROUP);
      }
      for (int depth = 0; depth < 10_000; depth++) {
        out.writeTag(99, WireFormat.WIRETYPE_END_GROUP);
      }
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    MethodDescriptor<byte[], ListIncidentsResponse> raw =
        IncidentServiceGrpc.getListIncidentsMethod().toBuilder(
                new Bytes(), IncidentServiceGrpc.getListIncidentsMethod().getResponseMarshaller())
            .build();
    StatusRuntimeException error =
        error(
            () ->
                ClientCalls.blockingUnaryCall(
                    query.channel, raw, CallOptions.DEFAULT, nested.toByteArray()));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(error.getStatus().getDescription()).contains("cannot be parsed");
    assertThat(query.incidents.listIncidents(ALL).getIncidentsList()).isEmpty();
  }

  private record Bytes() implements Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      throw new UnsupportedOperationException("a client reads no requests");
    }
  }
}
