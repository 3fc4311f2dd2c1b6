package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.AlertSighting;
import dev.tocsin.proto.incidents.ExplainAlertResponse;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.Severity;
import io.grpc.Status;
import java.io.IOException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AlertExplainCommandTest {
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
  void explain_tellsEachSightingInPlainWords() {
    Timestamp time = Timestamp.newBuilder().setSeconds(1795190400L).build();
    AlertSighting joined =
        AlertSighting.newBuilder()
            .setPosition(Position.newBuilder().setPartition(2).setOffset(1044).setIndex(3))
            .setEffect(AlertSighting.Effect.JOINED)
            .setExplanation("joined incident 019c, opened at 2-1043, because its group had it open")
            .setIncidentId("019c")
            .setLoggedAt(time)
            .setFiredAt(time)
            .setStatus(AlertSighting.Status.FIRING)
            .setTitle("Disk \u001b[31mfull")
            .setSeverity(Severity.SEVERITY_P1)
            .setFingerprint("f".repeat(32))
            .setRule("disks")
            .setRulesVersion(4)
            .build();
    server.explanation =
        ExplainAlertResponse.newBuilder()
            .addSightings(joined)
            .addSightings(AlertSighting.newBuilder().setExplanation("was applied by software"))
            .setSightingsLeftOut(1_234)
            .build();
    CommandRun run = run("alert", "explain", "disk", "a-1");

    assertThat(run.exitCode()).isZero();
    assertThat(run.err()).isEmpty();
    assertThat(server.explained.get(0).getSource()).isEqualTo("disk");
    assertThat(server.explained.get(0).getAlertId()).isEqualTo("a-1");
    assertThat(run.out().lines())
        .containsExactly(
            "FIRING joined incident 019c, opened at 2-1043, because its group had it open",
            "  title        Disk \ufffd[31mfull",
            "  severity     P1",
            "  incident     019c",
            "  position     2/1044/3",
            "  fired        2026-11-20T16:00:00Z",
            "  logged       2026-11-20T16:00:00Z",
            "  fingerprint  " + "f".repeat(32),
            "  rule         disks, version 4 of the rules",
            "",
            "was applied by software",
            "",
            "(1,234 older sightings are left out)");
  }

  @Test
  void explain_asJson_isTheAnswer() {
    server.explanation =
        ExplainAlertResponse.newBuilder()
            .addSightings(AlertSighting.newBuilder().setEffect(AlertSighting.Effect.STALE))
            .build();
    CommandRun run = run("alert", "explain", "disk", "a-1", "--json");

    var sighting = run.json().getAsJsonArray("sightings").get(0).getAsJsonObject();
    assertThat(sighting.get("effect").getAsString()).isEqualTo("STALE");
    assertThat(sighting.get("rules_version").getAsInt()).isZero();
  }

  @Test
  void explain_ofWhatNobodyRemembers_fails() {
    server.refusal = Status.NOT_FOUND.withDescription("no alert a-1").asRuntimeException();
    CommandRun run = run("alert", "explain", "disk", "a-1");

    assertThat(run.exitCode()).isEqualTo(64 + 5);
    assertThat(run.err().trim()).isEqualTo("tocsin: NOT_FOUND: no alert a-1");
    assertThat(run.out()).isEmpty();
  }

  @Test
  void explain_wantsSourceAndId() {
    assertThat(run("alert", "explain", "disk").exitCode()).isEqualTo(2);
    assertThat(server.explained).isEmpty();
  }

  private CommandRun run(String... args) {
    String[] all = new String[args.length + 2];
    all[0] = "--target";
    all[1] = server.target();
    System.arraycopy(args, 0, all, 2, args.length);
    return CommandRun.of(all);
  }
}
