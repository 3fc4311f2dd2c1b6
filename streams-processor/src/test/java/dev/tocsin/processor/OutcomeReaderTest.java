package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.proto.state.ReadOutcomeResponse.Code;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.OutcomeCode;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the asker of a command learns, over a store on disk. */
class OutcomeReaderTest {
  private static final int OUTCOMES_MAX = 3;

  private final DiskStore disk = new DiskStore();
  private final PartitionStore store = new PartitionStore(disk.bytes(), () -> 1 << 12);
  private final PartitionView view = new PartitionView(0, store, Runnable::run, 1);
  private final Fold fold = new Fold(store, event -> {});
  private final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  private final AppliedCommands commands =
      new AppliedCommands(store, view.refused(), new CommandCounts(meters));
  private long nowMs = World.START_MS;
  private int offset;

  @BeforeEach
  void begin() {
    Rules rules = DefaultRules.read();
    rules.setOutcomesMax(OUTCOMES_MAX);
    apply(LogEntries.of(new RulesActivated(rules)));
  }

  @AfterEach
  void close() {
    disk.close();
  }

  @Test
  void done_comesWithTheIncidentAsItIsNow() {
    Command create = ask(Commands.create("r", "mail"));
    assertThat(read(create).getIncident().getRevision()).isEqualTo(1);
    ask(Commands.note("s", kept(create), "seen"));
    store.flush();
    ReadOutcomeResponse response = read(create);
    assertThat(response.getFound()).isTrue();
    assertThat(response.getCode()).isEqualTo(Code.DONE);
    assertThat(response.getMessage()).isEmpty();
    assertThat(response.getIncident().getRevision()).isEqualTo(2);
    assertThat(response.getIncident().getNotes(0).getText()).isEqualTo("seen");
    assertThat(response.getAppliedOffset()).isEqualTo(offset);
  }

  @Test
  void refusal_saysWhy() {
    Command create = ask(Commands.create("r", "mail"));
    Command close = ask(Commands.move("s", kept(create), IncidentState.CLOSED));
    ReadOutcomeResponse response = read(close);
    assertThat(response.getCode()).isEqualTo(Code.FAILED_PRECONDITION);
    assertThat(response.getMessage()).contains("DETECTED cannot become CLOSED");
    assertThat(response.getIncident()).isEqualTo(read(create).getIncident());
  }

  @Test
  void notFound_hasNoIncident() {
    var unknown = Commands.unknownIncident();
    Command note = ask(Commands.note("r", unknown, "text"));
    assertThat(read(note).getCode()).isEqualTo(Code.NOT_FOUND);
    assertThat(read(note).hasIncident()).isFalse();
  }

  @Test
  void anotherCommand_underTheSameRequest_isAConflict_andTellsNothing() {
    Command create = ask(Commands.create("r", "mail"));
    Command other = ask(Commands.note("r", kept(create), "other"));
    ReadOutcomeResponse response = read(other);
    assertThat(response.getFound()).isTrue();
    assertThat(response.getCode()).isEqualTo(Code.CONFLICT);
    assertThat(response.hasIncident()).isFalse();
    assertThat(read(create).getCode()).as("the first one's stands").isEqualTo(Code.DONE);
  }

  @Test
  void request_ofAnotherWorkspace_isNotKnown() {
    Command create = ask(Commands.create("r", "mail"));
    ReadOutcomeRequest request = request(create).setWorkspace("other").build();
    assertThat(OutcomeReader.read(view, request).getFound()).isFalse();
  }

  @Test
  void beyondTheBound_itIsExhausted_whateverRoomThereIsLater() {
    for (int i = 0; i < OUTCOMES_MAX; i++) {
      ask(Commands.create("r" + i, "mail " + i));
    }
    Command refused = ask(Commands.create("one more", "disk"));
    assertThat(read(refused).getFound()).isTrue();
    assertThat(read(refused).getCode()).isEqualTo(Code.RESOURCE_EXHAUSTED);
    nowMs += DefaultRules.read().getOutcomeWindowMs();
    apply(LogEntries.tick());
    assertThat(read(refused).getCode()).as("room is there now").isEqualTo(Code.RESOURCE_EXHAUSTED);
    ask(refused);
    assertThat(read(refused).getCode()).isEqualTo(Code.DONE);
    assertThat(counted("CREATE", "RESOURCE_EXHAUSTED")).isEqualTo(1);
    assertThat(counted("CREATE", "DONE")).isEqualTo(OUTCOMES_MAX + 1);
  }

