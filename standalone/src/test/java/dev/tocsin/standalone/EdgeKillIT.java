package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.broker.FreePorts;
import dev.tocsin.ingest.EdgeMain;
import dev.tocsin.processor.ProcessorMain;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.query.QueryMain;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Topics;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * An edge killed again and again under load by clients that send anew what was not acknowledged.
 * {@code -Dedge.kills=20} for a longer run.
 */
@Timeout(600)
class EdgeKillIT {
  private static final int KILLS = Integer.getInteger("edge.kills", 3);
  private static final int CLIENTS = 2;
  private static final int BETWEEN_KILLS = 1_000;
  private static final int PARTITIONS = 4;
  private static final String SECRET = UUID.randomUUID().toString();

  @TempDir Path folder;

  private final String prefix = "it-" + UUID.randomUUID();
  private final List<ClusterMember> members = new ArrayList<>();

  @AfterEach
  void close() throws InterruptedException {
    for (ClusterMember member : members) {
      member.close();
    }
  }

  @Test
  void edgeKilledUnderLoad_everyAcknowledgedAlertIsInItsIncidentOnce() throws Exception {
    ClusterMember edge = up();
    List<ResendingClient> clients = new ArrayList<>();
    for (int i = 0; i < CLIENTS; i++) {
      clients.add(new ResendingClient(edge.channel(), "c" + i));
    }
    clients.forEach(ResendingClient::start);
    for (int kill = 0; kill < KILLS; kill++) {
      awaitMore(clients);
      edge.kill();
      edge.start();
    }
    awaitMore(clients);
    for (ResendingClient client : clients) {
      client.close();
    }
    Map<String, String> sent = new HashMap<>(); // alert id to service
    clients.forEach(client -> sent.putAll(client.acknowledged()));
    Map<String, Long> logged = logged();
    assertThat(logged.keySet()).as("on the log").isEqualTo(sent.keySet());
    Map<String, Long> expected =
        sent.values().stream().collect(Collectors.groupingBy(s -> s, Collectors.counting()));
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .ignoreException(StatusRuntimeException.class)
        .untilAsserted(() -> assertThat(counted(edge)).isEqualTo(expected));
    System.out.printf(
        "edge killed %d times: %d alerts acknowledged, each in its incident once; %d calls broken, %d alerts sent again, %d of them on the log twice%n",
        KILLS,
        sent.size(),
        clients.stream().mapToInt(ResendingClient::broken).sum(),
        clients.stream().mapToInt(ResendingClient::resent).sum(),
        logged.values().stream().filter(times -> times > 1).count());
  }

  private static void awaitMore(List<ResendingClient> clients) {
    for (ResendingClient client : clients) {
      client.awaitMore(BETWEEN_KILLS / CLIENTS);
    }
  }

  private ClusterMember up() throws IOException {
    int processor = FreePorts.choose(0);
    member(
        "processor",
        ProcessorMain.class,
        processor,
        "log.partitions=" + PARTITIONS,
        "log.replicas=1",
        "processor.port=" + processor,
        "processor.ops-port=0",
        "processor.address=127.0.0.1:" + processor,
        "processor.instance-id=p",
        "processor.state-folder=" + folder.resolve("state"));
    int query = FreePorts.choose(0);
    member(
        "query",
        QueryMain.class,
        query,
        "query.port=" + query,
        "ops.port=0",
        "query.processors=127.0.0.1:" + processor,
        "query.token-secret=" + SECRET,
        "forward.secret=" + SECRET);
    int port = FreePorts.choose(0);
    ClusterMember edge =
        member(
            "edge",
            EdgeMain.class,
            port,
            "edge.port=" + port,
            "edge.ops-port=0",
            "edge.forward-to=127.0.0.1:" + query,
            "forward.secret=" + SECRET);
    members.forEach(ClusterMember::awaitServing);
    return edge;
  }

  private ClusterMember member(String name, Class<?> main, int port, String... lines)
      throws IOException {
    List<String> settings = new ArrayList<>(List.of(lines));
    settings.add("kafka.bootstrap.servers=" + SharedBroker.bootstrap());
    settings.add("log.prefix=" + prefix);
    ClusterMember member = new ClusterMember(folder, name, main, port, settings);
    members.add(member);
    member.start();
    return member;
  }

  /** Occurrences by service, as a caller is told. */
  private static Map<String, Long> counted(ClusterMember edge) {
    return ResendingClient.list(edge.channel()).stream()
        .collect(
            Collectors.toMap(
                incident -> incident.getLabelsOrThrow("service"),
                Incident::getOccurrences,
                Long::sum));
  }

  /** How often each alert id stands on the log. */
  private Map<String, Long> logged() {
    String log = new Topics(prefix, "g1").log();
    List<TopicPartition> partitions =
        IntStream.range(0, PARTITIONS).mapToObj(i -> new TopicPartition(log, i)).toList();
    List<String> ids = new ArrayList<>();
    Codec<LogEntry> codec = Codec.of(LogEntry.class);
    var bytes = new ByteArrayDeserializer();
    Map<String, Object> config = Map.of("bootstrap.servers", SharedBroker.bootstrap());
    try (var consumer = new KafkaConsumer<>(config, bytes, bytes)) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
        consumer
            .poll(Duration.ofMillis(100))
            .forEach(
                record -> {
                  if (codec.decode(record.value()).getPayload() instanceof Alerts alerts) {
                    alerts.getAlerts().stream().map(Alert::getAlertId).forEach(ids::add);
                  }
                });
      }
    }
    return ids.stream().collect(Collectors.groupingBy(id -> id, Collectors.counting()));
  }
}
