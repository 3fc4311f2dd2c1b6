package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.Severity;
import dev.tocsin.proto.incidents.AlertSighting;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.CreateSilenceRequest;
import dev.tocsin.proto.incidents.ExpireSilenceRequest;
import dev.tocsin.proto.incidents.ExplainAlertRequest;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListSilencesRequest;
import dev.tocsin.proto.incidents.MergeIncidentRequest;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.SilencesGrpc;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The program as its users have it. */
@Timeout(300)
class StandaloneIT {
  @TempDir Path folder;

  @Test
  void up_servesEverythingOnItsPortsAndEndsWithZero() throws Exception {
    try (var child = StandaloneChild.up(folder.resolve("data"), folder)) {
      Incident incident = submitAndList(child, "disk full");
      assertThat(incident.getTitle()).isEqualTo("disk full");
      assertThat(get(child, incident.getId())).isEqualTo(incident);
      explain(child, incident);
      silence(child, incident);
      merge(child, incident);
      assertThat(services(child))
          .contains(
              "alerts.AlertIngestion",
              "incidents.IncidentService",
              "incidents.Silences",
              "grpc.health.v1.Health",
              "grpc.reflection.v1.ServerReflection");
      assertThat(health(child)).isEqualTo(ServingStatus.SERVING);
      assertThat(http(child, "/ready").statusCode()).isEqualTo(200);
      assertThat(http(child, "/live").statusCode()).isEqualTo(200);
      failACall(child);
      assertThat(http(child, "/metrics").body())
          .contains("grpc_requests_total{method=\"alerts.AlertIngestion/SubmitAlert\"")
          .contains("grpc_request_duration_seconds_bucket")
          .contains("grpc_errors_total");
      assertThat(child.out())
          .contains("Tocsin is up")
          .contains(child.ready("grpc"))
          .contains(child.ready("metrics"))
          .contains(child.ready("kafka"))
          .contains(folder.resolve("data").toString());
      assertThat(child.ready("pid")).isEqualTo(Long.toString(child.pid()));

      ProcessHandle broker = child.broker();
      child.terminate();
      assertThat(child.exitStatus()).isZero();
      assertThat(broker.isAlive()).isFalse();
      assertThat(child.readyFile()).doesNotExist();
      assertThat(child.err()).isEmpty();
    }
  }

  @Test
  void up_withItsParent_endsWhenThatDoes() throws Exception {
    try (var child = StandaloneChild.up(folder.resolve("data"), folder, "--with-parent")) {
      ProcessHandle broker = child.broker();
      child.closeInput();
      assertThat(child.exitStatus()).isZero();
      assertThat(broker.isAlive()).isFalse();
    }
  }

  @Test
  void data_survivesAKillAndNoBrokerIsLeft() throws Exception {
    Path data = folder.resolve("data");
    Incident before;
    ProcessHandle firstBroker;
    try (var child = StandaloneChild.up(data, folder)) {
      before = submitAndList(child, "kept");
      firstBroker = child.broker();
      child.kill();
    }
    try (var child = StandaloneChild.up(data, folder)) {
      assertThat(firstBroker.isAlive()).isFalse();
      assertThat(get(child, before.getId())).isEqualTo(before);
      assertThat(submitAndList(child, "kept").getOccurrences()).isEqualTo(2);
      ProcessHandle secondBroker = child.broker();
      child.kill();
      secondBroker.onExit().get(60, TimeUnit.SECONDS);
    }
  }

  @Test
  void broker_thatDiesEndsItWithAFailure() throws Exception {
    try (var child = StandaloneChild.up(folder.resolve("data"), folder)) {
      child.broker().destroyForcibly();
      assertThat(child.exitStatus()).isEqualTo(1);
      assertThat(child.err()).contains("the broker ended by itself").doesNotContain("\tat ");
      assertThat(child.readyFile()).doesNotExist();
    }
  }

  @Test
  void end_isCutOffWhereItTakesTooLong() throws Exception {
    try (var child =
        StandaloneChild.up(folder.resolve("data"), folder, "--config", settings("1s"))) {
      ProcessHandle broker = child.broker();
      new ProcessBuilder("sh", "-c", "kill -STOP " + broker.pid()).start().waitFor();
      child.terminate();
      assertThat(child.exitStatus()).isEqualTo(1);
      assertThat(child.err()).contains("tocsin: it did not stop within 1 s and is cut off");
      broker.onExit().get(10, TimeUnit.SECONDS);
    }
  }

  private String settings(String stopMax) throws IOException {
    return Files.writeString(folder.resolve("settings"), "standalone.stop-max=" + stopMax)
        .toString();
  }

