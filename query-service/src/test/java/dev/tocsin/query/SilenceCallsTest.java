package dev.tocsin.query;

import static dev.tocsin.query.ServedQuery.code;
import static dev.tocsin.query.ServedQuery.error;
import static dev.tocsin.query.ServedQuery.reason;
import static dev.tocsin.query.ServedQuery.violations;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.ByteString;
import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.CreateSilenceRequest;
import dev.tocsin.proto.incidents.CreateSilenceResponse;
import dev.tocsin.proto.incidents.ExpireSilenceRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.ListSilencesRequest;
import dev.tocsin.proto.incidents.ListSilencesResponse;
import dev.tocsin.proto.incidents.PreviewSilenceRequest;
import dev.tocsin.proto.incidents.PreviewSilenceResponse;
import dev.tocsin.proto.incidents.SilenceState;
import dev.tocsin.proto.state.KeptSilence;
import dev.tocsin.proto.state.ReadSilencesRequest;
import dev.tocsin.proto.state.ReadSilencesResponse;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Silence;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Silences as callers meet them, over owners that keep what the log has. */
class SilenceCallsTest {
  private static final int PARTITIONS = 3;
  private static final Codec<LogEntry> CODEC = Codec.of(LogEntry.class);

  private final FakeProcessors processors = new FakeProcessors(PARTITIONS).open("a");
  private final MockProducer<byte[], byte[]> producer = ServedQuery.producer(true);

  /** Entries that found no room. */
  private final Set<ProducerRecord<byte[], byte[]>> forgotten = ConcurrentHashMap.newKeySet();

  /** Partitions whose owner has no room, and keeps nothing of what is appended. */
  private final Set<Integer> deaf = ConcurrentHashMap.newKeySet();

  private ServedQuery query;

