package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.Timestamp;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.Code;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentAlert;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.IncidentType;
import dev.tocsin.proto.incidents.Note;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.Staleness;
import dev.tocsin.proto.incidents.TimelineEntry;
import io.grpc.protobuf.StatusProto;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class IncidentCommandsTest {
  private TestServer server;

  @BeforeEach
  void start() throws IOException {
    server = new TestServer();
  }

  @AfterEach
  void stop() throws InterruptedException {
    server.close();
  }

  @Test
  void list_printsATable() {
    server.incidents.add(incident(1).setTitle("Disk full").build());
    server.incidents.add(
        incident(2)
            .setSource("a source with a name that is far too long for a column")
            .setTitle("Very ".repeat(100) + "long")
            .setState(IncidentState.INCIDENT_STATE_RESOLVED)
            .build());
    CommandRun run = run("incident", "list");

    assertThat(run.exitCode()).isZero();
    assertThat(run.err()).isEmpty();
    List<String> lines = run.out().lines().toList();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(0)).matches("ID +SEV +STATE +SOURCE +COUNT +ALERTS +LAST SEEN +TITLE");
    assertThat(lines.get(1))
        .contains("00000000-0000-8000-8000-000000000001  P1   DETECTED  disk ")
        .endsWith("2026-11-20T16:00:00Z  Disk full");
    assertThat(lines.get(2))
        .contains("RESOLVED")
        .contains("a source with a name th…")
        .endsWith(" long");
    assertThat(lines.get(1).indexOf("2026-")).isEqualTo(lines.get(2).indexOf("2026-"));
    assertThat(lines.get(0).indexOf("LAST SEEN")).isEqualTo(lines.get(1).indexOf("2026-"));
  }

  @Test
  void list_isColouredForAPersonOnly_andNeverByWhatAnAlertSays() {
    server.incidents.add(incident(1).setTitle("red \u001b[31m alert\nsecond line").build());
    String[] args = {"incident", "list", "--target", server.target()};
    CommandRun shown = CommandRun.with(new ByteArrayInputStream(new byte[0]), true, args);
    CommandRun plain = CommandRun.with(new ByteArrayInputStream(new byte[0]), false, args);

    assertThat(shown.out()).contains("\u001b[31mP1\u001b[0m").doesNotContain("red \u001b");
    assertThat(plain.out()).doesNotContain("\u001b");
    assertThat(plain.out().lines()).hasSize(2);
  }

  @Test
  void list_keepsToTheTerminalsWidth() {
    server.incidents.add(incident(1).setTitle("Very ".repeat(100) + "long").build());
    String[] args = {"incident", "list", "--target", server.target()};
    CommandRun shown = CommandRun.with(new ByteArrayInputStream(new byte[0]), true, args);

    assertThat(shown.out().replaceAll("\u001b\\[\\d+m", "").lines().toList().get(1))
        .hasSize(120)
        .endsWith("…");
  }

  @Test
  void list_followsThePagesToTheLimit_andSaysThatThereIsMore() {
    for (int i = 0; i < 30; i++) {
      server.incidents.add(incident(i).build());
    }
    CommandRun run = run("incident", "list", "--page-size", "10", "--limit", "25", "--json");

    assertThat(run.out().lines()).hasSize(25);
    assertThat(run.err()).contains("the newest 25; there are more");
    assertThat(server.lists).hasSize(3);
    assertThat(server.lists.get(2).getPageSize()).isEqualTo(5);
    assertThat(server.lists.get(2).getPageToken()).isEqualTo("20");
  }

  @Test
  void reads_sayThatAStandbyAnswered_andHowFarBehindAtMost() {
    for (int i = 0; i < 30; i++) {
      server.incidents.add(incident(i).build());
    }
    assertThat(run("incident", "list").err()).isEmpty();
    server.standby.addAll(List.of(staleness(7, 250), staleness(3, 1_500), staleness(9, 0)));
    assertThat(run("incident", "list", "--page-size", "10", "--limit", "0", "--json").err())
        .containsOnlyOnce("a standby answered, 3 entries and at most 1.5 s behind");

    String id = server.incidents.get(1).getId();
    assertThat(run("incident", "get", id).err()).isEmpty();
    server.standby.add(staleness(1_000, 40));
    assertThat(run("incident", "get", id).err()).contains("1,000 entries and at most 0.0 s");
  }

  private static Staleness staleness(long entries, int ms) {
    return Staleness.newBuilder()
        .setEntries(entries)
        .setAge(Duration.newBuilder().setSeconds(ms / 1_000).setNanos(ms % 1_000 * 1_000_000))
        .build();
  }

  @Test
  void list_withoutLimit_readsAllPages() {
    for (int i = 0; i < 30; i++) {
      server.incidents.add(incident(i).build());
    }
    CommandRun run = run("incident", "list", "--page-size", "7", "--limit", "0", "--json");

    assertThat(run.err()).isEmpty();
    assertThat(run.out().lines())
        .hasSize(30)
        .allSatisfy(
            line -> {
              var json = JsonParser.parseString(line).getAsJsonObject();
              assertThat(json.get("state").getAsString()).isEqualTo("INCIDENT_STATE_DETECTED");
              assertThat(json.get("active_alerts").getAsString()).isEqualTo("0");
            });
  }

  @Test
  void list_asksForWhatTheFlagsSay() {
    run("incident", "list", "--state", "open,resolved", "--severity", "P0,2", "--source", "disk");
    run("incident", "list", "--include-suppressed");

    assertThat(server.lists.get(1).getIncludeSuppressed()).isTrue();
    var request = server.lists.get(0);
    assertThat(request.getIncludeSuppressed()).isFalse();
    assertThat(request.getStatesValueList()).containsExactly(1, 2, 3, 4, 5);
    assertThat(request.getSeveritiesValueList()).containsExactly(1, 2);
    assertThat(request.getSource()).isEqualTo("disk");
  }

  @Test
  void list_ofNothing_saysSo() {
    CommandRun run = run("incident", "list");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains("no such incidents");
    assertThat(run("incident", "list", "--json").err()).isEmpty();
  }

  @Test
  void list_refusesSenselessFlags() {
    assertThat(run("incident", "list", "--state", "ODD").err()).contains("'ODD' is none of");
    assertThat(run("incident", "list", "--severity", "P9").exitCode()).isEqualTo(2);
    assertThat(run("incident", "list", "--page-size", "0").exitCode()).isEqualTo(2);
    assertThat(run("incident", "list", "--page-size", "1001").exitCode()).isEqualTo(2);
    assertThat(run("incident", "list", "--limit", "-1").exitCode()).isEqualTo(2);
    assertThat(server.lists).isEmpty();
  }

  @Test
  void list_showsEveryDetailOfAnError() {
    server.refusal =
        StatusProto.toStatusRuntimeException(
            Status.newBuilder()
                .setCode(Code.INVALID_ARGUMENT_VALUE)
                .setMessage("2 fields are invalid")
                .addDetails(
                    Any.pack(
                        BadRequest.newBuilder()
                            .addFieldViolations(violation("page", "must not be negative"))
                            .addFieldViolations(violation("page_token", "is of another filter"))
                            .build()))
                .build());
    CommandRun run = run("incident", "list");

    assertThat(run.exitCode()).isEqualTo(64 + 3);
    assertThat(run.err().lines())
        .containsExactly(
            "tocsin: INVALID_ARGUMENT: 2 fields are invalid",
            "  page: must not be negative",
            "  page_token: is of another filter");
  }

  @Test
  void list_saysWhenToTryAgain() {
    server.refusal =
        StatusProto.toStatusRuntimeException(
            Status.newBuilder()
                .setCode(Code.UNAVAILABLE_VALUE)
                .setMessage("partition 3 has no owner")
                .addDetails(
                    Any.pack(
                        RetryInfo.newBuilder()
                            .setRetryDelay(Duration.newBuilder().setSeconds(2))
                            .build()))
                .build());
    CommandRun run = run("incident", "list");

    assertThat(run.exitCode()).isEqualTo(64 + 14);
    assertThat(run.err().trim())
        .isEqualTo("tocsin: UNAVAILABLE: partition 3 has no owner (try again in 2.00 s)");
  }

  @Test
  void get_showsAnIncidentWithItsHistory() {
    Position position = Position.newBuilder().setPartition(2).setOffset(1043).setIndex(5).build();
    server.incidents.add(
        incident(1)
            .setOccurrences(12_345)
            .putLabels("service", "db")
            .addAlerts(IncidentAlert.newBuilder().setTitle("Disk full").setAlertId("disk-7"))
            .addTimeline(
                TimelineEntry.newBuilder()
                    .setKind(TimelineEntry.Kind.OPENED)
                    .setText("Disk full")
                    .setPosition(position))
            .addTimeline(TimelineEntry.newBuilder().setKind(TimelineEntry.Kind.ALERT_EXPIRED))
            .setOpenedAtPosition(position)
            .build());
    CommandRun run = run("incident", "get", "00000000-0000-8000-8000-000000000001");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .contains("state        DETECTED")
        .contains("labels       service=db")
        .contains("occurrences  12,345")
        .contains("alert disk-7")
        .contains("opened at    2/1043/5")
        .contains("OPENED           Disk full  (at 2/1043/5)")
        .contains("ALERT_EXPIRED      (by time)");
  }

  @Test
  void get_asJson_isTheIncident() {
    server.incidents.add(incident(1).setOccurrences(5).build());
    CommandRun run = run("--json", "incident", "get", "00000000-0000-8000-8000-000000000001");

    assertThat(run.json().get("occurrences").getAsString()).isEqualTo("5");
    assertThat(run.json().get("last_seen").getAsString()).isEqualTo("2026-11-20T16:00:00Z");
  }

  @Test
  void get_ofNobodysIncident_fails() {
    CommandRun run = run("incident", "get", "x");

    assertThat(run.exitCode()).isEqualTo(64 + 5);
    assertThat(run.err().trim()).isEqualTo("tocsin: NOT_FOUND: no such incident");
    assertThat(run.out()).isEmpty();
  }

  @Test
  void get_showsNotesAndWhoDidWhat() {
    server.incidents.add(
        incident(1)
            .setNotesAdded(3)
            .addNotes(Note.newBuilder().setAuthor("ada").setText("seen\u001b[31m"))
            .addTimeline(
                TimelineEntry.newBuilder()
                    .setKind(TimelineEntry.Kind.ASSIGNED)
                    .setText("ada")
                    .setActor("bo"))
            .build());
    CommandRun run = run("incident", "get", "00000000-0000-8000-8000-000000000001");

    assertThat(run.out())
        .contains(
            "(2 older notes are not kept)", "ada: seen\ufffd[31m", "ASSIGNED         ada (by bo)");
  }

  @Test
  void digest_printsPartitionsAndTheTotal() {
    CommandRun run = run("digest");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out().lines()).hasSize(3);
    assertThat(run.out().lines().toList().get(2)).startsWith("total").endsWith("e".repeat(32));
  }

  @Test
  void digest_asJson_isTheAnswer() {
    CommandRun run = run("digest", "--json");

    assertThat(run.json().get("exact").getAsString()).isEqualTo("e".repeat(32));
    assertThat(run.json().getAsJsonArray("partitions")).hasSize(1);
  }

  private CommandRun run(String... args) {
    List<String> all = new ArrayList<>(List.of("--target", server.target()));
    all.addAll(List.of(args));
    return CommandRun.of(all.toArray(String[]::new));
  }

  private static Incident.Builder incident(int number) {
    Timestamp time = Timestamp.newBuilder().setSeconds(1795190400L).build();
    return Incident.newBuilder()
        .setId("00000000-0000-8000-8000-%012d".formatted(number))
        .setTitle("title")
        .setSource("disk")
        .setSeverity(Severity.SEVERITY_P1)
        .setType(IncidentType.INCIDENT_TYPE_INFRASTRUCTURE)
        .setState(IncidentState.INCIDENT_STATE_DETECTED)
        .setOccurrences(3)
        .setDistinctAlerts(2)
        .setLastSeen(time);
  }

  private static FieldViolation violation(String field, String description) {
    return FieldViolation.newBuilder().setField(field).setDescription(description).build();
  }
}
