package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class OpsServerTest {
  private final PrometheusMeterRegistry meters =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final Health health = new Health();
  private OpsServer server;

  @BeforeEach
  void open() throws IOException {
    server = new OpsServer("127.0.0.1", 0, meters, health);
  }

  @AfterEach
  void close() {
    server.close();
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + server.port() + path);
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }

  @Test
  void ready_listsTheConditionsThatAreNotMet() throws Exception {
    health.require("owners");
    health.unmet("kafka", "no broker answers");
    assertThat(get("/ready").statusCode()).isEqualTo(503);
    assertThat(get("/ready").body()).isEqualTo("kafka: no broker answers\nowners: not known yet\n");
    assertThat(get("/live").statusCode()).isEqualTo(200);
    health.met("owners");
    health.met("kafka");
    assertThat(get("/ready").statusCode()).isEqualTo(200);
  }

  @Test
  void metrics_areInPrometheusText() throws Exception {
    meters.counter("alerts.accepted").increment(3);
    HttpResponse<String> response = get("/metrics");
    assertThat(response.headers().firstValue("Content-Type"))
        .hasValueSatisfying(type -> assertThat(type).startsWith("text/plain; version=0.0.4"));
    assertThat(response.body()).contains("alerts_accepted_total 3.0");
  }

  @Test
  void otherPaths_areNotFound() throws Exception {
    assertThat(get("/").statusCode()).isEqualTo(404);
    assertThat(get("/liver").statusCode()).isEqualTo(404);
    assertThat(get("/metrics/x").statusCode()).isEqualTo(404);
  }

  @Test
  void port_thatIsTakenIsAnError() {
    assertThatThrownBy(() -> new OpsServer("127.0.0.1", server.port(), meters, health))
        .isInstanceOf(IOException.class);
  }

  @Test
  void close_freesThePort() throws IOException {
    int port = server.port();
    server.close();
    new OpsServer("127.0.0.1", port, meters, health).close();
  }
}
