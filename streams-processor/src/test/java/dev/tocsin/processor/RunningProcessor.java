package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import dev.tocsin.proto.admin.PartitionProgress;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.IncidentStateGrpc.IncidentStateBlockingStub;
import dev.tocsin.proto.state.ReadDigestRequest;
import dev.tocsin.proto.state.ReadDigestResponse;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.proto.state.ReadProgressRequest;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.Topics;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;
import org.awaitility.Awaitility;

/** A processor in this JVM on the shared broker, and a client of its state server. */
final class RunningProcessor implements AutoCloseable {
  static final Map<String, String> KAFKA = Map.of("bootstrap.servers", SharedBroker.bootstrap());

  final Health health = new Health();
  final MeterRegistry meters = new SimpleMeterRegistry();
  final Duration startup;
  final IncidentStateBlockingStub state;
  private final Processor processor;
  private final Server server;
  private final ManagedChannel channel;

  /** One that serves. */
  RunningProcessor(Topics topics, Path folder, Map<String, String> more) throws Exception {
    this(topics, folder, more, Health::serving);
  }

  /** One whose health has come to be so. */
  RunningProcessor(Topics topics, Path folder, Map<String, String> more, Predicate<Health> started)
      throws Exception {
    long startNs = System.nanoTime();
    processor = new Processor(config(topics, folder, more), meters, health, Clock.systemUTC());
    processor.start();
    String name = UUID.randomUUID().toString();
    server =
        InProcessServerBuilder.forName(name).addService(processor.stateService()).build().start();
    channel = InProcessChannelBuilder.forName(name).build();
    state = IncidentStateGrpc.newBlockingStub(channel);
    Awaitility.await()
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> started.test(health));
    startup = Duration.ofNanos(System.nanoTime() - startNs);
  }

  static Topics topics() {
    return new Topics("it-" + UUID.randomUUID(), "g1");
  }

  static ProcessorConfig config(Topics topics, Path folder, Map<String, String> more) {
    Map<String, String> settings = new HashMap<>();
    settings.put("kafka.bootstrap.servers", SharedBroker.bootstrap());
    settings.put("log.prefix", topics.prefix());
    settings.put("processor.generation", topics.generation());
    settings.put("processor.instance-id", "one");
    settings.put("processor.state-folder", folder.toString());
    settings.putAll(more);
    return ProcessorConfig.read(Settings.of(settings));
  }

  List<Incident> incidents(int partition, long minOffset) {
    return state
        .withDeadlineAfter(Duration.ofSeconds(30))
        .scanIncidents(
            ScanIncidentsRequest.newBuilder()
                .setPartition(partition)
                .setWorkspace("default")
                .setLimit(1_000)
                .setMinOffset(minOffset)
                .build())
        .getIncidentsList();
  }

  Incident onlyIncident(int partition, long minOffset) {
    List<Incident> found = incidents(partition, minOffset);
    assertThat(found).hasSize(1);
    return found.get(0);
  }

  /** What became of a command that was appended at this offset. */
  ReadOutcomeResponse outcome(int partition, long offset, Command command) {
    return state
        .withDeadlineAfter(Duration.ofSeconds(30))
        .readOutcome(
            ReadOutcomeRequest.newBuilder()
                .setPartition(partition)
                .setWorkspace(command.getWorkspace())
                .setRequestId(command.getRequestId())
                .setContent(ByteString.copyFrom(command.getContent().bytes()))
                .setMinOffset(offset)
                .build());
  }

  PartitionProgress progress(int partition) {
    return state.readProgress(ReadProgressRequest.getDefaultInstance()).getPartitionsList().stream()
        .filter(each -> each.getPartition() == partition)
        .findAny()
        .orElseThrow();
  }

  ReadDigestResponse digest(int partition) {
    return state.readDigest(ReadDigestRequest.newBuilder().setPartition(partition).build());
  }

  @Override
  public void close() {
    channel.shutdownNow();
    server.shutdownNow();
    processor.close();
  }
}
