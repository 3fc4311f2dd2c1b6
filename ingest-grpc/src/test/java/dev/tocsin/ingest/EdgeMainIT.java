package dev.tocsin.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.util.JSONObjectUtils;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.stub.MetadataUtils;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The edge as a process. */
@Timeout(120)
final class EdgeMainIT {
  private static final Pattern STARTED =
      Pattern.compile("tocsin edge \\S+: gRPC on port (\\d+), metrics and health on port (\\d+)");

  @TempDir Path folder;
  private Process process;

  @AfterEach
  void end() {
    if (process != null) {
      process.destroyForcibly();
    }
  }

  @Test
  void main_tellsEachFaultOfItsConfigurationAndEndsWith78() throws Exception {
    process = start(List.of("edge.port=many", "edge.prot=9000", "kafka.acks=0"));

    String told = new String(process.getErrorStream().readAllBytes(), UTF_8);
    assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(78);
    assertThat(told.lines())
        .contains(
            "edge.port: must be a whole number from 0 to 65535, not 'many'",
            "edge.prot: no such setting",
            "kafka.acks: must be all or left out",
            "kafka.bootstrap.servers: is missing");
  }

  @Test
  void main_onSigtermAnswersWhatItTookAndEnds() throws Exception {
    String prefix = "t" + UUID.randomUUID();
    EdgeFixture.createLog(SharedBroker.bootstrap(), prefix, Map.of("max.message.bytes", "6291456"));
    process =
        start(
            List.of(
                "kafka.bootstrap.servers=" + SharedBroker.bootstrap(),
                "log.prefix=" + prefix,
                "edge.port=0",
                "edge.ops-port=0"));
    BufferedReader out = process.inputReader();
    Matcher started = STARTED.matcher(out.readLine());
    assertThat(started.matches()).isTrue();
    awaitReady(Integer.parseInt(started.group(2)));
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", Integer.parseInt(started.group(1)))
            .usePlaintext()
            .build();
    try {
      Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
      AlertIngestionGrpc.newStub(channel).streamAlerts(acks);
      for (int i = 0; i < 2000; i++) {
        acks.call.onNext(Alerts.of("term-" + i, i));
      }
      acks.awaitReceived(10);
      process.destroy(); // SIGTERM

      assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(128 + 15);
      assertThat(acks.awaitEnd().getCode()).isEqualTo(io.grpc.Status.Code.UNAVAILABLE);
      List<String> acknowledged =
          acks.received.stream()
              .filter(a -> a.getStatus() == AlertAck.Status.ACCEPTED)
              .map(AlertAck::getAlertId)
              .toList();
      assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(10);
      assertThat(EdgeFixture.log(SharedBroker.bootstrap(), prefix))
          .extracting(l -> l.alert().getAlertId())
          .containsExactlyInAnyOrderElementsOf(acknowledged);
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  @Test
  void main_logsCallsThatFail() throws Exception {
    process =
        start(List.of("kafka.bootstrap.servers=127.0.0.1:1", "edge.port=0", "edge.ops-port=0"));
    Matcher started = STARTED.matcher(process.inputReader().readLine());
    assertThat(started.matches()).isTrue();
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", Integer.parseInt(started.group(1)))
            .usePlaintext()
            .build();
    try {
      AlertIngestionGrpc.AlertIngestionBlockingStub calls =
          AlertIngestionGrpc.newBlockingStub(channel).withDeadlineAfter(20, TimeUnit.SECONDS);
      assertThatThrownBy(() -> calls.submitAlert(Alerts.of("refused", 1)))
          .hasMessageStartingWith("UNAVAILABLE");
      assertThat(process.errorReader().lines().anyMatch(EdgeMainIT::tellsOfTheRefusal)).isTrue();
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  @Test
  void main_onSigtermSaysSoThenGoesAwayThenAcknowledgesAllThatItTook() throws Exception {
    process = start(List.of(), withALog("kafka.linger.ms=3000"));
    Matcher started = STARTED.matcher(process.inputReader().readLine());
    assertThat(started.matches()).isTrue();
    int opsPort = Integer.parseInt(started.group(2));
    awaitReady(opsPort);
    int port = Integer.parseInt(started.group(1));
    ManagedChannel channel = channel(port);
    try (Http2Peer watcher = Http2Peer.answering(port)) {
      watcher.call(1, "grpc.health.v1.Health/Watch").message(1, Http2Peer.END_STREAM, new byte[0]);
      watcher.flush().await(frame -> tells(frame, ServingStatus.SERVING));
      Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
      AlertIngestionGrpc.newStub(channel).streamAlerts(acks);
      for (int i = 0; i < 200; i++) {
        acks.call.onNext(Alerts.of("taken-" + i, i));
      }
      awaitTaken(opsPort, 200);
      process.destroy(); // SIGTERM

      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(128 + 15);
      assertThat(acks.awaitEnd().getCode()).isEqualTo(io.grpc.Status.Code.UNAVAILABLE);
      assertThat(acks.received)
          .hasSize(200)
          .allMatch(ack -> ack.getStatus() == AlertAck.Status.ACCEPTED);
      watcher.awaitEnd();
      List<Http2Peer.Frame> told = List.copyOf(watcher.frames);
      assertThat(first(told, frame -> tells(frame, ServingStatus.NOT_SERVING)))
          .isLessThan(first(told, frame -> frame.type() == Http2Peer.GOAWAY));
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  @Test
  void main_logsJsonLines_whoseFieldsAreThoseOfTheCall() throws Exception {
    process =
        start(
            List.of(
                "kafka.bootstrap.servers=127.0.0.1:1",
                "logging.format=json",
                "edge.port=0",
                "edge.ops-port=0"));
    Matcher started = STARTED.matcher(process.inputReader().readLine());
    assertThat(started.matches()).isTrue();
    ManagedChannel channel =
        ManagedChannelBuilder.forAddress("127.0.0.1", Integer.parseInt(started.group(1)))
            .usePlaintext()
            .build();
    try {
      Metadata headers = new Metadata();
      headers.put(ascii("x-request-id"), "mine-1");
      headers.put(ascii("traceparent"), "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
      AlertIngestionGrpc.AlertIngestionBlockingStub calls =
          AlertIngestionGrpc.newBlockingStub(channel)
              .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(headers))
              .withDeadlineAfter(20, TimeUnit.SECONDS);
      assertThatThrownBy(() -> calls.submitAlert(Alerts.of("refused", 1)))
          .hasMessageStartingWith("UNAVAILABLE");
      Map<String, Object> line = jsonLine("tocsin.access");
      assertThat(line)
          .containsEntry("log.level", "INFO")
          .containsEntry("http.request.id", "mine-1")
          .containsEntry("trace.id", "0af7651916cd43dd8448eb211c80319c")
          .containsEntry("user.name", "anonymous")
          .containsEntry("rpc.status", "UNAVAILABLE");
      assertThat((String) line.get("@timestamp")).matches("\\d{4}-.*T.*\\.\\d{3}Z");
      assertThat((String) line.get("message")).contains("SubmitAlert UNAVAILABLE");
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  /** All of them are read, and the log has answered none of them yet, or some. */
  private static void awaitTaken(int opsPort, int count) {
    Pattern taken =
        Pattern.compile("(?m)^tocsin_edge_(in_flight_alerts|alerts_total\\{.*\\}) (\\S+)$");
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                taken
                        .matcher(get(opsPort, "/metrics").body())
                        .results()
                        .mapToDouble(found -> Double.parseDouble(found.group(2)))
                        .sum()
                    >= count);
  }

  private static boolean tells(Http2Peer.Frame frame, ServingStatus status) {
    int message = 5; // behind its length
    return frame.type() == Http2Peer.DATA
        && frame.body().size() == message + 2
        && frame.body().byteAt(message + 1) == status.getNumber();
  }

  private static int first(List<Http2Peer.Frame> frames, Predicate<Http2Peer.Frame> which) {
    for (int i = 0; i < frames.size(); i++) {
      if (which.test(frames.get(i))) {
        return i;
      }
    }
    throw new AssertionError("not among " + frames);
  }

  @Test
  void main_withoutDescriptorsServesWhomItHasAndLaterAllAgain() throws Exception {
    process = start(List.of("sh", "-c", "ulimit -n 300 && exec \"$@\"", "sh"), withALog());
    Matcher started = STARTED.matcher(process.inputReader().readLine());
    assertThat(started.matches()).isTrue();
    int port = Integer.parseInt(started.group(1));
    int opsPort = Integer.parseInt(started.group(2));
    awaitReady(opsPort);
    ManagedChannel channel = channel(port);
    List<Socket> held = new ArrayList<>();
    try {
      assertThat(accepted(channel)).isTrue();
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .pollInterval(Duration.ofMillis(1))
          .until(
              () -> {
                held.add(connected(port));
                held.add(connected(opsPort));
                return Files.readString(log()).contains("NOT_ACCEPTED");
              });
      assertThat(process.isAlive()).isTrue();
      assertThat(accepted(channel)).isTrue();
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
      for (Socket socket : held) {
        socket.close();
      }
    }
    awaitReady(opsPort);
    ManagedChannel another = channel(port);
    try {
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .ignoreExceptions()
          .until(() -> accepted(another));
    } finally {
      another.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
    String told = Files.readString(log());
    assertThat(told.length()).isLessThan(20_000);
    assertThat(told.lines().filter(line -> line.startsWith("\tat "))).hasSizeLessThan(50);
  }

  /** Or not, if nobody takes it. */
  private static Socket connected(int port) throws IOException {
    Socket socket = new Socket();
    try {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
    } catch (SocketTimeoutException e) {
      // the kernel's queue is full
    }
    return socket;
  }

  private static ManagedChannel channel(int port) {
    return ManagedChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build();
  }

  private static boolean accepted(ManagedChannel channel) {
    return AlertIngestionGrpc.newBlockingStub(channel)
            .withDeadlineAfter(20, TimeUnit.SECONDS)
            .submitAlert(Alerts.of("accepted", 1))
            .getStatus()
        == AlertAck.Status.ACCEPTED;
  }

  private static List<String> withALog(String... settings) throws Exception {
    String prefix = "t" + UUID.randomUUID();
    EdgeFixture.createLog(SharedBroker.bootstrap(), prefix, Map.of("max.message.bytes", "6291456"));
    List<String> all = new ArrayList<>(List.of(settings));
    all.add("kafka.bootstrap.servers=" + SharedBroker.bootstrap());
    all.add("log.prefix=" + prefix);
    all.add("edge.port=0");
    all.add("edge.ops-port=0");
    return all;
  }

  /** The first line of this logger; each line of the program before it is JSON too. */
  private Map<String, Object> jsonLine(String logger) throws Exception {
    BufferedReader lines = process.errorReader();
    Map<String, Object> line = Map.of();
    while (!logger.equals(line.get("log.logger"))) {
      String text = lines.readLine();
      if (!text.startsWith("Picked up ")) { // by the JVM itself, where the environment has options
        line = JSONObjectUtils.parse(text);
      }
    }
    return line;
  }

  private static Metadata.Key<String> ascii(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  private static boolean tellsOfTheRefusal(String line) {
    return line.contains(" access alerts.AlertIngestion/SubmitAlert UNAVAILABLE ")
        && line.contains("principal anonymous of default");
  }

  private static void awaitReady(int opsPort) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .ignoreExceptions()
        .until(() -> get(opsPort, "/ready").statusCode() == 200);
  }

  private static HttpResponse<String> get(int opsPort, String path)
      throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + opsPort + path))
            .timeout(Duration.ofSeconds(10))
            .build();
    return HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString());
  }

  private Path log() {
    return folder.resolve("log");
  }

  private Process start(List<String> settings) throws IOException {
    return process(List.of(), settings).start();
  }

  /** Under this command, with its log in a file. */
  private Process start(List<String> under, List<String> settings) throws IOException {
    return process(under, settings).redirectError(log().toFile()).start();
  }

  private ProcessBuilder process(List<String> under, List<String> settings) throws IOException {
    Path file = Files.write(folder.resolve("edge.properties"), settings);
    List<String> command = new ArrayList<>(under);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            EdgeMain.class.getName(),
            file.toString()));
    return new ProcessBuilder(command);
  }
}