  @BeforeEach
  void open() {
    processors.assign("a");
    processors.silences = this::kept;
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

  /** What a processor makes of the entries. */
  private ReadSilencesResponse kept(ReadSilencesRequest request) {
    Map<String, KeptSilence> kept = new HashMap<>();
    for (ProducerRecord<byte[], byte[]> record : producer.history()) {
      LogEntry entry = CODEC.decode(record.value());
      if (record.partition() != request.getPartition()
          || deaf.contains(record.partition())
          || forgotten.contains(record)) {
        continue;
      }
      if (entry.getSilence() != null) {
        kept.putIfAbsent(IncidentId.text(entry.getSilence().getId()), kept(entry.getSilence()));
      } else {
        kept.computeIfPresent(
            IncidentId.text(entry.getSilenceExpired().getId()),
            (id, one) ->
                one.toBuilder()
                    .setSilence(
                        one.getSilence().toBuilder()
                            .setEnd(time(nowS() - 1))
                            .setState(SilenceState.SILENCE_STATE_ENDED)
                            .setExpiredBy(entry.getSilenceExpired().getActor()))
                    .build());
      }
    }
    String id =
        request.getId().isEmpty() ? "" : IncidentId.text(new Key128(request.getId().toByteArray()));
    return ReadSilencesResponse.newBuilder()
        .addAllSilences(
            kept.values().stream()
                .filter(each -> id.isEmpty() || each.getSilence().getId().equals(id))
                .toList())
        .setLasting(
            deaf.contains(request.getPartition()) && !producer.history().isEmpty()
                ? 1_000
                : kept.size())
        .build();
  }

  private static KeptSilence kept(Silence silence) {
    return KeptSilence.newBuilder()
        .setContent(ByteString.copyFrom(silence.getContent().bytes()))
        .setSilence(
            dev.tocsin.proto.incidents.Silence.newBuilder()
                .setId(IncidentId.text(silence.getId()))
                .addMatchers("source = \"disk\"")
                .setStart(time(silence.getStartMs() / 1000))
                .setEnd(time(silence.getEndMs() / 1000))
                .setAuthor(silence.getAuthor())
                .setComment(silence.getComment())
                .setCreatedAt(time(silence.getCreatedAtMs() / 1000))
                .setState(SilenceState.SILENCE_STATE_ACTIVE))
        .build();
  }

  private static CreateSilenceRequest.Builder request(String requestId) {
    return CreateSilenceRequest.newBuilder()
        .addMatchers("source = disk")
        .setEnd(time(nowS() + 3600))
        .setComment("new disks")
        .setRequestId(requestId);
  }

  private static Timestamp time(long seconds) {
    return Timestamp.newBuilder().setSeconds(seconds).build();
  }

  private List<Silence> appended() {
    return producer.history().stream()
        .map(each -> CODEC.decode(each.value()).getSilence())
        .toList();
  }

  @Test
  void create_appendsTheSameEntryToEveryPartition() {
    CreateSilenceResponse created = query.silences.createSilence(request("r1").build());
    assertThat(created.getRequestId()).isEqualTo("r1");
    assertThat(created.getSilence().getPartitions()).isEqualTo(PARTITIONS);
    assertThat(created.getSilence().getState()).isEqualTo(SilenceState.SILENCE_STATE_ACTIVE);
    assertThat(producer.history())
        .extracting(ProducerRecord::partition)
        .containsExactlyInAnyOrder(0, 1, 2);
    assertThat(appended()).hasSize(PARTITIONS).containsOnly(appended().get(0));
    Silence silence = appended().get(0);
    assertThat(IncidentId.text(silence.getId())).isEqualTo(created.getSilence().getId());
    assertThat(created.getSilence().getId()).matches("[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-.*");
    assertThat(silence.getStartMs()).isZero();
    assertThat(silence.getEndMs()).isEqualTo((nowS() + 3600) * 1000);
    assertThat(silence.getAuthor()).isEqualTo("anonymous");
    assertThat(silence.getWorkspace()).isEqualTo("default");
    LogEntry entry = CODEC.decode(producer.history().get(0).value());
    assertThat(entry.getEngineVersionMin()).isEqualTo(3);
  }

  @Test
  void create_againUnderItsRequestIdCompletesIt() {
    deaf.add(1);
    StatusRuntimeException half = error(() -> query.silences.createSilence(request("r1").build()));
    assertThat(half.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    deaf.clear();
    producer.history().stream().filter(each -> each.partition() == 1).forEach(forgotten::add);
    CreateSilenceResponse whole = query.silences.createSilence(request("r1").build());
    assertThat(whole.getSilence().getPartitions()).isEqualTo(PARTITIONS);
    assertThat(appended()).hasSize(2 * PARTITIONS);
    assertThat(appended()).extracting(Silence::getId).containsOnly(appended().get(0).getId());
    assertThat(query.silences.createSilence(request("r1").build())).isEqualTo(whole);
    assertThat(appended()).hasSize(2 * PARTITIONS);
    StatusRuntimeException other =
        error(() -> query.silences.createSilence(request("r1").setComment("else").build()));
    assertThat(violations(other)).containsOnlyKeys("request_id");
  }

  @Test
  void create_thatOnePartitionDoesNotTakeSaysHowToCompleteIt() {
    producer.sendException = new org.apache.kafka.common.errors.TimeoutException("away");
    StatusRuntimeException error = error(() -> query.silences.createSilence(request("r1").build()));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(error.getStatus().getDescription()).contains("ask again under the request_id r1");
    assertThat(reason(error).getReason()).isEqualTo("OUTCOME_UNKNOWN");
    assertThat(reason(error).getMetadataMap()).containsEntry("request_id", "r1");
  }

  @Test
  void create_isRefusedWithEveryViolation() {
    StatusRuntimeException error =
        error(
            () ->
                query.silences.createSilence(
                    CreateSilenceRequest.newBuilder()
                        .addMatchers("nonsense")
                        .addMatchers("x = y")
                        .setRequestId("r".repeat(129))
                        .build()));
    assertThat(violations(error))
        .containsOnlyKeys("matchers[0]", "comment", "request_id", "end")
        .containsEntry(
            "matchers[0]",
            "must be FIELD OPERATOR VALUE, the operator one of =, !=, =~, !~, not 'nonsense'");
    assertThat(violations(refused(request("r1").clearMatchers())))
        .containsExactly(Map.entry("matchers", "must have at least one matcher"));
    assertThat(violations(refused(request("r1").clearMatchers().addMatchers("service = x"))))
        .containsOnlyKeys("matchers[0].field");
    assertThat(violations(refused(request("r1").addMatchers("title =~ ("))))
        .containsOnlyKeys("matchers[1].value");
    assertThat(violations(refused(request("r1").addMatchers("title =~ (abc?d*){200}"))))
        .containsOnlyKeys("matchers");
    assertThat(violations(refused(request("r1").setEnd(time(nowS())))))
        .containsExactly(Map.entry("end", "must be after the start and the present"));
    assertThat(violations(refused(request("r1").setEnd(time(nowS() + 366 * 86_400L)))))
        .containsExactly(Map.entry("end", "must be at most 365 days after the start"));
    assertThat(
            violations(
                refused(
                    request("r1")
                        .setStart(time(nowS() + 366 * 86_400L))
                        .setEnd(time(nowS() + 367 * 86_400L)))))
        .containsExactly(Map.entry("start", "must be at most 365 days ahead"));
    assertThat(violations(refused(request("r1").setStart(time(-1))))).containsOnlyKeys("start");
    assertThat(
            violations(
                refused(
                    request("r1")
                        .setComment("\u00e9".repeat(1024))
                        .addMatchers("title = " + "x".repeat(1020)))))
        .containsOnlyKeys("matchers, comment");
    assertThat(producer.history()).isEmpty();
  }

  private StatusRuntimeException refused(CreateSilenceRequest.Builder request) {
    return error(() -> query.silences.createSilence(request.build()));
  }

  @Test
  void create_beyondTheBoundIsRefused() {
    processors.silences =
        request ->
            ReadSilencesResponse.newBuilder()
                .setLasting(request.getPartition() == 2 ? 1_000 : 3)
                .build();
    StatusRuntimeException error = error(() -> query.silences.createSilence(request("r1").build()));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(producer.history()).isEmpty();
  }

  @Test
  void create_thatWouldMakeOpeningIncidentsTooDearIsRefused() {
    processors.silences =
        request -> ReadSilencesResponse.newBuilder().setLastingSteps(9_999_999).build();
    assertThat(refused(request("r1").addMatchers("title =~ a.*")).getStatus().getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
    assertThat(producer.history()).isEmpty();
  }

  @Test
  void create_againAfterItsEndTellsOfThatAndAppendsNothing() {
    var created = query.silences.createSilence(request("r1").build()).getSilence();
    query.silences.expireSilence(ExpireSilenceRequest.newBuilder().setId(created.getId()).build());
    var again = query.silences.createSilence(request("r1").build()).getSilence();
    assertThat(again.getId()).isEqualTo(created.getId());
    assertThat(again.getState()).isEqualTo(SilenceState.SILENCE_STATE_ENDED);
    assertThat(producer.history()).hasSize(2 * PARTITIONS);
  }

  @Test
  void create_whoseOwnersDoNotSayWhatCameOfItTellsHowToComplete() {
    processors.silences =
        request -> {
          if (request.hasMinOffset()) {
            throw Status.UNAVAILABLE.asRuntimeException(); // it is away once they are appended
          }
          return ReadSilencesResponse.getDefaultInstance();
        };
    StatusRuntimeException error = error(() -> query.silences.createSilence(request("r1").build()));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(reason(error).getReason()).isEqualTo("OUTCOME_UNKNOWN");
    assertThat(reason(error).getMetadataMap()).containsEntry("request_id", "r1");
  }

  @Test
  void list_leavesOutEndedOnesThatHaveNoRoom() {
    KeptSilence one =
        kept(new SilenceReader(ServedQuery.CLOCK).read(request("x").build()).silence());
    processors.silences =
        request -> {
          ReadSilencesResponse.Builder all = ReadSilencesResponse.newBuilder();
          for (int i = 0; i < 2000; i++) {
            all.addSilences(
                one.toBuilder()
                    .setSilence(
                        one.getSilence().toBuilder()
                            .setId("id " + i)
                            .setComment("c".repeat(SilenceReader.BYTES_MAX))
                            .setState(
                                i < 1000
                                    ? SilenceState.SILENCE_STATE_ACTIVE
                                    : SilenceState.SILENCE_STATE_ENDED)));
          }
          return all.build();
        };
    ListSilencesRequest.Builder request = ListSilencesRequest.newBuilder().setIncludeEnded(true);
    ListSilencesResponse told = query.silences.listSilences(request.build());
    assertThat(told.getSerializedSize()).isLessThan(4 << 20);
    assertThat(told.getSilencesList())
        .filteredOn(each -> each.getState() == SilenceState.SILENCE_STATE_ACTIVE)
        .hasSize(1000);
  }

  @Test
  void expire_endsItInEveryPartition() {
    String id = query.silences.createSilence(request("r1").build()).getSilence().getId();
    ExpireSilenceRequest request = ExpireSilenceRequest.newBuilder().setId(id).build();
    var ended = query.silences.expireSilence(request).getSilence();
    assertThat(ended.getState()).isEqualTo(SilenceState.SILENCE_STATE_ENDED);
    assertThat(ended.getExpiredBy()).isEqualTo("anonymous");
    assertThat(producer.history()).hasSize(2 * PARTITIONS);
    assertThat(query.silences.expireSilence(request).getSilence()).isEqualTo(ended);
    assertThat(
            code(
                () ->
                    query.silences.expireSilence(
                        request.toBuilder().setId(id.replaceAll(".$", "x")).build())))
        .isEqualTo(Status.Code.INVALID_ARGUMENT);
    char last = id.charAt(id.length() - 1) == '0' ? '1' : '0';
    assertThat(
            code(
                () ->
                    query.silences.expireSilence(
                        request.toBuilder()
                            .setId(id.substring(0, id.length() - 1) + last)
                            .build())))
        .isEqualTo(Status.Code.NOT_FOUND);
  }

  @Test
  void list_tellsEachOnceAndEndedOnesOnlyIfAsked() {
    query.silences.createSilence(request("r1").build());
    String ended = query.silences.createSilence(request("r2").build()).getSilence().getId();
    query.silences.expireSilence(ExpireSilenceRequest.newBuilder().setId(ended).build());
    ListSilencesResponse lasting =
        query.silences.listSilences(ListSilencesRequest.getDefaultInstance());
    assertThat(lasting.getPartitions()).isEqualTo(PARTITIONS);
    assertThat(lasting.getSilencesList()).hasSize(1);
    assertThat(lasting.getSilences(0).getPartitions()).isEqualTo(PARTITIONS);
    assertThat(
            query
                .silences
                .listSilences(ListSilencesRequest.newBuilder().setIncludeEnded(true).build())
                .getSilencesList())
        .hasSize(2);
  }

  @Test
  void preview_addsUpWhatThePartitionsFindAndTellsTheNewest() {
    processors.previews =
        request -> {
          assertThat(request.getMatchersList()).containsExactly("source = disk");
          return dev.tocsin.proto.state.PreviewSilenceResponse.newBuilder()
              .setCount(5)
              .setMore(request.getPartition() == 2)
              .addIncidents(Incident.newBuilder().setId("b" + request.getPartition()))
              .addIncidents(Incident.newBuilder().setId("a" + request.getPartition()))
              .build();
        };
    PreviewSilenceRequest.Builder asked =
        PreviewSilenceRequest.newBuilder().addMatchers("source = disk").setLimit(4);
    PreviewSilenceResponse found = query.silences.previewSilence(asked.build());
    assertThat(found.getCount()).isEqualTo(15);
    assertThat(found.getMore()).isTrue();
    assertThat(found.getIncidentsList())
        .extracting(Incident::getId)
        .containsExactly("b2", "b1", "b0", "a2");
    assertThat(violations(error(() -> query.silences.previewSilence(asked.setLimit(-1).build()))))
        .containsOnlyKeys("limit");
    assertThat(
            violations(
                error(
                    () ->
                        query.silences.previewSilence(asked.setLimit(0).clearMatchers().build()))))
        .containsOnlyKeys("matchers");
  }

  @Test
  void calls_endWithTheOwners() {
    processors.kill("a");
    assertThat(code(() -> query.silences.listSilences(ListSilencesRequest.getDefaultInstance())))
        .isEqualTo(Status.Code.UNAVAILABLE);
  }

  private static long nowS() {
    return ServedQuery.CLOCK.instant().getEpochSecond();
  }
}
