package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.IncidentType;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import dev.tocsin.schemas.AddNote;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.CreateIncident;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Tick;
import dev.tocsin.schemas.UpdateIncident;
import io.grpc.Status;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.stream.IntStream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class CommandReaderTest {
  private static final Key128 ID = IncidentId.of(1_000, 0x0123_4567_89AB_CDEFL, 7);
  private static final String TEXT = IncidentId.text(ID);
  private static final String LONG = "x".repeat(20_000);

  private final CommandReader reader = new CommandReader(ServedQuery.CLOCK);

  private static CreateIncidentRequest.Builder create() {
    return CreateIncidentRequest.newBuilder()
        .setSource("desk")
        .setTitle("Shop down")
        .setSeverity(Severity.SEVERITY_P0);
  }

  private static UpdateIncidentRequest.Builder update() {
    return UpdateIncidentRequest.newBuilder().setId(TEXT);
  }

  private static Map<String, String> violations(ThrowingCallable read) {
    return ServedQuery.violations(ServedQuery.error(read));
  }

  private static Map<String, String> pairs(int count) {
    Map<String, String> pairs = new LinkedHashMap<>();
    IntStream.range(0, count).forEach(i -> pairs.put("k" + i, "v"));
    return pairs;
  }

  @Test
  void create_carriesWhatItWasGiven() {
    CommandEntry entry =
        reader.read(
            create()
                .setDescription("all of it")
                .setType(IncidentType.INCIDENT_TYPE_AVAILABILITY)
                .addAffectedResources("shop")
                .putLabels("service", "shop")
                .putMetadata("ticket", "7")
                .setRequestId("r1")
                .build());
    Command command = entry.command();
    assertThat(command.getWorkspace()).isEqualTo("default");
    assertThat(command.getActor()).isEqualTo("anonymous");
    assertThat(command.getRequestId()).isEqualTo("r1");
    assertThat(command.getReceivedAtMs()).isEqualTo(ServedQuery.CLOCK.millis());
    assertThat(command.getIncident()).isNull();
    CreateIncident body = (CreateIncident) command.getBody();
    assertThat(body)
        .isEqualTo(
            CreateIncident.newBuilder()
                .setGroup(body.getGroup())
                .setTitle("Shop down")
                .setDescription("all of it")
                .setSeverity(dev.tocsin.schemas.Severity.P0)
                .setType(dev.tocsin.schemas.IncidentType.AVAILABILITY)
                .setSource("desk")
                .setLabels(Map.of("service", "shop"))
                .setMetadata(Map.of("ticket", "7"))
                .setAffectedResources(List.of("shop"))
                .build());
    assertThat(command.getRoute()).isEqualTo(ByteBuffer.wrap(body.getGroup().bytes()).getLong());
  }

  @Test
  void entry_isALogEntryThatOlderEnginesPauseAt() {
    CommandEntry entry = reader.read(create().build());
    LogEntry logged = Codec.of(LogEntry.class).decode(entry.bytes());
    assertThat(logged.getCommand()).isEqualTo(entry.command());
    assertThat(logged.getPayload()).isInstanceOf(Tick.class);
    assertThat(logged.getEngineVersionMin()).isEqualTo(2);
  }

  @Test
  void requestId_isMadeWhereThereIsNone() {
    String first = reader.read(create().build()).requestId();
    String second = reader.read(create().build()).requestId();
    assertThat(UUID.fromString(first)).isNotEqualTo(UUID.fromString(second));
  }

  @Test
  void group_isThatOfTheIdempotencyKey_forWhichTheRequestIdStandsIn() {
    CreateIncident one = body(create().setRequestId("r1").setIdempotencyKey("k"));
    CreateIncident two = body(create().setRequestId("r2").setIdempotencyKey("k").setTitle("Other"));
    assertThat(one.getGroup()).isEqualTo(two.getGroup());
    assertThat(body(create().setRequestId("k")).getGroup()).isEqualTo(one.getGroup());
    assertThat(body(create().setRequestId("r1")).getGroup()).isNotEqualTo(one.getGroup());
  }

  private CreateIncident body(CreateIncidentRequest.Builder request) {
    return (CreateIncident) reader.read(request.build()).command().getBody();
  }

  @Test
  void content_isEqualForTheSameRequestOnly() {
    Map<String, String> labels = pairs(20);
    Map<String, String> otherOrder = new LinkedHashMap<>();
    List<String> keys = new java.util.ArrayList<>(labels.keySet());
    Collections.reverse(keys);
    keys.forEach(key -> otherOrder.put(key, labels.get(key)));
    Key128 content = content(update().putAllLabels(labels).setRequestId("r1"));
    assertThat(content(update().putAllLabels(otherOrder).setRequestId("r2"))).isEqualTo(content);
    assertThat(content(update().setId(TEXT.toUpperCase(Locale.ROOT)).putAllLabels(labels)))
        .isEqualTo(content);
    assertThat(content(update().putAllLabels(labels).setExpectedRevision(1))).isNotEqualTo(content);
    assertThat(content(update().putAllLabels(labels).setAssignee(""))).isNotEqualTo(content);
    assertThat(
            content(update().setId(IncidentId.text(IncidentId.of(1, 2, 3))).putAllLabels(labels)))
        .isNotEqualTo(content);
  }

  @Test
  void content_tellsKindsApartThatLookTheSameOnTheWire() {
    var resolve = ResolveIncidentRequest.newBuilder().setId(TEXT).setResolution("x").build();
    var note = AddNoteRequest.newBuilder().setId(TEXT).setText("x").build();
    assertThat(resolve.toByteString()).isEqualTo(note.toByteString());
    assertThat(reader.read(resolve).command().getContent())
        .isNotEqualTo(reader.read(note).command().getContent());
  }

  private Key128 content(UpdateIncidentRequest.Builder request) {
    return reader.read(request.build()).command().getContent();
  }

  @Test
  void update_changesOnlyWhatIsGiven() {
    Command command =
        reader
            .read(
                update()
                    .setState(IncidentState.INCIDENT_STATE_TRIAGED)
                    .setAssignee("")
                    .putLabels("a", "1")
                    .addRemoveLabels("b")
                    .setExpectedRevision(4)
                    .build())
            .command();
    assertThat(command.getIncident()).isEqualTo(ID);
    assertThat(command.getRoute()).isEqualTo(0x0123_4567_89AB_CDEFL);
    assertThat(command.getExpectedRevision()).isEqualTo(4);
    assertThat(command.getBody())
        .isEqualTo(
            UpdateIncident.newBuilder()
                .setState(dev.tocsin.schemas.IncidentState.TRIAGED)
                .setAssignee("")
                .setSetLabels(Map.of("a", "1"))
                .setRemoveLabels(List.of("b"))
                .build());
    UpdateIncident texts =
        (UpdateIncident)
            reader
                .read(
                    update()
                        .setSeverity(Severity.SEVERITY_P3)
                        .setTitle("t")
                        .setDescription("")
                        .build())
                .command()
                .getBody();
    assertThat(texts)
        .isEqualTo(
            UpdateIncident.newBuilder()
                .setSeverity(dev.tocsin.schemas.Severity.P3)
                .setTitle("t")
                .setDescription("")
                .build());
  }

  @Test
  void resolve_isAnUpdateToResolvedWithAReason() {
    var request = ResolveIncidentRequest.newBuilder().setId(TEXT).setResolution("mended").build();
    assertThat(reader.read(request).command().getBody())
        .isEqualTo(
            UpdateIncident.newBuilder()
                .setState(dev.tocsin.schemas.IncidentState.RESOLVED)
                .setResolution("mended")
                .build());
  }

  @Test
  void note_carriesItsText() {
    var request = AddNoteRequest.newBuilder().setId(TEXT).setText("seen").build();
    assertThat(reader.read(request).command().getBody()).isEqualTo(new AddNote("seen"));
  }

  @Test
  void create_tellsEveryFault() {
    CreateIncidentRequest request =
        CreateIncidentRequest.newBuilder()
            .setSource(LONG)
            .setTitle(" ")
            .setDescription("\0")
            .setSeverityValue(77)
            .setTypeValue(78)
            .addAffectedResources("ok")
            .addAffectedResources("")
            .addAffectedResources(LONG)
            .putLabels("", "v")
            .putLabels("l", LONG)
            .putLabels("nul\0\"", "v")
            .putMetadata(LONG, "v")
            .putMetadata("m", LONG)
            .setRequestId(LONG)
            .setIdempotencyKey(LONG)
            .build();
    assertThat(violations(() -> reader.read(request)))
        .containsEntry("source", "has 20,000 characters; at most 256")
        .containsEntry("title", "must not be empty")
        .containsEntry("description", "must not contain NUL characters")
        .containsEntry("severity", "77 is not a value of this enum")
        .containsEntry("type", "78 is not a value of this enum")
        .containsEntry("affected_resources[1]", "must not be empty")
        .containsEntry("affected_resources[2]", "has 20,000 characters; at most 512")
        .containsEntry("labels[\"\"]", "the key must not be empty")
        .containsEntry("labels[\"l\"]", "has 20,000 characters; at most 1,024")
        .containsEntry("labels[\"nul\\u0000\\\"\"]", "the key must not contain NUL characters")
        .containsEntry(
            "metadata[\"" + "x".repeat(64) + "…\"]", "the key has 20,000 characters; at most 128")
        .containsEntry("metadata[\"m\"]", "has 20,000 characters; at most 8,192")
        .containsEntry("request_id", "has 20,000 characters; at most 128")
        .containsEntry("idempotency_key", "has 20,000 characters; at most 128")
        .hasSize(14);
  }

  @Test
  void create_takesWhatIsJustWithinTheBounds() {
    String wide = "\ud83d\udd14"; // one character of two chars
    CreateIncidentRequest request =
        create()
            .setSource(wide.repeat(256))
            .setTitle(wide.repeat(1024))
            .setDescription(wide.repeat(16_384))
            .addAllAffectedResources(Collections.nCopies(128, "r"))
            .putAllLabels(pairs(64))
            .putLabels("k0", "v".repeat(1024))
            .putMetadata("k".repeat(128), "v".repeat(8192))
            .setRequestId("r".repeat(128))
            .build();
    assertThat(reader.read(request).requestId()).hasSize(128);
    assertThat(violations(() -> reader.read(create().putAllLabels(pairs(65)).build())))
        .containsOnlyKeys("labels");
    assertThat(violations(() -> reader.read(create().putAllMetadata(pairs(65)).build())))
        .containsOnlyKeys("metadata");
    assertThat(
            violations(
                () ->
                    reader.read(
                        create().addAllAffectedResources(Collections.nCopies(129, "r")).build())))
        .containsOnlyKeys("affected_resources");
  }

  @Test
  void create_asksForNeitherSeverityNorType() {
    assertThat(body(create().clearSeverity()).getSeverity())
        .isEqualTo(dev.tocsin.schemas.Severity.UNSPECIFIED);
    assertThat(body(create()).getType()).isEqualTo(dev.tocsin.schemas.IncidentType.UNKNOWN);
  }

  @Test
  void command_thatIsTooLargeAsAWholeIsRefused() {
    CreateIncidentRequest.Builder request = create();
    for (int i = 0; i < 64; i++) {
      request.putMetadata("k" + i, "v".repeat(8192));
    }
    assertThat(violations(() -> reader.read(request.build())))
        .hasEntrySatisfying("command", told -> assertThat(told).contains("at most 262,144"));
  }

  @Test
  void update_tellsEveryFault() {
    UpdateIncidentRequest request =
        UpdateIncidentRequest.newBuilder()
            .setId("x")
            .setStateValue(0)
            .setSeverityValue(9)
            .setTitle("")
            .setDescription(LONG)
            .setAssignee(LONG)
            .putLabels("a", "1")
            .putLabels("b", "\0")
            .addRemoveLabels("c")
            .addRemoveLabels("a")
            .addRemoveLabels("")
            .setRequestId("\0")
            .setExpectedRevision(-1)
            .build();
    assertThat(violations(() -> reader.read(request)))
        .containsEntry("id", "Invalid UUID")
        .containsEntry("state", "must be given")
        .containsEntry("severity", "9 is not a value of this enum")
        .containsEntry("title", "must not be empty")
        .containsEntry("description", "has 20,000 characters; at most 16,384")
        .containsEntry("assignee", "has 20,000 characters; at most 256")
        .containsEntry("labels[\"b\"]", "must not contain NUL characters")
        .containsEntry("remove_labels[1]", "is among the labels to set as well")
        .containsEntry("remove_labels[2]", "must not be empty")
        .containsEntry("request_id", "must not contain NUL characters")
        .containsEntry("expected_revision", "must not be negative")
        .hasSize(11);
  }

  @Test
  void update_refusesStatesAndSeveritiesThatAreNone() {
    assertThat(violations(() -> reader.read(update().setStateValue(7).build())))
        .containsExactly(Map.entry("state", "7 is not a value of this enum"));
    assertThat(violations(() -> reader.read(update().setSeverityValue(0).build())))
        .containsExactly(Map.entry("severity", "must be given"));
    assertThat(
            violations(
                () ->
                    reader.read(update().addAllRemoveLabels(Collections.nCopies(65, "l")).build())))
        .containsOnlyKeys("remove_labels");
  }

  @Test
  void update_ofNothingIsRefused() {
    assertThat(violations(() -> reader.read(update().setExpectedRevision(3).build())))
        .hasEntrySatisfying("update", told -> assertThat(told).contains("changes nothing"));
  }

  @Test
  void resolveAndNote_tellEveryFault() {
    var resolve =
        ResolveIncidentRequest.newBuilder()
            .setId("")
            .setResolution(LONG)
            .setRequestId(LONG)
            .setExpectedRevision(-1)
            .build();
    assertThat(violations(() -> reader.read(resolve)))
        .containsOnlyKeys("id", "resolution", "request_id", "expected_revision");
    var note =
        AddNoteRequest.newBuilder()
            .setId("1-2-3-4-5")
            .setText(LONG)
            .setRequestId(LONG)
            .setExpectedRevision(-1)
            .build();
    assertThat(violations(() -> reader.read(note)))
        .containsEntry("text", "has 20,000 characters; at most 4,096")
        .containsOnlyKeys("id", "text", "request_id", "expected_revision");
    var empty = AddNoteRequest.newBuilder().setId(TEXT).build();
    assertThat(violations(() -> reader.read(empty)))
        .containsExactly(Map.entry("text", "must not be empty"));
  }

  @Test
  void id_ofAnotherVersionIsNobodys() {
    String other = "0b0ec5c7-5a2b-4b0a-9e0e-5a2b4b0a9e0e";
    List<ThrowingCallable> reads =
        List.of(
            () -> reader.read(update().setId(other).setTitle("t").build()),
            () -> reader.read(ResolveIncidentRequest.newBuilder().setId(other).build()),
            () -> reader.read(AddNoteRequest.newBuilder().setId(other).setText("t").build()));
    reads.forEach(read -> assertThat(ServedQuery.code(read)).isEqualTo(Status.Code.NOT_FOUND));
  }
}
