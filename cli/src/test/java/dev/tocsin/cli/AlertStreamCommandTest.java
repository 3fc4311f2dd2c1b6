package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.FieldViolation;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.PrintStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class AlertStreamCommandTest {
  @TempDir Path folder;
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
  void stream_acknowledgesEveryAlert_whateverTheOrderOfTheAcks() throws IOException {
    server.stream = new Shuffled(new Random(1), 20_000);
    CommandRun run = stream(file(alerts(20_000)));

    assertThat(run.exitCode()).isZero();
    assertThat(run.out())
        .startsWith(
            "20,000 sent, 20,000 acknowledged, 0 rejected, 0 unavailable, 0 broken lines in");
    assertThat(run.err()).isEmpty();
    assertThat(server.received).hasSize(20_000);
  }

  @Test
  void stream_holdsBackAtTheBoundOfUnansweredAlerts() throws IOException {
    List<AlertMessage> held = new ArrayList<>();
    AtomicInteger most = new AtomicInteger();
    server.stream =
        (alert, acks) -> {
          held.add(alert);
          most.accumulateAndGet(held.size(), Math::max);
          if (held.size() == Outcomes.IN_FLIGHT_MAX) {
            held.forEach(one -> acks.onNext(server.accepted(one)));
            held.clear();
          }
        };
    // A multiple of the bound, so that the server is never left with a few that it keeps.
    CommandRun run = stream(file(alerts(3 * Outcomes.IN_FLIGHT_MAX)));

    assertThat(run.exitCode()).isZero();
    assertThat(most).hasValue(Outcomes.IN_FLIGHT_MAX);
  }

  @Test
  void stream_boundsTheBytesOfUnansweredAlerts() throws IOException {
    String large = "{\"title\":\"" + "t".repeat(1 << 20) + "\"}";
    CommandRun run =
        stream(file(Collections.nCopies(40, large)), "--timeout", "20s"); // more than the bounds

    assertThat(run.exitCode()).isZero();
    assertThat(server.received).hasSize(40);
  }

  @Test
  void stream_namesBrokenLines_sendsTheRest_andFails() throws IOException {
    CommandRun run =
        stream(file(List.of(alert("a"), "{broken", alert("b"), "[]", alert("c"))), "--json");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("line 2 is broken: ").contains("line 4 is broken: ");
    assertThat(run.json().get("sent").getAsInt()).isEqualTo(3);
    assertThat(run.json().get("acknowledged").getAsInt()).isEqualTo(3);
    assertThat(run.json().get("broken_lines").getAsInt()).isEqualTo(2);
  }

  @Test
  void stream_namesABoundedNumberOfBrokenLines_andCountsTheOthers() throws IOException {
    CommandRun run = stream(file(Collections.nCopies(500, "{broken")));

    assertThat(run.err().lines()).hasSize(StreamReport.FAULTS_SHOWN_MAX + 1);
    assertThat(run.err()).endsWith("and 490 more such lines" + System.lineSeparator());
    assertThat(run.out()).contains("500 broken lines");
  }

  @Test
  void stream_showsWhyAnAlertWasRejected() throws IOException {
    server.stream =
        (alert, acks) ->
            acks.onNext(
                alert.getAlertId().equals("b")
                    ? TestServer.ack(alert, AlertAck.Status.REJECTED)
                        .setMessage("refused")
                        .addViolations(violation("title", "must not be empty"))
                        .addViolations(violation("source", "too\u001b[31m long"))
                        .build()
                    : server.accepted(alert));
    CommandRun run = stream(file(List.of(alert("a"), alert("b"), alert("c"))));

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.out()).startsWith("3 sent, 2 acknowledged, 1 rejected");
    assertThat(run.err())
        .contains("line 2: alert 'b' is REJECTED: title: must not be empty; source: too")
        .doesNotContain("\u001b");
  }

  @Test
  void stream_sendsAgainWhatWasNotTaken_notBeforeTheServerSays() throws IOException {
    Set<String> seen = new HashSet<>();
    List<Long> times = new ArrayList<>();
    server.stream =
        (alert, acks) -> {
          boolean first = seen.add(alert.getAlertId());
          if (alert.getAlertId().equals("b")) {
            times.add(System.nanoTime());
          }
          var status =
              alert.getAlertId().equals("b")
                  ? AlertAck.Status.UNAVAILABLE
                  : AlertAck.Status.RATE_LIMITED;
          acks.onNext(first ? notTaken(alert, status, 300) : server.accepted(alert));
        };
    CommandRun run = stream(file(List.of(alert("a"), alert("b"))), "--json");

    assertThat(run.exitCode()).isZero();
    assertThat(run.json().get("sent").getAsInt()).isEqualTo(2);
    assertThat(run.json().get("acknowledged").getAsInt()).isEqualTo(2);
    assertThat(run.json().get("resent").getAsInt()).isEqualTo(2);
    assertThat(times.get(1) - times.get(0)).isGreaterThanOrEqualTo(300_000_000L);
  }

  @Test
  void stream_givesUpAfterTheLastRetry() throws IOException {
    server.stream = (alert, acks) -> acks.onNext(notTaken(alert, AlertAck.Status.UNAVAILABLE, 1));
    CommandRun run = stream(file(List.of(alert("a"))), "--retries", "3");

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(server.received).hasSize(4);
    assertThat(run.out()).startsWith("1 sent, 0 acknowledged, 0 rejected, 1 unavailable");
    assertThat(run.err()).contains("line 1: alert 'a' is UNAVAILABLE: later");
  }

  @Test
  void stream_keepsOneOutcomeForEachOfEqualAlertsUnderOneId() throws IOException {
    server.stream = new Shuffled(new Random(2), 3_000);
    CommandRun run = stream(file(Collections.nCopies(3_000, alert("same"))));

    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).startsWith("3,000 sent, 3,000 acknowledged");
  }

  @Test
  void stream_neverHasTwoDifferentAlertsOfOneIdUnderWay() throws IOException {
    Set<String> underWay = new HashSet<>();
    AtomicInteger refusals = new AtomicInteger();
    List<String> accepted = new ArrayList<>();
    server.stream =
        (alert, acks) -> {
          assertThat(underWay.add(alert.getAlertId())).isTrue();
          underWay.remove(alert.getAlertId());
          boolean refuse = refusals.incrementAndGet() == 1;
          if (!refuse) {
            accepted.add(alert.getTitle());
          }
          acks.onNext(
              refuse ? notTaken(alert, AlertAck.Status.UNAVAILABLE, 50) : server.accepted(alert));
        };
    CommandRun run =
        stream(
            file(
                List.of(
                    "{\"alert_id\":\"x\",\"title\":\"first\"}",
                    "{\"alert_id\":\"x\",\"title\":\"second\"}",
                    "{\"alert_id\":\"x\",\"title\":\"third\",\"status\":\"RESOLVED\"}")));

    assertThat(run.exitCode()).isZero();
    assertThat(accepted).containsExactly("first", "second", "third");
  }

  @Test
  void stream_whoseConnectionBreaks_saysWhatIsUnknown() throws IOException {
    AtomicInteger count = new AtomicInteger();
    CommandRun run;
    try (BreakableLink link = new BreakableLink(server.port())) {
      server.stream =
          (alert, acks) -> {
            int n = count.incrementAndGet();
            if (n <= 100) {
              acks.onNext(server.accepted(alert));
            } else if (n == 150) {
              link.cut();
            }
          };
      String file = file(alerts(1_000)).toString();
      run = CommandRun.of("alert", "stream", file, "--json", "--target", link.target());
    }

    assertThat(run.exitCode()).isEqualTo(64 + 14);
    assertThat(run.err()).contains("the stream ended early").contains("UNAVAILABLE");
    var json = run.json();
    assertThat(json.get("acknowledged").getAsInt()).isLessThanOrEqualTo(100);
    assertThat(json.get("unknown").getAsInt()).isGreaterThanOrEqualTo(50);
    assertThat(json.get("unknown").getAsInt() + json.get("acknowledged").getAsInt())
        .isEqualTo(json.get("sent").getAsInt());
    assertThat(json.get("failure").getAsString()).isNotEmpty();
  }

  @Test
  void stream_whoseServerEndsIt_failsWithTheStatus() throws IOException {
    server.stream =
        (alert, acks) ->
            acks.onError(
                Status.RESOURCE_EXHAUSTED.withDescription("message too large").asException());
    CommandRun run = stream(file(alerts(3)));

    assertThat(run.exitCode()).isEqualTo(64 + 8);
    assertThat(run.err()).contains("RESOURCE_EXHAUSTED: message too large");
  }

  @Test
  void stream_whoseServerSaysGoodbyeEarly_isNoSuccess() throws IOException {
    server.stream = (alert, acks) -> acks.onCompleted();
    CommandRun run = stream(file(alerts(3)));

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("the server ended the stream early");
  }

  @Test
  void stream_whoseServerNeverAnswers_timesOut() throws IOException {
    server.stream = (alert, acks) -> {};
    CommandRun run = stream(file(alerts(10)), "--timeout", "300ms");

    assertThat(run.exitCode()).isEqualTo(64 + 4);
    assertThat(run.err()).contains("DEADLINE_EXCEEDED: no answer for 0.300 s");
    assertThat(run.out()).contains("10 sent, 0 acknowledged").contains("10 unknown");
  }

  @Test
  void stream_countsASecondAckAsTheServersFault() throws IOException {
    server.stream =
        (alert, acks) -> {
          acks.onNext(server.accepted(alert));
          acks.onNext(server.accepted(alert));
        };
    CommandRun run = stream(file(alerts(10)));

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("an answer to alert 'id-0', which awaits none");
  }

  @Test
  void stream_doesNotTakeAnAckWithoutStatusForASuccess() throws IOException {
    server.stream =
        (alert, acks) -> acks.onNext(AlertAck.newBuilder().setAlertId(alert.getAlertId()).build());
    CommandRun run = stream(file(alerts(1)));

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.out()).contains("0 acknowledged").contains("1 unknown");
  }

  @Test
  void stream_ofAnEmptyFile_isDoneAtOnce() throws IOException {
    CommandRun run = stream(file(List.of()), "--json");

    assertThat(run.exitCode()).isZero();
    assertThat(run.json().get("sent").getAsInt()).isZero();
  }

  @Test
  void stream_ofAnEmptyFileToNobody_fails() throws Exception {
    server.close();
    CommandRun run = stream(file(List.of()));

    assertThat(run.exitCode()).isEqualTo(64 + 14);
    assertThat(run.err()).contains("Connection refused").contains("./tocsin up");
  }

  @Test
  void stream_ofAMissingFile_namesIt() {
    CommandRun run = stream(folder.resolve("missing.jsonl"));

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("missing.jsonl: no such file").doesNotContain("\tat ");
  }

  @Test
  void stream_ofAFolder_saysSo() {
    CommandRun run = stream(folder);

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("is a folder");
  }

  @Test
  void stream_readsStandardInput() {
    byte[] lines = (alert("a") + "\n" + alert("b")).getBytes(StandardCharsets.UTF_8);
    CommandRun run =
        CommandRun.with(
            new ByteArrayInputStream(lines),
            false,
            "alert",
            "stream",
            "-",
            "--target",
            server.target());

    assertThat(run.exitCode()).isZero();
    assertThat(run.out()).startsWith("2 sent, 2 acknowledged");
  }

  @Test
  void stream_ofAnInputThatStaysOpen_sendsWhatIsThere_andEndsWithTheServer() throws IOException {
    AtomicInteger count = new AtomicInteger();
    server.stream =
        (alert, acks) -> {
          acks.onNext(server.accepted(alert));
          if (count.incrementAndGet() == 2) {
            acks.onError(Status.UNAVAILABLE.withDescription("going down").asException());
          }
        };
    try (PipedOutputStream writer = new PipedOutputStream();
        PipedInputStream open = new PipedInputStream(writer)) {
      writer.write((alert("a") + "\n" + alert("b") + "\n").getBytes(StandardCharsets.UTF_8));
      writer.flush();
      CommandRun run =
          CommandRun.with(open, false, "alert", "stream", "-", "--target", server.target());

      assertThat(run.exitCode()).isEqualTo(64 + 14);
      assertThat(run.out()).startsWith("2 sent, 2 acknowledged");
    }
  }

  @Test
  void stream_ofAnInputThatBreaks_keepsTheOutcomesOfWhatWasRead() {
    byte[] lines = (alert("a") + "\n" + alert("b") + "\n").getBytes(StandardCharsets.UTF_8);
    InputStream broken =
        new SequenceInputStream(
            new ByteArrayInputStream(lines),
            new InputStream() {
              @Override
              public int read() throws IOException {
                throw new IOException("Input/output error");
              }

              @Override
              public int read(byte[] into, int offset, int count) throws IOException {
                throw new IOException("Input/output error");
              }
            });
    CommandRun run =
        CommandRun.with(broken, false, "alert", "stream", "-", "--target", server.target());

    assertThat(run.exitCode()).isEqualTo(1);
    assertThat(run.err()).contains("cannot read on: Input/output error");
    assertThat(run.out()).startsWith("2 sent, 2 acknowledged");
  }

  @Test
  void stream_thatIsStopped_tellsWhatItKnows() throws Exception {
    server.stream =
        (alert, acks) -> {
          if (alert.getAlertId().equals("a")) {
            acks.onNext(server.accepted(alert));
          }
        };
    byte[] lines = (alert("a") + "\n" + alert("b")).getBytes(StandardCharsets.UTF_8);
    Terminal terminal =
        new Terminal(
            System.in, System.out, new PrintStream(new ByteArrayOutputStream()), false, false, 80);
    try (Server connection = new Server(server.target(), java.time.Duration.ofSeconds(30));
        StreamReport report = new StreamReport(terminal, -1)) {
      var options = new AlertStreamer.Options(0, 0, connection.timeout());
      AlertStreamer streamer = new AlertStreamer(connection.alertStreams(), options, report);
      CompletableFuture<StreamResult> running =
          CompletableFuture.supplyAsync(
              () -> {
                try {
                  return streamer.run(new AlertLines(new ByteArrayInputStream(lines)));
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
              });
      while (server.received.size() < 2) {
        Thread.onSpinWait();
      }
      streamer.stop("interrupted");
      StreamResult result = running.get(10, TimeUnit.SECONDS);

      assertThat(result.sent()).isEqualTo(2);
      assertThat(result.acknowledged() + result.unknown()).isEqualTo(2);
      assertThat(result.unknown()).isPositive();
      assertThat(result.failure().orElseThrow()).hasMessage("interrupted");
    }
  }

  @Test
  void stream_keepsToTheRate() throws IOException {
    long start = System.nanoTime();
    CommandRun run = stream(file(alerts(150)), "--rate", "200");

    // 150 at 200/s take 0.75 s, less what may be caught up.
    assertThat(System.nanoTime() - start).isGreaterThan(600_000_000L);
    assertThat(run.exitCode()).isZero();
  }

  @Test
  void stream_refusesASenselessRateAndRetries() {
    assertThat(stream(folder, "--rate", "0").exitCode()).isEqualTo(2);
    assertThat(stream(folder, "--rate", "NaN").exitCode()).isEqualTo(2);
    assertThat(stream(folder, "--retries", "-1").exitCode()).isEqualTo(2);
  }

  @Test
  void stream_showsABarOnlyToAPerson() throws IOException {
    Path file = file(List.of(alert("a"), "{broken"));
    String[] args = {"alert", "stream", file.toString(), "--target", server.target()};
    CommandRun shown = CommandRun.with(new ByteArrayInputStream(new byte[0]), true, args);
    CommandRun plain = CommandRun.with(new ByteArrayInputStream(new byte[0]), false, args);

    assertThat(shown.err()).contains("alerts").contains("\r");
    assertThat(shown.out()).startsWith("1 sent").doesNotContain("\r");
    assertThat(plain.err()).doesNotContain("\r").contains("line 2 is broken");
  }

  private CommandRun stream(Path file, String... more) {
    List<String> args =
        new ArrayList<>(List.of("alert", "stream", file.toString(), "--target", server.target()));
    args.addAll(List.of(more));
    return CommandRun.of(args.toArray(String[]::new));
  }

  private Path file(List<String> lines) throws IOException {
    return Files.write(folder.resolve("alerts.jsonl"), lines);
  }

  private static List<String> alerts(int count) {
    List<String> alerts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      alerts.add(alert("id-" + i));
    }
    return alerts;
  }

  private static String alert(String id) {
    return "{\"alert_id\":\"%s\",\"source\":\"test\",\"title\":\"t\"}".formatted(id);
  }

  private static AlertAck notTaken(AlertMessage alert, AlertAck.Status status, long afterMs) {
    return TestServer.ack(alert, status)
        .setMessage("later")
        .setRetryAfter(Duration.newBuilder().setNanos((int) (afterMs * 1_000_000)))
        .build();
  }

  private static FieldViolation violation(String field, String description) {
    return FieldViolation.newBuilder().setField(field).setDescription(description).build();
  }

  /** Acknowledges in no order, a few late, the last ones once all are there. */
  private final class Shuffled implements TestServer.Stream {
    private final List<AlertMessage> held = new ArrayList<>();
    private final Random random;
    private final int expected;
    private int received;

    Shuffled(Random random, int expected) {
      this.random = random;
      this.expected = expected;
    }

    @Override
    public void alert(AlertMessage alert, StreamObserver<AlertAck> acks) {
      held.add(alert);
      received++;
      if (held.size() > 50 || random.nextInt(4) == 0 || received == expected) {
        flush(acks);
      }
    }

    private void flush(StreamObserver<AlertAck> acks) {
      Collections.shuffle(held, random);
      held.forEach(alert -> acks.onNext(server.accepted(alert)));
      held.clear();
    }
  }
}
