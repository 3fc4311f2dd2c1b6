package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.broker.FreePorts;
import dev.tocsin.runtime.Settings;
import dev.tocsin.testsupport.SharedBroker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.utils.Utils;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A processor whose Kafka is not there yet. */
@Timeout(180)
class KafkaAwayIT {
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @TempDir Path folder;

  /** What stands where Kafka is looked for; Kafka itself then names its own address. */
  private record Door(ServerSocket socket) implements AutoCloseable {
    static Door open(int port) throws IOException {
      Door door = new Door(new ServerSocket(port, 50, InetAddress.getLoopbackAddress()));
      daemon(door::accept);
      return door;
    }

    private void accept() {
      Integer broker = Utils.getPort(SharedBroker.bootstrap());
      try {
        while (true) {
          Socket in = socket.accept();
          Socket out = new Socket(InetAddress.getLoopbackAddress(), broker);
          daemon(() -> copy(in, out));
          daemon(() -> copy(out, in));
        }
      } catch (IOException closed) {
        // the test is over
      }
    }

    private static void copy(Socket from, Socket to) {
      try (from;
          to) {
        from.getInputStream().transferTo(to.getOutputStream());
      } catch (IOException ended) {
        // so has the other direction
      }
    }

    private static void daemon(Runnable task) {
      Thread thread = new Thread(task, "door");
      thread.setDaemon(true);
      thread.start();
    }

    @Override
    public void close() throws IOException {
      socket.close();
    }
  }

  @Test
  void processor_isUpAndNotServingUntilKafkaComes() throws Exception {
    int kafka = FreePorts.choose(0);
    int ops = FreePorts.choose(0);
    ProcessorApp app = app(kafka, ops);
    CompletableFuture<Boolean> started = start(app);
    try {
      // Longer than an attempt takes.
      Awaitility.await()
          .during(Duration.ofSeconds(5))
          .atMost(Duration.ofSeconds(20))
          .ignoreException(IOException.class)
          .until(() -> ready(ops).statusCode() == 503 && !started.isDone());
      assertThat(ready(ops).body()).contains("Kafka");
      try (Door door = Door.open(kafka)) {
        assertThat(started.get(60, TimeUnit.SECONDS)).isTrue();
        Awaitility.await()
            .atMost(Duration.ofSeconds(60))
            .until(() -> ready(ops).statusCode() == 200);
        assertThat(door.socket().isBound()).isTrue();
      }
    } finally {
      app.close();
    }
  }

  @Test
  void processor_thatIsClosedMeanwhileEnds() throws Exception {
    int ops = FreePorts.choose(0);
    ProcessorApp app = app(FreePorts.choose(0), ops);
    CompletableFuture<Boolean> started = start(app);
    Awaitility.await()
        .ignoreException(IOException.class)
        .until(() -> ready(ops).statusCode() == 503);
    app.close();
    assertThat(started.get(30, TimeUnit.SECONDS)).isFalse();
  }

  private ProcessorApp app(int kafka, int ops) {
    return new ProcessorApp(
        Settings.of(
            Map.ofEntries(
                Map.entry("kafka.bootstrap.servers", "127.0.0.1:" + kafka),
                Map.entry("kafka.request.timeout.ms", "1000"),
                Map.entry("kafka.default.api.timeout.ms", "2000"),
                Map.entry("log.prefix", "it-" + UUID.randomUUID()),
                Map.entry("log.partitions", "1"),
                Map.entry("log.replicas", "1"),
                Map.entry("processor.port", "0"),
                Map.entry("processor.ops-port", Integer.toString(ops)),
                Map.entry("processor.state-folder", folder.toString()))));
  }

  private static CompletableFuture<Boolean> start(ProcessorApp app) {
    return CompletableFuture.supplyAsync(
        () -> {
          try {
            return app.start();
          } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private static HttpResponse<String> ready(int port) throws IOException, InterruptedException {
    return HTTP.send(
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/ready")).build(),
        HttpResponse.BodyHandlers.ofString());
  }
}
