package dev.tocsin.ingest;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesBook;
import dev.tocsin.schemas.Topics;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;

/** An edge on a real gRPC server, with a log of its own on a real broker. */
final class EdgeFixture implements AutoCloseable {
  static final int PARTITIONS = 4;

  private final Lifetime lifetime = new Lifetime();
  final String bootstrap;
  final Topics topics;
  final Health health = new Health();
  final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  final Edge edge;
  final GrpcServer server;
  final ManagedChannel channel;

  /** An alert as it stands on the log, and where. */
  record Logged(int partition, long offset, int index, Alert alert, int rulesVersion) {}

  private EdgeFixture(String bootstrap, String prefix, Map<String, String> settings)
      throws Exception {
    this.bootstrap = bootstrap;
    this.topics = new Topics(prefix, "g1");
    Map<String, String> all = new TreeMap<>(settings);
    all.put("log.prefix", prefix);
    all.put("kafka.bootstrap.servers", bootstrap);
    Settings read = Settings.of(all);
    EdgeConfig config = EdgeConfig.read(read);
    GrpcServer.Config grpc = GrpcServer.Config.read(read, "edge", 0);
    read.check();
    edge = new Edge(config, meters, health, Clock.systemUTC());
    server = new GrpcServer(grpc, meters, health);
    edge.services().forEach(server::serveDirect);
    lifetime.add(server.start());
    lifetime.add(edge);
    channel = lifetime.add(new Channel(server.port())).channel;
    edge.start();
  }

  private record Channel(ManagedChannel channel) implements AutoCloseable {
    Channel(int port) {
      this(ManagedChannelBuilder.forAddress("127.0.0.1", port).usePlaintext().build());
    }

    @Override
    public void close() throws InterruptedException {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  /** An edge whose log there is not yet, nor need there be a broker. */
  static EdgeFixture withoutLog(String bootstrap, String prefix, Map<String, String> settings)
      throws Exception {
    return new EdgeFixture(bootstrap, prefix, settings);
  }

  /** An edge that serves. */
  static EdgeFixture serving(String bootstrap, Map<String, String> settings) throws Exception {
    String prefix = "t" + UUID.randomUUID();
    createLog(bootstrap, prefix, Map.of("max.message.bytes", Integer.toString(6 << 20)));
    EdgeFixture fixture = new EdgeFixture(bootstrap, prefix, settings);
    fixture.awaitServing();
    return fixture;
  }

  /** A log that has its first rules. */
  static void createLog(String bootstrap, String prefix, Map<String, String> topicSettings)
      throws InterruptedException, ExecutionException {
    createTopics(bootstrap, prefix, topicSettings);
    publish(bootstrap, prefix, DefaultRules.read());
  }

  /** All topics that an edge needs, and nothing in them. */
  static void createTopics(String bootstrap, String prefix, Map<String, String> topicSettings)
      throws InterruptedException, ExecutionException {
    createLogAlone(bootstrap, prefix, topicSettings);
    createSchemas(bootstrap, prefix);
  }

  /** Without the topic of schemas. */
  static void createLogAlone(String bootstrap, String prefix, Map<String, String> topicSettings)
      throws InterruptedException, ExecutionException {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      Topics topics = new Topics(prefix, "g1");
      NewTopic log = newTopic(topics.log(), PARTITIONS);
      NewTopic rules = newTopic(topics.rules(), 1);
      admin.createTopics(List.of(log.configs(topicSettings), rules)).all().get();
    }
  }

  /** As many replicas as the cluster gives by itself. */
  private static NewTopic newTopic(String name, int partitions) {
    return new NewTopic(name, Optional.of(partitions), Optional.empty());
  }

  /** Writes a version into the rules topic; from version 2 on it is not active by that. */
  static void publish(String bootstrap, String prefix, Rules rules)
      throws InterruptedException, ExecutionException {
    writeRules(
        bootstrap, prefix, RulesBook.key(rules.getVersion()), Codec.of(Rules.class).encode(rules));
  }

