package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentEventType;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class IncidentWatchCommandTest {
  private TestServer server;

  @BeforeEach
  void open() throws Exception {
    server = new TestServer();
  }

  @AfterEach
  void close() throws Exception {
    server.close();
  }

  private static IncidentEvent event(IncidentEventType type, String id, String token) {
    return IncidentEvent.newBuilder()
        .setEventType(type)
        .setIncidentId(id)
        .setIncident(
            Incident.newBuilder()
                .setId(id)
                .setTitle("title of " + id)
                .setSource("disk\u001b[2J")
                .setSeverity(Severity.SEVERITY_P1)
                .setState(IncidentState.INCIDENT_STATE_DETECTED)
                .setOccurrences(3))
        .setAt(Timestamp.newBuilder().setSeconds(1_800_000_000))
        .setResumeToken(token)
        .build();
  }

  private static IncidentEvent sign(IncidentEventType type, String token) {
    return IncidentEvent.newBuilder().setEventType(type).setResumeToken(token).build();
  }

  /** The next call sends these and ends so. */
  private void then(Status end, IncidentEvent... events) {
    server.streams.add(
        replies -> {
          List.of(events).forEach(replies::onNext);
          replies.onError(end.asRuntimeException());
        });
  }

  private String[] watch(String... more) {
    String[] args = new String[4 + more.length];
    args[0] = "--target";
    args[1] = server.target();
    args[2] = "incident";
    args[3] = "watch";
    System.arraycopy(more, 0, args, 4, more.length);
    return args;
  }

  @Test
  void watch_printsALineForEachIncidentAndNoneForSigns() {
    then(
        Status.PERMISSION_DENIED,
        event(IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT, "a", ""),
        sign(IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE, "t1"),
        sign(IncidentEventType.INCIDENT_EVENT_TYPE_HEARTBEAT, "t2"),
        event(IncidentEventType.INCIDENT_EVENT_TYPE_LEFT_FILTER, "a", "t3"));
    CommandRun run = CommandRun.of(watch("--state", "open", "--min-severity", "p2"));
    assertThat(run.exitCode()).isEqualTo(64 + 7);
    assertThat(run.out().lines())
        .containsExactly(
            "2027-01-15T08:00:00Z  IS           P1  DETECTED       a  ×3  disk\ufffd[2J  title of a",
            "2027-01-15T08:00:00Z  LEFT         P1  DETECTED       a  ×3  disk\ufffd[2J  title of a");
    assertThat(server.watches.get(0).getStatesCount()).isEqualTo(4);
    assertThat(server.watches.get(0).getMinSeverityList()).containsExactly(Severity.SEVERITY_P2);
  }

  @Test
  void watch_isColouredOnATerminalOnly() {
    then(Status.INTERNAL, event(IncidentEventType.INCIDENT_EVENT_TYPE_RESOLVED, "a", "t"));
    CommandRun shown =
        CommandRun.with(new ByteArrayInputStream(new byte[0]), true, watch("--live-only"));
    assertThat(shown.out()).contains("\u001b[32mRESOLVED");
    assertThat(server.watches.get(0).getLiveOnly()).isTrue();
  }

  @Test
  void watch_asJsonPrintsEachEventButHeartbeats() {
    then(
        Status.INTERNAL,
        event(IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT, "a", ""),
        sign(IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE, "t1"),
        sign(IncidentEventType.INCIDENT_EVENT_TYPE_HEARTBEAT, "t2"));
    CommandRun run = CommandRun.of(watch("--json"));
    List<String> lines = run.out().lines().toList();
    assertThat(lines).hasSize(2);
    assertThat(
            JsonParser.parseString(lines.get(1))
                .getAsJsonObject()
                .get("resume_token")
                .getAsString())
        .isEqualTo("t1");
  }

  @Test
  void watch_goesOnWithItsLastTokenWhenTheServerComesBack() {
    then(
        Status.UNAVAILABLE.withDescription("the service stops"),
        sign(IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE, "t1"),
        event(IncidentEventType.INCIDENT_EVENT_TYPE_CREATED, "a", "t2"));
    server.streams.add(replies -> replies.onCompleted());
    then(Status.INTERNAL, event(IncidentEventType.INCIDENT_EVENT_TYPE_UPDATED, "a", "t3"));
    CommandRun run = CommandRun.of(watch());
    assertThat(run.exitCode()).isEqualTo(64 + 13);
    assertThat(server.watches.stream().map(each -> each.getResumeToken()))
        .containsExactly("", "t2", "t2");
    assertThat(run.out().lines()).hasSize(2);
    assertThat(run.err())
        .contains("UNAVAILABLE: the service stops; going on where it was")
        .contains("the stream ended");
  }

  @Test
  void watch_withoutATokenYetBeginsAnew() {
    then(Status.UNAVAILABLE, event(IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT, "a", ""));
    then(Status.INTERNAL);
    CommandRun run = CommandRun.of(watch());
    assertThat(run.err()).contains("beginning anew");
    assertThat(server.watches.get(1).getResumeToken()).isEmpty();
  }

  @Test
  void tokenFile_keepsTheLastTokenForTheNextRun(@TempDir Path folder) throws Exception {
    Path file = folder.resolve("token");
    then(
        Status.INTERNAL,
        sign(IncidentEventType.INCIDENT_EVENT_TYPE_SNAPSHOT_COMPLETE, "t1"),
        event(IncidentEventType.INCIDENT_EVENT_TYPE_CREATED, "a", "t2"));
    CommandRun.of(watch("--token-file", file.toString()));
    assertThat(Files.readString(file)).isEqualTo("t2\n");
    then(Status.OUT_OF_RANGE.withDescription("too old"));
    CommandRun run = CommandRun.of(watch("--token-file", file.toString()));
    assertThat(server.watches.get(1).getResumeToken()).isEqualTo("t2");
    assertThat(run.exitCode()).isEqualTo(64 + 11);
    assertThat(run.err()).contains("too old; remove " + file + " to begin anew");
  }

  @Test
  void resume_isSentAndExcludesTheFile() {
    then(Status.INVALID_ARGUMENT);
    assertThat(CommandRun.of(watch("--resume", "t9")).exitCode()).isEqualTo(64 + 3);
    assertThat(server.watches.get(0).getResumeToken()).isEqualTo("t9");
    assertThat(CommandRun.of(watch("--resume", "t9", "--token-file", "f")).exitCode()).isEqualTo(2);
  }
}
