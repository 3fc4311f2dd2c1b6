package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.runtime.Health;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Topics;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogTopicsIT {
  private static final Map<String, String> KAFKA = RunningProcessor.KAFKA;

  @TempDir Path folder;

  private final Topics topics = RunningProcessor.topics();

  @Test
  void create_twiceComesToTheSame() throws Exception {
    LogTopics.create(KAFKA, topics, 2, 1);
    LogTopics.create(KAFKA, topics, 2, 1);
    for (int partition = 0; partition < 2; partition++) {
      assertThat(LogReader.read(topics.log(), partition)).hasSize(1);
      assertBeginsWithTheRules(partition);
    }
    assertThat(LogReader.read(topics.rules(), 0))
        .singleElement()
        .satisfies(
            version ->
                assertThat(Codec.of(Rules.class).decode(version.value()))
                    .isEqualTo(DefaultRules.read()));
    assertThat(setting(topics.log(), "message.timestamp.type")).isEqualTo("LogAppendTime");
    assertThat(setting(topics.log(), "retention.ms")).isEqualTo("-1");
    assertThat(setting(topics.rules(), "cleanup.policy")).isEqualTo("compact");
    assertThat(setting(topics.schemas(), "cleanup.policy")).isEqualTo("compact");
  }

  @Test
  void create_byManyAtOnceComesToTheSame() {
    List<CompletableFuture<Void>> all =
        IntStream.range(0, 4)
            .mapToObj(
                any -> CompletableFuture.runAsync(() -> LogTopics.create(KAFKA, topics, 2, 1)))
            .toList();
    all.forEach(CompletableFuture::join);
    for (int partition = 0; partition < 2; partition++) {
      assertBeginsWithTheRules(partition);
    }
    assertThat(LogReader.read(topics.rules(), 0)).isNotEmpty();
  }

  @Test
  void create_withAnotherNumberOfPartitionsIsRefused() {
    LogTopics.create(KAFKA, topics, 2, 1);
    assertThatThrownBy(() -> LogTopics.create(KAFKA, topics, 3, 1))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("has 2 partitions, not 3");
  }

  @Test
  void ensure_givesAGenerationTheBeginningOnce() throws Exception {
    LogTopics.create(KAFKA, topics, 2, 1);
    try (Admin admin = Admin.create(Map.copyOf(KAFKA))) {
      assertThat(FirstOffsets.ensure(admin, topics.log(), "g"))
          .isEqualTo(new FirstOffsets.Shape(2, 1));
      assertThat(LogReader.committed(admin, "g", topics.log(), 1)).isZero();
      TopicPartition second = new TopicPartition(topics.log(), 1);
      admin
          .alterConsumerGroupOffsets(
              "g", Map.of(second, new org.apache.kafka.clients.consumer.OffsetAndMetadata(1)))
          .all()
          .get();
      var unused = FirstOffsets.ensure(admin, topics.log(), "g");
      assertThat(LogReader.committed(admin, "g", topics.log(), 1)).isEqualTo(1);
    }
  }

  @Test
  void ensure_leavesAGroupThatRunsAlone() throws Exception {
    LogTopics.create(KAFKA, topics, 2, 1);
    Map<String, Object> settings = new HashMap<>(KAFKA);
    String group = topics.applicationId();
    settings.put("group.id", group);
    try (Admin admin = Admin.create(Map.copyOf(KAFKA));
        var member =
            new KafkaConsumer<>(
                settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      member.subscribe(Set.of(topics.log()));
      while (member.assignment().isEmpty()) {
        member.poll(Duration.ofMillis(50));
      }
      assertThat(FirstOffsets.ensure(admin, topics.log(), group).partitions()).isEqualTo(2);
    }
  }

  @Test
  void log_thatLostItsBeginningIsRefused() throws Exception {
    LogTopics.create(KAFKA, topics, 2, 1);
    TopicPartition second = new TopicPartition(topics.log(), 1);
    try (TestLog log = new TestLog(topics, KAFKA);
        Admin admin = Admin.create(Map.copyOf(KAFKA))) {
      log.append(1, Codec.of(LogEntry.class).encode(LogEntries.tick()));
      admin.deleteRecords(Map.of(second, RecordsToDelete.beforeOffset(1))).all().get();
    }
    Topics next = new Topics(topics.prefix(), "g2");
    LogTopics.create(KAFKA, next, 2, 1);
    Health health = new Health();
    Processor processor =
        new Processor(
            RunningProcessor.config(next, folder, Map.of()),
            new SimpleMeterRegistry(),
            health,
            Clock.systemUTC());
    assertThatThrownBy(processor::start)
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(second + " begins at offset 1");
    assertThat(health.serving()).isFalse();
  }

  private void assertBeginsWithTheRules(int partition) {
    LogEntry first =
        Codec.of(LogEntry.class).decode(LogReader.read(topics.log(), partition).get(0).value());
    assertThat(first.getPayload()).isInstanceOf(RulesActivated.class);
    assertThat(first.getEngineActivated()).isEqualTo(Fold.ENGINE_VERSION);
  }

  private static String setting(String topic, String name) throws Exception {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    try (Admin admin = Admin.create(Map.copyOf(KAFKA))) {
      return admin.describeConfigs(Set.of(resource)).all().get().get(resource).get(name).value();
    }
  }
}
