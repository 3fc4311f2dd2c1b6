package dev.tocsin.ingest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.util.JSONObjectUtils;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.testbroker.SharedBroker;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.stub.MetadataUtils;
import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
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

  /** The first line of this logger; each line before it is JSON too. */
  private Map<String, Object> jsonLine(String logger) throws Exception {
    BufferedReader lines = process.errorReader();
    Map<String, Object> line = Map.of();
    while (!logger.equals(line.get("log.logger"))) {
      line = JSONObjectUtils.parse(lines.readLine());
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
    HttpClient http = HttpClient.newHttpClient();
    HttpRequest ready =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + opsPort + "/ready")).build();
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> http.send(ready, HttpResponse.BodyHandlers.discarding()).statusCode() == 200);
  }

  private Process start(List<String> settings) throws IOException {
    Path file = Files.write(folder.resolve("edge.properties"), settings);
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx256m",
            "-cp",
            System.getProperty("java.class.path"),
            EdgeMain.class.getName(),
            file.toString())
        .start();
  }
}
