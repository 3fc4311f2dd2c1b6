package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Any;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.Status;
import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.IncidentType;
import dev.tocsin.proto.incidents.MergeIncidentRequest;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The commands that change incidents. */
@Timeout(60)
class ChangeCommandsTest {
  private static final String ID = "019c5a7e-6f80-8a31-9c2d-5f0b8e1d2a44";
  private static final Incident AFTER =
      Incident.newBuilder()
          .setId(ID)
          .setTitle("Shop is down \u001b[31m")
          .setState(IncidentState.INCIDENT_STATE_TRIAGED)
          .setSeverity(Severity.SEVERITY_P1)
          .setRevision(4)
          .build();

  private TestServer server;

  @BeforeEach
  void start() throws IOException {
    server = new TestServer();
    server.change = command -> AFTER;
  }

  @AfterEach
  void stop() throws InterruptedException {
    server.close();
  }

  private CommandRun run(String... args) {
    List<String> all = new ArrayList<>(List.of("--target", server.target()));
    all.addAll(List.of(args));
    return CommandRun.of(all.toArray(String[]::new));
  }

  private static StatusRuntimeException error(Code code, String message, String reason) {
    Status.Builder status = Status.newBuilder().setCode(code.getNumber()).setMessage(message);
    if (!reason.isEmpty()) {
      status.addDetails(
          Any.pack(ErrorInfo.newBuilder().setDomain("tocsin.dev").setReason(reason).build()));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }

  @Test
  void create_sendsWhatTheFlagsSay() {
    CommandRun run =
        run(
            "incident",
            "create",
            "--source",
            "desk",
            "--title",
            "Shop is down",
            "--severity",
            "P0",
            "--type",
            "AVAILABILITY",
            "--description",
            "all of it",
            "--label",
            "service=shop",
            "--metadata",
            "ticket=7",
            "--resource",
            "shop-1",
            "--idempotency-key",
            "k",
            "--request-id",
            "r1");

    assertThat(run.exitCode()).isZero();
    assertThat(server.commands)
        .containsExactly(
            CreateIncidentRequest.newBuilder()
                .setSource("desk")
                .setTitle("Shop is down")
                .setDescription("all of it")
                .setSeverity(Severity.SEVERITY_P0)
                .setType(IncidentType.INCIDENT_TYPE_AVAILABILITY)
                .putLabels("service", "shop")
                .putMetadata("ticket", "7")
                .addAffectedResources("shop-1")
                .setIdempotencyKey("k")
                .setRequestId("r1")
                .build());
    assertThat(run.out())
        .isEqualTo("created " + ID + "  TRIAGED P1  revision 4  Shop is down \ufffd[31m" + "\n");
    assertThat(run.err()).isEmpty();
  }

  @Test
  void update_sendsOnlyWhatIsGiven() {
    assertThat(run("incident", "update", ID, "--assignee", "", "--request-id", "r1").out())
        .startsWith("updated " + ID);
    run(
        "incident",
        "update",
        ID,
        "--state",
        "triaged",
        "--severity",
        "P3",
        "--title",
        "t",
        "--description",
        "d",
        "--label",
        "a=1",
        "--label",
        "b=2",
        "--remove-label",
        "c",
        "--expected-revision",
        "3",
        "--request-id",
        "r2");

    assertThat(server.commands)
        .containsExactly(
            UpdateIncidentRequest.newBuilder().setId(ID).setAssignee("").setRequestId("r1").build(),
            UpdateIncidentRequest.newBuilder()
                .setId(ID)
                .setState(IncidentState.INCIDENT_STATE_TRIAGED)
                .setSeverity(Severity.SEVERITY_P3)
                .setTitle("t")
                .setDescription("d")
                .putLabels("a", "1")
                .putLabels("b", "2")
                .addRemoveLabels("c")
                .setExpectedRevision(3)
                .setRequestId("r2")
                .build());
  }

  @Test
  void resolveAndNote_sendWhatTheySay() {
    assertThat(
            run(
                    "incident",
                    "resolve",
                    ID,
                    "--resolution",
                    "mended",
                    "--expected-revision",
                    "3",
                    "--request-id",
                    "r1")
                .out())
        .startsWith("resolved " + ID);
    assertThat(run("incident", "note", ID, "seen", "--request-id", "r2").out())
        .startsWith("noted " + ID);

    assertThat(server.commands)
        .containsExactly(
            ResolveIncidentRequest.newBuilder()
                .setId(ID)
                .setResolution("mended")
                .setExpectedRevision(3)
                .setRequestId("r1")
                .build(),
            AddNoteRequest.newBuilder().setId(ID).setText("seen").setRequestId("r2").build());
  }

  @Test
  void merge_sendsWhatItSays() {
    assertThat(run("incident", "merge", ID, "--into", "other", "--request-id", "r1").out())
        .startsWith("merged " + ID);
    assertThat(server.commands)
        .containsExactly(
            MergeIncidentRequest.newBuilder()
                .setId(ID)
                .setInto("other")
                .setRequestId("r1")
                .build());
    assertThat(run("incident", "merge", ID).exitCode()).isEqualTo(2);
  }

  @Test
  void eachOfThem_makesARequestIdAndPrintsJsonIfItIsWanted() {
    String[][] commands = {
      {"incident", "create", "--source", "s", "--title", "t", "--severity", "P1", "--json"},
      {"incident", "update", ID, "--title", "t", "--json"},
      {"--json", "incident", "resolve", ID},
      {"incident", "note", ID, "text", "--json"}
    };
    for (String[] command : commands) {
      CommandRun run = run(command);
      assertThat(run.exitCode()).isZero();
      assertThat(run.json().get("id").getAsString()).isEqualTo(ID);
      assertThat(run.json().get("revision").getAsString()).isEqualTo("4");
    }
    assertThat(server.commands)
        .extracting(
            command ->
                (String)
                    command.getField(command.getDescriptorForType().findFieldByName("request_id")))
        .doesNotHaveDuplicates()
        .allMatch(id -> UUID.fromString(id).toString().equals(id));
  }

  @Test
  void unknownOutcome_saysHowToAskAgain() {
    server.refusal = error(Code.UNAVAILABLE, "the owner is away", "OUTCOME_UNKNOWN");
    CommandRun run = run("incident", "note", ID, "seen", "--request-id", "r1");

    assertThat(run.exitCode()).isEqualTo(64 + 14);
    assertThat(run.out()).isEmpty();
    assertThat(run.err().lines())
        .containsExactly(
            "tocsin: UNAVAILABLE: the owner is away",
            "Whether it took effect is not known. Ask again with --request-id r1: it takes effect once.");
  }

  @Test
  void noAnswerInTime_isAnUnknownOutcomeUnderTheRequestIdThatWasMade() {
    server.change = command -> null;
    CommandRun run = run("--timeout", "300ms", "incident", "resolve", ID);

    assertThat(run.exitCode()).isEqualTo(64 + 4);
    String sent = ((ResolveIncidentRequest) server.commands.get(0)).getRequestId();
    assertThat(run.err()).contains("DEADLINE_EXCEEDED", "Ask again with --request-id " + sent);
  }

  @Test
  void sureFailure_doesNotSayThatItIsUnknown() {
    server.refusal = error(Code.UNAVAILABLE, "the log is away", "NOT_APPENDED");
    assertThat(run("incident", "note", ID, "seen").err()).doesNotContain("not known");
    server.refusal = error(Code.ABORTED, "it is at revision 5", "REVISION_STALE");
    CommandRun stale = run("incident", "update", ID, "--title", "t", "--expected-revision", "4");
    assertThat(stale.exitCode()).isEqualTo(64 + 10);
    assertThat(stale.err().trim()).isEqualTo("tocsin: ABORTED: it is at revision 5");
    server.refusal = error(Code.FAILED_PRECONDITION, "CLOSED is final", "");
    CommandRun forbidden = run("incident", "update", ID, "--state", "TRIAGED");
    assertThat(forbidden.exitCode()).isEqualTo(64 + 9);
    assertThat(forbidden.err()).doesNotContain("not known");
    server.refusal = error(Code.NOT_FOUND, "there is no incident", "");
    assertThat(run("incident", "resolve", ID).exitCode()).isEqualTo(64 + 5);
  }

  @Test
  void noServer_isSaidAndNothingIsUnknown() throws InterruptedException {
    server.close();
    CommandRun run = run("incident", "resolve", ID);
    assertThat(run.exitCode()).isEqualTo(64 + 14);
    assertThat(run.err()).contains("Connection refused").doesNotContain("not known");
  }

  @Test
  void output_isColouredForNobody() {
    String[] args = {"--target", server.target(), "incident", "resolve", ID};
    CommandRun shown = CommandRun.with(new ByteArrayInputStream(new byte[0]), true, args);
    assertThat(shown.out()).doesNotContain("\u001b");
  }

  @Test
  void wrongUsage_isTwo() {
    assertThat(run("incident", "update").exitCode()).isEqualTo(2);
    assertThat(run("incident", "update", ID, "--state", "ODD").err()).contains("'ODD' is none of");
    assertThat(run("incident", "create", "--severity", "P9").exitCode()).isEqualTo(2);
    assertThat(run("incident", "note", ID).exitCode()).isEqualTo(2);
    assertThat(run("incident", "resolve", ID, "--expected-revision", "x").exitCode()).isEqualTo(2);
    assertThat(server.commands).isEmpty();
  }

  @Test
  void help_tellsTheExitCodes() {
    assertThat(CommandRun.of("incident", "update", "--help").out())
        .contains("Exit codes", "69", "there is no such incident", "73", "74", "68, 78");
    assertThat(CommandRun.of("incident", "note", "--help").out()).contains("Exit codes", "74");
  }
}
