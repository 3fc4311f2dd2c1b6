package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.CreateSilenceRequest;
import dev.tocsin.proto.incidents.CreateSilenceResponse;
import dev.tocsin.proto.incidents.ExpireSilenceRequest;
import dev.tocsin.proto.incidents.ExpireSilenceResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.ListSilencesRequest;
import dev.tocsin.proto.incidents.ListSilencesResponse;
import dev.tocsin.proto.incidents.PreviewSilenceRequest;
import dev.tocsin.proto.incidents.PreviewSilenceResponse;
import dev.tocsin.proto.incidents.Silence;
import dev.tocsin.proto.incidents.SilenceState;
import dev.tocsin.proto.incidents.SilencesGrpc;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Instant;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class SilenceCommandsTest {
  private static final Silence SILENCE =
      Silence.newBuilder()
          .setId("0c8c5f6e-3f4b-8a31-9c2d-5f0b8e1d2a44")
          .addMatchers("source = \"disk\"")
          .setStart(Timestamp.newBuilder().setSeconds(0))
          .setEnd(Timestamp.newBuilder().setSeconds(3600))
          .setAuthor("anna")
          .setComment("new disks")
          .setState(SilenceState.SILENCE_STATE_ACTIVE)
          .setPartitions(4)
          .build();

  private CreateSilenceRequest created;
  private ListSilencesRequest listed;
  private Status failure;
  private Server server;

  @BeforeEach
  void open() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(new Silences())
            .build()
            .start();
  }

  @AfterEach
  void close() {
    server.shutdownNow();
  }

  private CommandRun run(String... args) {
    return CommandRun.of(
        Stream.concat(Stream.of("--target", "127.0.0.1:" + server.getPort()), Stream.of(args))
            .toArray(String[]::new));
  }

  @Test
  void create_asksForWhatItIsTold() {
    CommandRun run =
        run(
            "silence",
            "create",
            "source = disk",
            "severity != P0",
            "--start",
            "2030-01-05T22:00:00Z",
            "--for",
            "8h",
            "--comment",
            "move",
            "--request-id",
            "r1");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .isEqualToIgnoringNewLines(
            "created 0c8c5f6e-3f4b-8a31-9c2d-5f0b8e1d2a44  ACTIVE  1970-01-01T00:00:00Z to"
                + " 1970-01-01T01:00:00Z  source = \"disk\"");
    assertThat(created.getMatchersList()).containsExactly("source = disk", "severity != P0");
    assertThat(created.getStart().getSeconds())
        .isEqualTo(Instant.parse("2030-01-05T22:00:00Z").getEpochSecond());
    assertThat(created.getEnd().getSeconds())
        .isEqualTo(Instant.parse("2030-01-06T06:00:00Z").getEpochSecond());
    assertThat(created.getComment()).isEqualTo("move");
    assertThat(created.getRequestId()).isEqualTo("r1");
  }

  @Test
  void create_beginsNowUnlessToldOtherwiseAndHasARequestId() {
    run("silence", "create", "source = disk", "--until", "2030-01-05T22:00:00Z", "--comment", "x");
    assertThat(created.hasStart()).isFalse();
    assertThat(created.getRequestId()).isNotEmpty();
  }

  @Test
  void create_thatIsWrongIsTwo() {
    assertThat(run("silence", "create", "a = b", "--comment", "x").exitCode()).isEqualTo(2);
    assertThat(run("silence", "create", "a = b", "--for", "1h").exitCode()).isEqualTo(2);
    assertThat(run("silence", "create", "--for", "1h", "--comment", "x").exitCode()).isEqualTo(2);
    for (String bad : new String[] {"1", "1w", "-1h", "h"}) {
      assertThat(run("silence", "create", "a = b", "--for=" + bad, "--comment", "x").exitCode())
          .isEqualTo(2);
    }
    assertThat(
            run("silence", "create", "a = b", "--until", "tomorrow", "--comment", "x").exitCode())
        .isEqualTo(2);
    assertThat(run("silence").exitCode()).isEqualTo(2);
    assertThat(created).isNull();
  }

  @Test
  void create_whoseEndIsNotKnownSaysHowToAskAgain() {
    failure = Status.DEADLINE_EXCEEDED;
    CommandRun run =
        run(
            "silence",
            "create",
            "a = b",
            "--until",
            "2030-01-05T22:00:00Z",
            "--comment",
            "x",
            "--request-id",
            "r1");
    assertThat(run.exitCode()).isEqualTo(68);
    assertThat(run.err()).contains("Ask again with --request-id r1 --until 2030-01-05T22:00:00Z");
  }

  @Test
  void list_isATableOrObjects() {
    CommandRun run = run("silence", "list", "--ended");
    assertThat(run.exitCode()).isZero();
    assertThat(listed.getIncludeEnded()).isTrue();
    assertThat(run.out().lines().toList())
        .satisfiesExactly(
            head -> assertThat(head).startsWith("ID "),
            row ->
                assertThat(row)
                    .startsWith("0c8c5f6e-3f4b-8a31-9c2d-5f0b8e1d2a44  ACTIVE ")
                    .contains("anna")
                    .endsWith("source = \"disk\"  # new disks  (not in all partitions yet)"));
    assertThat(run("silence", "list", "--json").out()).contains("\"comment\":");
  }

  @Test
  void expire_saysWhatBecameOfIt() {
    assertThat(run("silence", "expire", "x").out()).startsWith("ended 0c8c5f6e");
    failure = Status.NOT_FOUND;
    assertThat(run("silence", "expire", "x").exitCode()).isEqualTo(69);
  }

  @Test
  void preview_showsIncidentsAndHowManyThereAre() {
    CommandRun run = run("silence", "preview", "source = disk", "--limit", "1");
    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).contains("[silenced] [inhibited] [flapping] Disk full");
    assertThat(run.err()).contains("at least 1,234 open incidents match");
  }

  private final class Silences extends SilencesGrpc.SilencesImplBase {
    @Override
    public void createSilence(
        CreateSilenceRequest request, StreamObserver<CreateSilenceResponse> reply) {
      created = request;
      answer(reply, CreateSilenceResponse.newBuilder().setSilence(SILENCE).build());
    }

    @Override
    public void expireSilence(
        ExpireSilenceRequest request, StreamObserver<ExpireSilenceResponse> reply) {
      answer(reply, ExpireSilenceResponse.newBuilder().setSilence(SILENCE).build());
    }

    @Override
    public void listSilences(
        ListSilencesRequest request, StreamObserver<ListSilencesResponse> reply) {
      listed = request;
      answer(
          reply, ListSilencesResponse.newBuilder().addSilences(SILENCE).setPartitions(5).build());
    }

    @Override
    public void previewSilence(
        PreviewSilenceRequest request, StreamObserver<PreviewSilenceResponse> reply) {
      answer(
          reply,
          PreviewSilenceResponse.newBuilder()
              .setCount(1234)
              .setMore(true)
              .addIncidents(
                  Incident.newBuilder()
                      .setId("id")
                      .setTitle("Disk full")
                      .setSilencedBy("a")
                      .setInhibitedBy("b")
                      .setFlapping(true))
              .build());
    }

    private <R> void answer(StreamObserver<R> reply, R response) {
      if (failure != null) {
        reply.onError(failure.asRuntimeException());
        return;
      }
      reply.onNext(response);
      reply.onCompleted();
    }
  }
}
