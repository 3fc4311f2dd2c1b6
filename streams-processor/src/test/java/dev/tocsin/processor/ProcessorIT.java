package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.tocsin.broker.SharedBroker;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.IncidentStateGrpc.IncidentStateBlockingStub;
import dev.tocsin.proto.state.PartitionProgress;
import dev.tocsin.proto.state.ReadDigestRequest;
import dev.tocsin.proto.state.ReadProgressRequest;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Topics;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProcessorIT {
  @TempDir Path folder;

  private final Topics topics = new Topics("it-" + UUID.randomUUID(), "g1");
  private final Map<String, String> kafka = Map.of("bootstrap.servers", SharedBroker.bootstrap());
  private TestLog log;
  private Processor processor;
  private Server server;
  private ManagedChannel channel;
  private IncidentStateBlockingStub state;

  @BeforeEach
  void start() throws Exception {
    LogTopics.create(kafka, topics, TestLog.PARTITIONS, 1);
    log = new TestLog(topics, kafka);
    open();
  }

  @AfterEach
  void stop() throws Exception {
    shut();
    log.close();
  }

  @Test
  void processor_foldsAlertsIntoAnIncident() throws Exception {
    Alert alert = TestLog.alert("a1", "checkout", "High latency");
    log.append(alert);
    log.append(TestLog.alert("a2", "checkout", "High latency"));
    long last = log.append(TestLog.alert("a2", "checkout", "High latency"));
    Incident incident = onlyIncident(TestLog.partition(alert), last);
    assertThat(incident.getOccurrences()).isEqualTo(2);
    assertThat(incident.getRevision()).isEqualTo(1);
    assertThat(incident.getState()).isEqualTo(IncidentState.INCIDENT_STATE_DETECTED);
    assertThat(progress(TestLog.partition(alert)).getRedelivered()).isEqualTo(1);
  }

  @Test
  void processor_goesOnAfterARestart() throws Exception {
    Alert alert = TestLog.alert("a1", "checkout", "High latency");
    long first = log.append(alert);
    onlyIncident(TestLog.partition(alert), first);
    shut();
    long last = log.append(TestLog.alert("a2", "checkout", "High latency", AlertStatus.ENDED));
    open();
    Incident incident = onlyIncident(TestLog.partition(alert), last);
    assertThat(incident.getState()).isEqualTo(IncidentState.INCIDENT_STATE_RESOLVED);
    assertThat(
            state
                .readDigest(
                    ReadDigestRequest.newBuilder().setPartition(TestLog.partition(alert)).build())
                .getIncidents())
        .isEqualTo(1);
  }

  private Incident onlyIncident(int partition, long minOffset) {
    List<Incident> found =
        state
            .withDeadlineAfter(Duration.ofSeconds(20))
            .scanIncidents(
                ScanIncidentsRequest.newBuilder()
                    .setPartition(partition)
                    .setWorkspace("default")
                    .setLimit(10)
                    .setBeforeId(ByteString.EMPTY)
                    .setMinOffset(minOffset)
                    .build())
            .getIncidentsList();
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  private PartitionProgress progress(int partition) {
    return state.readProgress(ReadProgressRequest.getDefaultInstance()).getPartitionsList().stream()
        .filter(each -> each.getPartition() == partition)
        .findAny()
        .orElseThrow();
  }

  private void open() throws Exception {
    Health health = new Health();
    ProcessorConfig config =
        ProcessorConfig.read(
            Settings.of(
                Map.of(
                    "kafka.bootstrap.servers", SharedBroker.bootstrap(),
                    "log.prefix", topics.prefix(),
                    "processor.instance-id", "one",
                    "processor.state-folder", folder.toString())));
    processor = new Processor(config, new SimpleMeterRegistry(), health, Clock.systemUTC());
    processor.start();
    server =
        InProcessServerBuilder.forName(topics.prefix())
            .addService(processor.stateService())
            .build()
            .start();
    channel = InProcessChannelBuilder.forName(topics.prefix()).build();
    state = IncidentStateGrpc.newBlockingStub(channel);
    Awaitility.await().atMost(Duration.ofSeconds(30)).until(health::serving);
  }

  private void shut() {
    channel.shutdownNow();
    server.shutdownNow();
    processor.close();
  }
}
