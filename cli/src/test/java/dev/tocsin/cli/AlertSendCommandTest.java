package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonParser;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import io.grpc.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class AlertSendCommandTest {
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
  void send_sendsWhatTheFlagsSay() {
    CommandRun run =
        send(
            "--id=7",
            "--source=disk",
            "--title=Disk full",
            "--description=of db-3",
            "--severity=p2",
            "--type=performance",
            "--label=service=db",
            "--label",
            "expr=a=b",
            "--annotation=run=book",
            "--resource=sda",
            "--resource=sdb",
            "--dedup-key=key",
            "--resolved",
            "--fired-at=2026-11-20T17:00:00+01:00",
            "--ends-at=2026-11-20T16:30:00Z");

    assertThat(run.exitCode()).isZero();
    AlertMessage alert = server.received.get(0);
    assertThat(JsonParser.parseString(ProtoJson.line(alert)))
        .isEqualTo(
            JsonParser.parseString(
                """
            {"alert_id":"7","source":"disk","title":"Disk full","description":"of db-3",\
            "severity":"SEVERITY_P2","type":"INCIDENT_TYPE_PERFORMANCE",\
            "labels":{"service":"db","expr":"a=b"},"annotations":{"run":"book"},\
            "affected_resources":["sda","sdb"],"dedup_key":"key","status":"RESOLVED",\
            "fired_at":"2026-11-20T16:00:00Z","ends_at":"2026-11-20T16:30:00Z"}"""));
    assertThat(run.out().trim())
        .isEqualTo("accepted 7  fingerprint 00112233445566778899aabbccddeeff  position 3/1/0");
  }

  @Test
  void send_takesNumbersOfEnums() {
    send("--source=s", "--title=t", "--severity=2", "--type=5");

    assertThat(server.received.get(0).getSeverityValue()).isEqualTo(2);
    assertThat(server.received.get(0).getTypeValue()).isEqualTo(5);
  }

  @Test
  void send_asJson_printsTheAck() {
    CommandRun run = send("--source=s", "--title=t", "--json");

    assertThat(run.json().get("status").getAsString()).isEqualTo("ACCEPTED");
    assertThat(run.json().getAsJsonObject("position").get("index").getAsInt()).isZero();
  }

  @Test
  void send_takesTheAlertFromJson_andFlagsAddToIt() {
    CommandRun run =
        send(
            "--json",
            "{\"alert_id\":\"a\",\"source\":\"s\",\"labels\":{\"k\":\"v\"}}",
            "--title=t");

    assertThat(run.exitCode()).isZero();
    assertThat(run.json().get("alert_id").getAsString()).isEqualTo("a");
    assertThat(server.received.get(0).getTitle()).isEqualTo("t");
    assertThat(server.received.get(0).getLabelsMap()).containsEntry("k", "v");
  }

  @Test
  void send_refusesWhatIsNoAlert_withoutSending() {
    assertThat(send("--json", "{broken").exitCode()).isEqualTo(2);
    assertThat(send("--json", "{\"titel\":\"t\"}").err()).contains("titel");
    assertThat(send("--severity=P7").err()).contains("'P7' is none of P0|1");
    assertThat(send("--type=ODD").exitCode()).isEqualTo(2);
    assertThat(send("--fired-at=yesterday").err()).contains("is no time with an offset");
    assertThat(send("--label=novalue").exitCode()).isEqualTo(2);
    assertThat(server.received).isEmpty();
  }

  @Test
  void send_failsWithTheServersStatus() {
    server.submit =
        alert -> {
          throw Status.RESOURCE_EXHAUSTED.withDescription("over quota").asRuntimeException();
        };
    CommandRun run = send("--source=s", "--title=t");

    assertThat(run.exitCode()).isEqualTo(64 + 8);
    assertThat(run.err().trim()).isEqualTo("tocsin: RESOURCE_EXHAUSTED: over quota");
    assertThat(run.out()).isEmpty();
  }

  @Test
  void send_doesNotTakeAnotherStatusForASuccess() {
    server.submit = alert -> TestServer.ack(alert, AlertAck.Status.REJECTED).build();

    assertThat(send("--source=s", "--title=t").exitCode()).isEqualTo(1);
  }

  @Test
  void send_timesOut() {
    server.submit = alert -> null;
    CommandRun run = send("--source=s", "--title=t", "--timeout=200ms");

    assertThat(run.exitCode()).isEqualTo(64 + 4);
    assertThat(run.err()).startsWith("tocsin: DEADLINE_EXCEEDED");
  }

  @Test
  void send_toNobody_tellsHowToStartOne() throws InterruptedException {
    server.close();
    CommandRun run = send("--source=s", "--title=t");

    assertThat(run.exitCode()).isEqualTo(64 + 14);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.err()).contains("Connection refused").contains("./tocsin up");
  }

  private CommandRun send(String... args) {
    List<String> all = new ArrayList<>(List.of("alert", "send", "--target", server.target()));
    all.addAll(List.of(args));
    return CommandRun.of(all.toArray(String[]::new));
  }
}
