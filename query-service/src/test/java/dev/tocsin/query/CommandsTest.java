package dev.tocsin.query;

import static dev.tocsin.query.ServedQuery.code;
import static dev.tocsin.query.ServedQuery.error;
import static dev.tocsin.query.ServedQuery.reason;
import static dev.tocsin.query.ServedQuery.saysWhenToRetry;
import static dev.tocsin.query.ServedQuery.violations;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.rpc.ErrorInfo;
import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.AddNoteResponse;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.CreateIncidentResponse;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.ResolveIncidentResponse;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import dev.tocsin.proto.incidents.UpdateIncidentResponse;
import dev.tocsin.proto.state.Owner;
import dev.tocsin.proto.state.Owners;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.proto.state.ReadOutcomeResponse.Code;
import dev.tocsin.query.CommandEnd.Outcome;
import dev.tocsin.query.FakeProcessors.Fault;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Partitions;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Commands as callers meet them, over a scripted owner and a log that does what a test says. */
class CommandsTest {
  private static final int PARTITIONS = 4;
  private static final Duration LONG = Duration.ofSeconds(20);
  private static final long ROUTE = 77L << 40;
  private static final String ID = IncidentId.text(IncidentId.of(1_000, ROUTE, 1));
  private static final Codec<LogEntry> CODEC = Codec.of(LogEntry.class);

  private final FakeProcessors processors = new FakeProcessors(PARTITIONS).open("a");
  private MockProducer<byte[], byte[]> producer = ServedQuery.producer(true);
  private ServedQuery query;

  @AfterEach
  void close() {
    if (query != null) {
      query.close();
    }
    processors.close();
  }

  private void serve() {
    serve(LONG, 100, () -> producer);
  }

  private void serve(Duration timeout, int max, Supplier<Producer<byte[], byte[]>> producers) {
    processors.assign("a");
    query = new ServedQuery(processors, ServedQuery.config(timeout, max, "a"), producers);
    await().until(query.health::serving);
  }

  private static CreateIncidentRequest create(String requestId) {
    return CreateIncidentRequest.newBuilder()
        .setSource("desk")
        .setTitle("Shop down")
        .setSeverity(Severity.SEVERITY_P0)
        .setRequestId(requestId)
        .build();
  }

  private static AddNoteRequest note(String requestId) {
    return AddNoteRequest.newBuilder().setId(ID).setText("seen").setRequestId(requestId).build();
  }

  private StatusRuntimeException noteError(String requestId) {
    return error(() -> query.incidents.addNote(note(requestId)));
  }

  private static ReadOutcomeResponse outcome(Code code, String message) {
    return ReadOutcomeResponse.newBuilder()
        .setFound(true)
        .setCode(code)
        .setMessage(message)
        .setIncident(Incident.newBuilder().setId(ID).setRevision(4))
        .build();
  }

  private void assertReason(StatusRuntimeException error, Outcome reason, String requestId) {
    ErrorInfo info = reason(error);
    assertThat(info.getReason()).isEqualTo(reason.name());
    assertThat(info.getDomain()).isEqualTo("tocsin.dev");
    assertThat(info.getMetadataMap()).containsEntry("request_id", requestId);
  }

  private double counted(CommandKind kind, Outcome outcome) {
    return query.count("query.commands", "kind", kind.text(), "outcome", outcome.name());
  }

  @Test
  void create_isAppendedAndAnsweredWithItsOutcome() {
    serve();
    processors.outcomes = request -> outcome(Code.DONE, "");
    CreateIncidentResponse response = query.incidents.createIncident(create("r1"));
    assertThat(response.getRequestId()).isEqualTo("r1");
    assertThat(response.getIncident().getRevision()).isEqualTo(4);

    assertThat(producer.history()).hasSize(1);
    ProducerRecord<byte[], byte[]> record = producer.history().get(0);
    Command command = CODEC.decode(record.value()).getCommand();
    assertThat(record.topic()).isEqualTo("tocsin.log");
    assertThat(record.partition()).isEqualTo(Partitions.of(command.getRoute(), PARTITIONS));
    assertThat(record.key()).isNull();
    assertThat(processors.outcomeRequests).hasSize(1);
    ReadOutcomeRequest asked = processors.outcomeRequests.get(0);
    assertThat(asked.getPartition()).isEqualTo(record.partition());
    assertThat(asked.getMinOffset()).isZero();
    assertThat(asked.getWorkspace()).isEqualTo("default");
    assertThat(asked.getRequestId()).isEqualTo("r1");
    assertThat(asked.getContent().toByteArray()).isEqualTo(command.getContent().bytes());
    assertThat(counted(CommandKind.CREATE, Outcome.DONE)).isEqualTo(1);
    assertThat(query.meters.get("query.command.time").tag("kind", "create").timer().count())
        .isEqualTo(1);
    assertThat(query.meters.get("query.log.up").gauge().value()).isEqualTo(1);
  }