  private static Incident submitAndList(StandaloneChild child, String title) {
    AlertAck ack =
        child
            .alerts()
            .submitAlert(
                AlertMessage.newBuilder()
                    .setSource("StandaloneIT")
                    .setTitle(title)
                    .setSeverity(Severity.SEVERITY_P1)
                    .build());
    assertThat(ack.getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
    var request = ListIncidentsRequest.newBuilder().addMinPosition(position(ack)).build();
    List<Incident> incidents = child.incidents().listIncidents(request).getIncidentsList();
    assertThat(incidents).hasSize(1);
    return incidents.get(0);
  }

  /** Sends an alert of the incident's condition under an id of its own, and asks for it by that. */
  private static void explain(StandaloneChild child, Incident incident) {
    AlertAck ack =
        child
            .alerts()
            .submitAlert(
                AlertMessage.newBuilder()
                    .setAlertId("disk-7")
                    .setSource("StandaloneIT")
                    .setTitle(incident.getTitle())
                    .setSeverity(Severity.SEVERITY_P1)
                    .build());
    Position position = position(ack);
    var request =
        ExplainAlertRequest.newBuilder()
            .setSource("StandaloneIT")
            .setAlertId("disk-7")
            .setMinPosition(position);
    List<AlertSighting> sightings =
        child.incidents().explainAlert(request.build()).getSightingsList();
    assertThat(sightings).hasSize(1);
    assertThat(sightings.get(0).getPosition()).isEqualTo(position);
    assertThat(sightings.get(0).getEffect()).isEqualTo(AlertSighting.Effect.REPEATED);
    assertThat(sightings.get(0).getIncidentId()).isEqualTo(incident.getId());
    assertThat(sightings.get(0).getFingerprint()).isEqualTo(ack.getFingerprint());
    assertThatThrownBy(() -> child.incidents().explainAlert(request.setAlertId("8").build()))
        .hasMessageContaining("NOT_FOUND");
  }

  private static Position position(AlertAck ack) {
    return Position.newBuilder()
        .setPartition(ack.getPosition().getPartition())
        .setOffset(ack.getPosition().getOffset())
        .setIndex(ack.getPosition().getIndex())
        .build();
  }

  private static void silence(StandaloneChild child, Incident incident) {
    var silences =
        SilencesGrpc.newBlockingStub(child.channel()).withDeadlineAfter(30, TimeUnit.SECONDS);
    var created =
        silences.createSilence(
            CreateSilenceRequest.newBuilder()
                .addMatchers("title = \"" + incident.getTitle() + "\"")
                .setEnd(Timestamp.newBuilder().setSeconds(Instant.now().getEpochSecond() + 3600))
                .setComment("known")
                .build());
    String id = created.getSilence().getId();
    assertThat(created.getSilence().getPartitions())
        .isEqualTo(silences.listSilences(ListSilencesRequest.getDefaultInstance()).getPartitions());
    await().until(() -> list(child, false).isEmpty());
    assertThat(list(child, true)).extracting(Incident::getSilencedBy).containsExactly(id);
    silences.expireSilence(ExpireSilenceRequest.newBuilder().setId(id).build());
    assertThat(list(child, false)).extracting(Incident::getId).containsExactly(incident.getId());
  }

  private static List<Incident> list(StandaloneChild child, boolean suppressed) {
    return child
        .incidents()
        .listIncidents(ListIncidentsRequest.newBuilder().setIncludeSuppressed(suppressed).build())
        .getIncidentsList();
  }

  private static void merge(StandaloneChild child, Incident incident) {
    String other =
        child
            .incidents()
            .createIncident(
                CreateIncidentRequest.newBuilder().setSource("desk").setTitle("all disks").build())
            .getIncident()
            .getId();
    Incident merged =
        child
            .incidents()
            .mergeIncident(
                MergeIncidentRequest.newBuilder().setId(incident.getId()).setInto(other).build())
            .getIncident();
    assertThat(merged.getMergedInto()).isEqualTo(other);
    assertThat(merged.getState()).isEqualTo(IncidentState.INCIDENT_STATE_RESOLVED);
    assertThat(get(child, other).getMergedFromList()).containsExactly(incident.getId());
  }

  private static Incident get(StandaloneChild child, String id) {
    return child
        .incidents()
        .getIncident(GetIncidentRequest.newBuilder().setId(id).build())
        .getIncident();
  }

  private static void failACall(StandaloneChild child) {
    assertThatThrownBy(() -> get(child, "no uuid")).hasMessageContaining("INVALID_ARGUMENT");
  }

  private static ServingStatus health(StandaloneChild child) {
    return HealthGrpc.newBlockingStub(child.channel())
        .withDeadlineAfter(10, TimeUnit.SECONDS)
        .check(HealthCheckRequest.getDefaultInstance())
        .getStatus();
  }

  private static List<String> services(StandaloneChild child) throws Exception {
    CompletableFuture<List<String>> names = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> requests =
        ServerReflectionGrpc.newStub(child.channel())
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    names.complete(
                        response.getListServicesResponse().getServiceList().stream()
                            .map(ServiceResponse::getName)
                            .toList());
                  }

                  @Override
                  public void onError(Throwable failure) {
                    names.completeExceptionally(failure);
                  }

                  @Override
                  public void onCompleted() {}
                });
    requests.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    List<String> found = names.get(10, TimeUnit.SECONDS);
    requests.onCompleted();
    return found;
  }

  private static HttpResponse<String> http(StandaloneChild child, String path) throws Exception {
    return HttpClient.newHttpClient()
        .send(
            HttpRequest.newBuilder(URI.create(child.ready("metrics") + path)).build(),
            HttpResponse.BodyHandlers.ofString());
  }
}
