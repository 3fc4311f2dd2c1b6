package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.tocsin.access.ServerTls;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.testsupport.Certificates;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole process's parts, over the network on both sides. */
class QueryAppTest {
  private static QueryApp app(String processor) {
    return new QueryApp(configuration(processor));
  }

  private static QueryApp.Config configuration(String processor) {
    return QueryMain.configuration(
        new String[0],
        Map.of(
            "TOCSIN_QUERY_PROCESSORS", processor,
            "TOCSIN_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1",
            "TOCSIN_QUERY_PORT", "0",
            "TOCSIN_OPS_PORT", "0"));
  }

  @Test
  void configuration_letsOneConnectionHaveEveryCallThatAnEdgeForwards() {
    int forwardsMaxAtMost = 1_000_000;
    assertThat(configuration("a:1").grpc().connectionCallsMax())
        .isGreaterThanOrEqualTo(forwardsMaxAtMost);
  }

  private static HttpResponse<String> http(QueryApp app, String path) throws Exception {
    URI uri = URI.create("http://127.0.0.1:" + app.opsPort() + path);
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void app_servesIncidentsHealthAndMetrics() throws Exception {
    FakeProcessors processors = new FakeProcessors(2);
    Server processor =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(processors.state("self"))
            .build();
    processor.start();
    String address = "127.0.0.1:" + processor.getPort();
    try (QueryApp app = app(address).start()) {
      ManagedChannel channel =
          NettyChannelBuilder.forAddress("127.0.0.1", app.port()).usePlaintext().build();
      try {
        assertThat(http(app, "/live").statusCode()).isEqualTo(200);
        assertThat(http(app, "/ready").statusCode()).isEqualTo(503);
        assertThat(http(app, "/ready").body()).contains("owners: ");

        processors.owned("self", address);
        await().untilAsserted(() -> assertThat(http(app, "/ready").statusCode()).isEqualTo(200));
        assertThat(
                HealthGrpc.newBlockingStub(channel)
                    .check(HealthCheckRequest.getDefaultInstance())
                    .getStatus())
            .isEqualTo(ServingStatus.SERVING);

        Incident incident = processors.open("default", 1, 2);
        var incidents = IncidentServiceGrpc.newBlockingStub(channel);
        assertThat(
                incidents
                    .getIncident(GetIncidentRequest.newBuilder().setId(incident.getId()).build())
                    .getIncident())
            .isEqualTo(incident);
        assertThat(
                incidents
                    .listIncidents(ListIncidentsRequest.getDefaultInstance())
                    .getIncidentsList())
            .containsExactly(incident);
        assertThat(http(app, "/metrics").body())
            .contains(
                "grpc_requests_total{method=\"incidents.IncidentService/GetIncident\"} 1.0",
                "query_owner_calls_total{method=\"read_incident\",outcome=\"OK\"} 1.0",
                "query_owner_calls_total{method=\"scan_incidents\",outcome=\"OK\"} 2.0",
                "query_list_rounds_count 1",
                "query_commands_total{kind=\"create\",outcome=\"DONE\"} 0.0",
                "query_command_time_seconds_bucket{kind=\"note\",le=\"0.005\"}",
                "query_log_up 0.0");
      } finally {
        channel.shutdownNow();
      }
    } finally {
      processor.shutdownNow();
    }
  }

  /** By its settings alone. */
  @Test
  void owners_areCalledEncrypted_andSeeACertificate(@TempDir Path folder) throws Exception {
    Certificates authority = new Certificates(folder, "authority");
    Certificates.Issued processor = authority.issue("processor");
    Certificates.Issued query = authority.issue("query");
    Path authorities = authority.authority();
    FakeProcessors processors = new FakeProcessors(1);
    try (ServerTls tls =
        new ServerTls(
            new ServerTls.Config(
                processor.certificate(),
                processor.key(),
                Optional.of(authorities),
                Duration.ofHours(1)))) {
      Server owner =
          NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
              .sslContext(tls.context())
              .addService(processors.state("self"))
              .build()
              .start();
      String address = "localhost:" + owner.getPort();
      QueryApp.Config config =
          QueryMain.configuration(
              new String[0],
              Map.of(
                  "TOCSIN_QUERY_PROCESSORS",
                  address,
                  "TOCSIN_KAFKA_BOOTSTRAP_SERVERS",
                  "127.0.0.1:1",
                  "TOCSIN_QUERY_PORT",
                  "0",
                  "TOCSIN_OPS_PORT",
                  "0",
                  "TOCSIN_FORWARD_TLS_CA_FILE",
                  authorities.toString(),
                  "TOCSIN_FORWARD_TLS_CERTIFICATE_FILE",
                  query.certificate().toString(),
                  "TOCSIN_FORWARD_TLS_KEY_FILE",
                  query.key().toString()));
      try (QueryApp app = new QueryApp(config).start()) {
        processors.owned("self", address);
        await()
            .atMost(Duration.ofSeconds(60))
            .untilAsserted(() -> assertThat(http(app, "/ready").statusCode()).isEqualTo(200));
      } finally {
        owner.shutdownNow();
      }
    }
  }

  @Test
  void start_thatFailsClosesWhatWasOpened() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      QueryApp app =
          new QueryApp(
              QueryMain.configuration(
                  new String[0],
                  Map.of(
                      "TOCSIN_QUERY_PROCESSORS", "127.0.0.1:1",
                      "TOCSIN_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1",
                      "TOCSIN_QUERY_PORT", Integer.toString(taken.getLocalPort()),
                      "TOCSIN_OPS_PORT", "0")));
      assertThatThrownBy(app::start).isInstanceOf(IOException.class);
      assertThatThrownBy(() -> http(app, "/live")).isInstanceOf(IOException.class);
    }
  }
}