  @Test
  void create_withoutARequestIdNamesTheOneThatItMade() {
    serve();
    String made = query.incidents.createIncident(create("")).getRequestId();
    assertThat(UUID.fromString(made).toString()).isEqualTo(made);
    assertThat(processors.outcomeRequests.get(0).getRequestId()).isEqualTo(made);
  }

  @Test
  void commandsToAnIncident_goToItsPartitionAndWaitForTheirOwnEntry() {
    serve();
    processors.outcomes = request -> outcome(Code.DONE, "");
    UpdateIncidentResponse updated =
        query.incidents.updateIncident(
            UpdateIncidentRequest.newBuilder().setId(ID).setTitle("t").setRequestId("r1").build());
    ResolveIncidentResponse resolved =
        query.incidents.resolveIncident(
            ResolveIncidentRequest.newBuilder().setId(ID).setRequestId("r2").build());
    AddNoteResponse noted = query.incidents.addNote(note("r3"));
    assertThat(updated.getIncident().getId()).isEqualTo(ID);
    assertThat(updated.getRequestId()).isEqualTo("r1");
    assertThat(resolved.getIncident().getId()).isEqualTo(ID);
    assertThat(resolved.getRequestId()).isEqualTo("r2");
    assertThat(noted.getIncident().getId()).isEqualTo(ID);
    assertThat(noted.getRequestId()).isEqualTo("r3");
    assertThat(producer.history())
        .hasSize(3)
        .allMatch(record -> record.partition() == Partitions.of(ROUTE, PARTITIONS));
    assertThat(processors.outcomeRequests)
        .extracting(ReadOutcomeRequest::getMinOffset)
        .containsExactly(0L, 1L, 2L);
  }

  @Test
  void fault_isToldAndNothingIsAppended() {
    serve();
    var update = UpdateIncidentRequest.newBuilder().setId("x").build();
    StatusRuntimeException error = error(() -> query.incidents.updateIncident(update));
    assertThat(violations(error)).containsOnlyKeys("id", "update");
    assertThat(error.getStatus().getDescription()).isEqualTo("Invalid UUID");
    assertThat(producer.history()).isEmpty();
    assertThat(counted(CommandKind.UPDATE, Outcome.REFUSED)).isEqualTo(1);
  }