  @Test
  void outcome_thatAnOwnerBeforeRefused_isNotKnown() {
    for (int i = 0; i < OUTCOMES_MAX; i++) {
      ask(Commands.create("r" + i, "mail " + i));
    }
    Command refused = ask(Commands.create("one more", "disk"));
    PartitionView next = new PartitionView(0, store, Runnable::run, 1);
    ReadOutcomeResponse response = OutcomeReader.read(next, request(refused).build());
    assertThat(response.getFound()).isFalse();
    assertThat(response.getCode()).isEqualTo(Code.CODE_UNSPECIFIED);
  }

  @Test
  void refused_areRememberedUpToTheirBound_theNewest() {
    RefusedRequests refused = new RefusedRequests();
    for (int i = 0; i <= RefusedRequests.MAX; i++) {
      refused.add(Keys.of(i, 1));
    }
    assertThat(refused.contains(Keys.of(0, 1))).isFalse();
    assertThat(refused.contains(Keys.of(1, 1))).isTrue();
    refused.remove(Keys.of(1, 1));
    assertThat(refused.contains(Keys.of(1, 1))).isFalse();
    assertThat(refused.contains(Keys.of(RefusedRequests.MAX, 1))).isTrue();
  }

  @Test
  void commands_areCountedByKindAndOutcome() {
    Command create = ask(Commands.create("r", "mail"));
    ask(create);
    ask(Commands.note("n", kept(create), "seen"));
    ask(Commands.note("none", Commands.unknownIncident(), "text"));
    ask(Commands.move("full", kept(create), IncidentState.CLOSED));
    assertThat(counted("CREATE", "DONE")).isEqualTo(1);
    assertThat(counted("CREATE", "REPEATED")).isEqualTo(1);
    assertThat(counted("NOTE", "DONE")).isEqualTo(1);
    assertThat(counted("NOTE", "NOT_FOUND")).isEqualTo(1);
    assertThat(counted("UPDATE", "RESOURCE_EXHAUSTED")).isEqualTo(1);
  }

  private double counted(String kind, String outcome) {
    return meters
        .get("tocsin.processor.commands")
        .tags("kind", kind, "outcome", outcome)
        .counter()
        .count();
  }

  @Test
  void incident_thatHasLeft_isAbsent() {
    Rules rules = DefaultRules.read();
    rules.setVersion(2);
    rules.setRetentionMs(0);
    apply(LogEntries.of(new RulesActivated(rules)));
    Command create = ask(Commands.create("r", "mail"));
    ask(Commands.move("s", kept(create), IncidentState.RESOLVED));
    Command close = ask(Commands.move("t", kept(create), IncidentState.CLOSED));
    apply(LogEntries.tick());
    assertThat(read(close).getCode()).isEqualTo(Code.DONE);
    assertThat(read(close).hasIncident()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(OutcomeCode.class)
  void code_hasItsNamesake(OutcomeCode code) {
    assertThat(OutcomeReader.code(code).name())
        .isEqualTo(code == OutcomeCode.OTHER ? "CODE_UNSPECIFIED" : code.name());
  }

  private Command ask(Command command) {
    apply(LogEntries.of(command));
    return command;
  }

  private void apply(LogEntry entry) {
    int at = offset++;
    commands.apply(entry, () -> fold.apply(entry, at, nowMs));
  }

  private ReadOutcomeResponse read(Command command) {
    return OutcomeReader.read(view, request(command).build());
  }

  private static ReadOutcomeRequest.Builder request(Command command) {
    return ReadOutcomeRequest.newBuilder()
        .setWorkspace(command.getWorkspace())
        .setRequestId(command.getRequestId())
        .setContent(ByteString.copyFrom(command.getContent().bytes()));
  }

  private dev.tocsin.schemas.Incident kept(Command create) {
    Incident shown = read(create).getIncident();
    return store.incident(IncidentId.parse(shown.getId()).orElseThrow());
  }
}