  /** Writes down that every partition has this version. */
  static void nameActive(String bootstrap, String prefix, int version)
      throws InterruptedException, ExecutionException {
    writeRules(bootstrap, prefix, RulesBook.activeKey(), RulesBook.activeValue(version));
  }

  private static void writeRules(String bootstrap, String prefix, byte[] key, byte[] value)
      throws InterruptedException, ExecutionException {
    Map<String, Object> config = Map.of("bootstrap.servers", bootstrap);
    var bytes = new ByteArraySerializer();
    try (var producer = new KafkaProducer<>(config, bytes, bytes)) {
      String topic = new Topics(prefix, "g1").rules();
      producer.send(new ProducerRecord<>(topic, key, value)).get();
    }
  }

  static void createSchemas(String bootstrap, String prefix)
      throws InterruptedException, ExecutionException {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      NewTopic schemas = newTopic(new Topics(prefix, "g1").schemas(), 1);
      admin.createTopics(List.of(schemas.configs(Map.of("cleanup.policy", "compact")))).all().get();
    }
  }

  void awaitServing() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(20))
        .untilAsserted(
            () -> org.assertj.core.api.Assertions.assertThat(health.problems()).isEmpty());
  }

  AlertIngestionGrpc.AlertIngestionBlockingStub calls() {
    return AlertIngestionGrpc.newBlockingStub(channel).withDeadlineAfter(30, TimeUnit.SECONDS);
  }

  AlertIngestionGrpc.AlertIngestionStub streams() {
    return AlertIngestionGrpc.newStub(channel);
  }

  double gauge(String name) {
    return meters.get(name).gauge().value();
  }

  double count(String name) {
    return meters.get(name).counter().count();
  }

  double count(String name, String tag, String value) {
    return meters.get(name).tag(tag, value).counter().count();
  }

  /** Everything that the log holds, in order within a partition. */
  List<Logged> log() {
    return log(bootstrap, topics.prefix());
  }

  /** Everything that this log holds. */
  static List<Logged> log(String bootstrap, String prefix) {
    List<Logged> all = new ArrayList<>();
    Codec<LogEntry> codec = Codec.of(LogEntry.class);
    for (ConsumerRecord<byte[], byte[]> record : records(bootstrap, prefix)) {
      var alerts = (dev.tocsin.schemas.Alerts) codec.decode(record.value()).getPayload();
      for (int i = 0; i < alerts.getAlerts().size(); i++) {
        all.add(
            new Logged(
                record.partition(),
                record.offset(),
                i,
                alerts.getAlerts().get(i),
                alerts.getRulesVersion()));
      }
    }
    return all;
  }

  /** The log's entries, in order within a partition. */
  List<ConsumerRecord<byte[], byte[]>> records() {
    return records(bootstrap, topics.prefix());
  }

  private static List<ConsumerRecord<byte[], byte[]>> records(String bootstrap, String prefix) {
    return records(bootstrap, new Topics(prefix, "g1").log(), PARTITIONS);
  }

  /** The schemas that are published for this log. */
  static List<ConsumerRecord<byte[], byte[]>> schemas(String bootstrap, String prefix) {
    return records(bootstrap, new Topics(prefix, "g1").schemas(), 1);
  }

  private static List<ConsumerRecord<byte[], byte[]>> records(
      String bootstrap, String topic, int count) {
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    List<TopicPartition> partitions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      partitions.add(new TopicPartition(topic, i));
    }
    Map<String, Object> config = Map.of("bootstrap.servers", bootstrap);
    var bytes = new ByteArrayDeserializer();
    try (var consumer = new KafkaConsumer<>(config, bytes, bytes)) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
        consumer.poll(Duration.ofMillis(100)).forEach(all::add);
      }
    }
    return all;
  }

  /** The one alert of this id on the log, if it is there. */
  Optional<Logged> logged(String alertId) {
    return log().stream().filter(l -> l.alert().getAlertId().equals(alertId)).findFirst();
  }

  @Override
  public void close() {
    lifetime.close();
  }
}