  @Test
  void outcomes_becomeStatuses() {
    serve();
    processors.outcomes = request -> outcome(Code.NOT_FOUND, "none");
    assertThat(noteError("r").getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(noteError("r").getStatus().getDescription()).contains(ID);

    processors.outcomes = request -> outcome(Code.FAILED_PRECONDITION, "CLOSED is final");
    StatusRuntimeException forbidden = noteError("r");
    assertThat(forbidden.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
    assertThat(forbidden.getStatus().getDescription()).isEqualTo("CLOSED is final");
    assertReason(forbidden, Outcome.INVALID_STATE_TRANSITION, "r");

    processors.outcomes = request -> outcome(Code.ABORTED, "it is at revision 4");
    StatusRuntimeException stale = noteError("r");
    assertThat(stale.getStatus().getCode()).isEqualTo(Status.Code.ABORTED);
    assertThat(stale.getStatus().getDescription()).isEqualTo("it is at revision 4");
    assertReason(stale, Outcome.REVISION_STALE, "r");

    processors.outcomes = request -> outcome(Code.CONFLICT, "");
    assertThat(violations(noteError("r"))).containsOnlyKeys("request_id");

    for (boolean found : new boolean[] {true, false}) {
      processors.outcomes =
          request ->
              outcome(Code.RESOURCE_EXHAUSTED, "too many").toBuilder().setFound(found).build();
      StatusRuntimeException full = noteError("r");
      assertThat(full.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
      assertThat(saysWhenToRetry(full)).isTrue();
    }

    assertThat(counted(CommandKind.NOTE, Outcome.NOT_FOUND)).isEqualTo(2);
    assertThat(counted(CommandKind.NOTE, Outcome.OUTCOMES_FULL)).isEqualTo(2);
    for (Outcome outcome :
        List.of(
            Outcome.INVALID_STATE_TRANSITION, Outcome.REVISION_STALE, Outcome.REQUEST_ID_REUSED)) {
      assertThat(counted(CommandKind.NOTE, outcome)).as(outcome.name()).isEqualTo(1);
    }
  }

  @Test
  void outcome_thatIsMissingOrOfANewerKindIsUnknown() {
    serve();
    processors.outcomes = request -> ReadOutcomeResponse.getDefaultInstance();
    StatusRuntimeException missing = noteError("r");
    assertThat(missing.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
    assertReason(missing, Outcome.OUTCOME_UNKNOWN, "r");
    processors.outcomes =
        request -> ReadOutcomeResponse.newBuilder().setFound(true).setCodeValue(99).build();
    assertReason(noteError("r"), Outcome.OUTCOME_UNKNOWN, "r");
  }

  @Test
  void command_isNotAppendedWhileOwnersAreUnknown() {
    query = new ServedQuery(processors, ServedQuery.config(LONG, 1, "a"), () -> producer);
    StatusRuntimeException error = noteError("r");
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertReason(error, Outcome.NOT_APPENDED, "r");
    assertThat(saysWhenToRetry(error)).isTrue();
    assertThat(producer.history()).isEmpty();
  }

  @Test
  void command_isNotAppendedWhereNobodyWouldAnswerForIt() {
    serve();
    processors.tell(
        Owners.newBuilder()
            .setPartitions(PARTITIONS)
            .addOwners(Owner.newBuilder().setAddress("a"))
            .build());
    await().until(() -> !query.health.serving());
    StatusRuntimeException error = noteError("r");
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertReason(error, Outcome.NOT_APPENDED, "r");
    assertThat(producer.history()).isEmpty();
    assertThat(counted(CommandKind.NOTE, Outcome.NOT_APPENDED)).isEqualTo(1);
  }

  @Test
  void ownerThatIsAway_leavesTheOutcomeUnknownAndAskingAgainSettlesIt() {
    serve();
    processors.fault("a", Fault.UNAVAILABLE);
    StatusRuntimeException error = noteError("r");
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertReason(error, Outcome.OUTCOME_UNKNOWN, "r");
    assertThat(error.getStatus().getDescription()).contains("request_id r");
    assertThat(saysWhenToRetry(error)).isTrue();
    assertThat(processors.outcomeRequests).hasSize(2); // it was tried twice

    processors.fault("a", Fault.NONE);
    assertThat(query.incidents.addNote(note("r")).getRequestId()).isEqualTo("r");
    assertThat(producer.history()).hasSize(2);
    assertThat(CODEC.decode(producer.history().get(0).value()))
        .isEqualTo(CODEC.decode(producer.history().get(1).value()));
  }

  @Test
  void ownerThatIsAwayForAMoment_isAskedOnceMore() {
    serve();
    processors.fault("a", Fault.UNAVAILABLE_ONCE);
    assertThat(query.incidents.addNote(note("r")).getRequestId()).isEqualTo("r");
    assertThat(producer.history()).hasSize(1);
  }

  @Test
  void ownerThatBreaks_leavesTheOutcomeUnknown() {
    serve();
    processors.fault("a", Fault.BROKEN);
    StatusRuntimeException error = noteError("r");
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INTERNAL);
    assertReason(error, Outcome.OUTCOME_UNKNOWN, "r");
  }

  @Test
  void entryThatIsNotAppliedInTime_exceedsTheCallersDeadlineWithItsRequestId() {
    serve();
    processors.outcomes = request -> null;
    StatusRuntimeException error =
        error(
            () ->
                query.incidents.withDeadlineAfter(1_000, TimeUnit.MILLISECONDS).addNote(note("r")));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertReason(error, Outcome.OUTCOME_UNKNOWN, "r");
    await().untilAsserted(() -> assertThat(processors.cancelled).hasValue(1));
    assertThat(counted(CommandKind.NOTE, Outcome.OUTCOME_UNKNOWN)).isEqualTo(1);
  }

  @Test
  void callWithoutADeadline_hasTheConfiguredTime() {
    serve(Duration.ofMillis(500), 100, () -> producer);
    processors.outcomes = request -> null;
    StatusRuntimeException error = noteError("r");
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertReason(error, Outcome.OUTCOME_UNKNOWN, "r");
  }

  @Test
  void callThatIsCancelled_isNotAskedAfterAnyMore() {
    serve();
    processors.outcomes = request -> null;
    var answer = IncidentServiceGrpc.newFutureStub(query.channel).addNote(note("r"));
    await().until(() -> processors.underWay.get() == 1);
    answer.cancel(true);
    await().untilAsserted(() -> assertThat(processors.cancelled).hasValue(1));
    await()
        .untilAsserted(() -> assertThat(counted(CommandKind.NOTE, Outcome.CANCELLED)).isEqualTo(1));
  }

  @Test
  void commandsBeyondTheBound_areRefusedAndServedAgainAfter() {
    serve(LONG, 1, () -> producer);
    processors.outcomes = request -> null;
    var first = IncidentServiceGrpc.newFutureStub(query.channel).addNote(note("r1"));
    await().until(() -> processors.underWay.get() == 1);
    StatusRuntimeException error = noteError("r2");
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(error.getStatus().getDescription()).contains("too many commands");
    assertReason(error, Outcome.NOT_APPENDED, "r2");
    assertThat(saysWhenToRetry(error)).isTrue();
    first.cancel(true);
    processors.outcomes = request -> outcome(Code.DONE, "");
    await()
        .ignoreExceptions()
        .untilAsserted(
            () -> assertThat(query.incidents.addNote(note("r3")).getRequestId()).isEqualTo("r3"));
  }

  @Test
  void logThatCannotBeReached_takesNothingWhileReadsGoOn() {
    AtomicInteger asked = new AtomicInteger();
    Supplier<Producer<byte[], byte[]>> producers =
        () -> {
          if (asked.incrementAndGet() <= 3) {
            throw new KafkaException("no broker");
          }
          return producer;
        };
    serve(LONG, 100, producers);
    Incident incident = processors.open("default", 1_000, ROUTE);
    for (int i = 0; i < 2; i++) {
      StatusRuntimeException error = noteError("r");
      assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertReason(error, Outcome.NOT_APPENDED, "r");
      assertThat(saysWhenToRetry(error)).isTrue();
      assertThat(query.meters.get("query.log.up").gauge().value()).isZero();
      assertThat(query.health.serving()).isTrue();
      var get = GetIncidentRequest.newBuilder().setId(incident.getId()).build();
      assertThat(query.incidents.getIncident(get).getIncident()).isEqualTo(incident);
    }
    assertThat(query.incidents.addNote(note("r")).getRequestId()).isEqualTo("r");
    assertThat(query.meters.get("query.log.up").gauge().value()).isEqualTo(1);
  }

  @Test
  void logThatNeverAnswers_leavesTheOutcomeUnknownWhenTheTimeIsUp() {
    producer = ServedQuery.producer(false);
    serve(Duration.ofMillis(500), 100, () -> producer);
    StatusRuntimeException error = noteError("r");
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    assertReason(error, Outcome.OUTCOME_UNKNOWN, "r");
    assertThat(producer.completeNext()).isTrue(); // too late: nobody asks for the outcome
    assertThat(processors.outcomeRequests).isEmpty();
  }

  @Test
  void logThatGivesUp_leavesTheOutcomeUnknown() throws Exception {
    producer = ServedQuery.producer(false);
    serve();
    var answer = IncidentServiceGrpc.newFutureStub(query.channel).addNote(note("r"));
    await().until(() -> producer.errorNext(new TimeoutException("expired")));
    StatusRuntimeException error = failure(answer);
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertReason(error, Outcome.OUTCOME_UNKNOWN, "r");
    assertThat(saysWhenToRetry(error)).isTrue();
    assertThat(query.meters.get("query.log.up").gauge().value()).isZero();
  }

  @Test
  void producerThatBlocks_blocksNoCallAndSaysWhatIsSure() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    CountDownLatch release = new CountDownLatch(1);
    serve(
        LONG,
        100,
        () ->
            new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer()) {
              @Override
              public synchronized Future<RecordMetadata> send(
                  ProducerRecord<byte[], byte[]> record, Callback callback) {
                blocked.countDown();
                try {
                  release.await();
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                return super.send(record, callback);
              }
            });
    try {
      var calls =
          IncidentServiceGrpc.newFutureStub(query.channel)
              .withDeadlineAfter(1_000, TimeUnit.MILLISECONDS);
      var sent = calls.addNote(note("sent"));
      assertThat(blocked.await(10, TimeUnit.SECONDS)).isTrue();
      var waiting = calls.addNote(note("waiting"));
      assertThat(code(() -> query.incidents.getIncident(GetIncidentRequest.getDefaultInstance())))
          .isEqualTo(Status.Code.INVALID_ARGUMENT);
      StatusRuntimeException unknown = failure(sent);
      assertThat(unknown.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
      assertReason(unknown, Outcome.OUTCOME_UNKNOWN, "sent");
      StatusRuntimeException withdrawn = failure(waiting);
      assertThat(withdrawn.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertReason(withdrawn, Outcome.NOT_APPENDED, "waiting");
    } finally {
      release.countDown();
    }
  }

  @Test
  void tightDeadline_isExceeded() {
    producer = ServedQuery.producer(false);
    serve();
    for (int i = 0; i < 20; i++) {
      assertThat(
              code(
                  () ->
                      query
                          .incidents
                          .withDeadlineAfter(1, TimeUnit.MILLISECONDS)
                          .addNote(note("r"))))
          .isEqualTo(Status.Code.DEADLINE_EXCEEDED);
    }
  }

  private static StatusRuntimeException failure(Future<?> answer) throws Exception {
    try {
      answer.get(30, TimeUnit.SECONDS);
    } catch (java.util.concurrent.ExecutionException e) {
      return (StatusRuntimeException) e.getCause();
    }
    throw new AssertionError("the call did not fail");
  }
}
