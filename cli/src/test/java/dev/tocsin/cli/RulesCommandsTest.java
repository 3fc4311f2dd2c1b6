package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import com.google.rpc.BadRequest;
import com.google.rpc.Code;
import dev.tocsin.proto.admin.ActivateRulesRequest;
import dev.tocsin.proto.admin.ActivateRulesResponse;
import dev.tocsin.proto.admin.AdminGrpc;
import dev.tocsin.proto.admin.GetProgressRequest;
import dev.tocsin.proto.admin.GetProgressResponse;
import dev.tocsin.proto.admin.GetRulesRequest;
import dev.tocsin.proto.admin.GetRulesResponse;
import dev.tocsin.proto.admin.ListRulesVersionsRequest;
import dev.tocsin.proto.admin.ListRulesVersionsResponse;
import dev.tocsin.proto.admin.PartitionProgress;
import dev.tocsin.proto.admin.RulesGrpc;
import dev.tocsin.proto.admin.RulesVersion;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RulesCommandsTest {
  @TempDir Path folder;

  private final AtomicInteger looks = new AtomicInteger();
  private int appliedAfterLooks = 3;
  private ActivateRulesRequest asked;
  private Server server;

  @BeforeEach
  void open() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(new Rules())
            .addService(new Progress())
            .build()
            .start();
  }

  @AfterEach
  void close() {
    server.shutdownNow();
  }

  @Test
  void activate_sendsTheDocument_andWaitsUntilItIsAppliedEverywhere() throws IOException {
    CommandRun run = run("rules", "activate", "--expected", "4", file("rules: []\n"));
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).isEqualTo("version 5 is active\n");
    assertThat(asked.getDocument()).isEqualTo("rules: []\n");
    assertThat(asked.getExpectedVersion()).isEqualTo(4);
    assertThat(looks).hasValue(3);
  }

  @Test
  void activate_saysWhereNothingWasChanged_alsoAsJson() {
    byte[] same = "same".getBytes(StandardCharsets.UTF_8);
    CommandRun run =
        CommandRun.with(
            new ByteArrayInputStream(same), false, "--target", target(), "rules", "activate", "-");
    assertThat(run.out()).isEqualTo("version 5 is active, as it was before\n");
    CommandRun json =
        CommandRun.with(
            new ByteArrayInputStream(same),
            false,
            "--target",
            target(),
            "rules",
            "activate",
            "-",
            "--json");
    assertThat(json.json().get("version").getAsInt()).isEqualTo(5);
  }

  @Test
  void activate_tellsEveryFault() throws IOException {
    CommandRun run = run("rules", "activate", file("broken"));
    assertThat(run.exitCode()).isEqualTo(Failure.GRPC_BASE + Status.Code.INVALID_ARGUMENT.value());
    assertThat(run.err()).contains("\n  1:1: rule: no such key\n  7:3: close_after: what");
    assertThat(looks).hasValue(0);
  }

  @Test
  void activate_thatIsNotAppliedInTime_fails() throws IOException {
    appliedAfterLooks = Integer.MAX_VALUE;
    CommandRun run = run("--timeout", "1s", "rules", "activate", file("{}"));
    assertThat(run.exitCode()).isEqualTo(Failure.WORK_FAILED);
    assertThat(run.err())
        .contains(
            "version 5 is activated, but not applied everywhere after 1 s: 1 of 2 partitions");
  }

  @Test
  void activate_ofNoFile_orNoText_fails() throws IOException {
    CommandRun missing = run("rules", "activate", folder.resolve("none").toString());
    assertThat(missing.exitCode()).isEqualTo(Failure.WORK_FAILED);
    assertThat(missing.err()).contains("none: no such file");
    Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xC3, 0x28});
    assertThat(run("rules", "activate", binary.toString()).err()).contains("is not UTF-8");
  }

  @Test
  void show_printsTheDocumentAlone_onStandardOutput() {
    CommandRun run = run("rules", "show");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).isEqualTo("# mine\nrules: []\ufffd\n");
    assertThat(run.err()).contains("version 5, active, 7 rules");
    assertThat(run("rules", "show", "--json").json().get("document").getAsString())
        .startsWith("# mine");
  }

  @Test
  void show_ofAnotherVersion() {
    CommandRun run = run("rules", "show", "--version", "1");
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains("version 1, the rules that a log begins with");
    assertThat(run("rules", "show", "--version", "9").exitCode())
        .isEqualTo(Failure.GRPC_BASE + Status.Code.NOT_FOUND.value());
  }

  @Test
  void versions_areATable_orJson() {
    assertThat(run("rules", "versions").out().lines())
        .containsExactly(
            "VERSION  ACTIVE  RULES  PUBLISHED",
            "      5  yes         7  2026-11-21T08:00:00Z",
            "      1              0  1970-01-01T00:00:00Z");
    assertThat(run("rules", "versions", "--json").json().getAsJsonArray("versions")).hasSize(2);
  }

  @Test
  void check_isTheLaunchers() {
    CommandRun run = CommandRun.of("rules", "check", "some.yaml");
    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err()).contains("./tocsin rules check");
    assertThat(CommandRun.of("rules").err()).contains("check, show, activate, versions");
  }

  private String file(String text) throws IOException {
    return Files.writeString(folder.resolve("rules.yaml"), text).toString();
  }

  private String target() {
    return "127.0.0.1:" + server.getPort();
  }

  private CommandRun run(String... args) {
    return CommandRun.of(
        Stream.concat(Stream.of("--target", target()), Stream.of(args)).toArray(String[]::new));
  }

  private final class Progress extends AdminGrpc.AdminImplBase {
    @Override
    public void getProgress(
        GetProgressRequest request, StreamObserver<GetProgressResponse> replies) {
      boolean applied = looks.incrementAndGet() >= appliedAfterLooks;
      replies.onNext(
          GetProgressResponse.newBuilder()
              .addPartitions(PartitionProgress.newBuilder().setRulesVersion(5))
              .addPartitions(PartitionProgress.newBuilder().setRulesVersion(applied ? 6 : 4))
              .build());
      replies.onCompleted();
    }
  }

  private final class Rules extends RulesGrpc.RulesImplBase {
    private static final RulesVersion FIRST = RulesVersion.newBuilder().setVersion(1).build();
    private static final RulesVersion FIFTH =
        RulesVersion.newBuilder()
            .setVersion(5)
            .setActive(true)
            .setRules(7)
            .setPublishedAt(Timestamp.newBuilder().setSeconds(1_795_248_000))
            .build();

    @Override
    public void activateRules(
        ActivateRulesRequest request, StreamObserver<ActivateRulesResponse> replies) {
      asked = request;
      if (request.getDocument().equals("broken")) {
        BadRequest faults =
            BadRequest.newBuilder()
                .addFieldViolations(fault("1:1", "rule: no such key"))
                .addFieldViolations(fault("7:3", "close_after: what"))
                .build();
        replies.onError(
            StatusProto.toStatusRuntimeException(
                com.google.rpc.Status.newBuilder()
                    .setCode(Code.INVALID_ARGUMENT_VALUE)
                    .setMessage("the document has faults")
                    .addDetails(com.google.protobuf.Any.pack(faults))
                    .build()));
        return;
      }
      replies.onNext(
          ActivateRulesResponse.newBuilder()
              .setVersion(5)
              .setUnchanged(request.getDocument().equals("same"))
              .build());
      replies.onCompleted();
    }

    private static BadRequest.FieldViolation fault(String at, String what) {
      return BadRequest.FieldViolation.newBuilder().setField(at).setDescription(what).build();
    }

    @Override
    public void getRules(GetRulesRequest request, StreamObserver<GetRulesResponse> replies) {
      if (request.getVersion() == 9) {
        replies.onError(Status.NOT_FOUND.asRuntimeException());
        return;
      }
      RulesVersion version =
          request.getVersion() == 1
              ? FIRST
              : FIFTH.toBuilder().setDocument("# mine\nrules: []\u001b\n").build();
      replies.onNext(GetRulesResponse.newBuilder().setVersion(version).build());
      replies.onCompleted();
    }

    @Override
    public void listRulesVersions(
        ListRulesVersionsRequest request, StreamObserver<ListRulesVersionsResponse> replies) {
      replies.onNext(
          ListRulesVersionsResponse.newBuilder().addVersions(FIFTH).addVersions(FIRST).build());
      replies.onCompleted();
    }
  }
}
