package dev.tocsin.ops;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.Fold;
import dev.tocsin.proto.admin.ActivateRulesRequest;
import dev.tocsin.proto.admin.ActivateRulesResponse;
import dev.tocsin.proto.admin.GetRulesRequest;
import dev.tocsin.proto.admin.ListRulesVersionsRequest;
import dev.tocsin.proto.admin.RulesGrpc;
import dev.tocsin.proto.admin.RulesVersion;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.RulesBook;
import dev.tocsin.schemas.Topics;
import dev.tocsin.schemas.WriterSchema;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Publishing and activating rules on a real broker. */
final class RulesServiceIT {
  private static final int PARTITIONS = 3;

  private final String name = "t" + UUID.randomUUID();
  private final Topics topics = new Topics(name, "g1");
  private final OpsConfig config =
      new OpsConfig(topics, Map.of("bootstrap.servers", SharedBroker.bootstrap()));
  private Server server;
  private ManagedChannel channel;

  @BeforeEach
  void open() throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", SharedBroker.bootstrap()))) {
      admin
          .createTopics(
              List.of(
                  new NewTopic(topics.log(), PARTITIONS, (short) 1)
                      .configs(Map.of("max.message.bytes", "6291456")),
                  new NewTopic(topics.rules(), 1, (short) 1),
                  new NewTopic(topics.schemas(), 1, (short) 1)))
          .all()
          .get();
    }
    server =
        InProcessServerBuilder.forName(name).addService(new RulesService(config)).build().start();
    channel = InProcessChannelBuilder.forName(name).build();
  }

  @AfterEach
  void close() throws InterruptedException {
    channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    server.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
  }

  @Test
  void document_isPublished_andActivatedInEachPartition_andThenNamed() throws Exception {
    begin();
    String text = "rules: [{name: one}]";
    assertThat(activate(text)).isEqualTo(answer(2, false));

    List<LogEntry> entries = log();
    assertThat(entries).hasSize(PARTITIONS);
    assertThat(entries)
        .allSatisfy(
            entry -> {
              assertThat(entry.getEngineVersionMin()).isEqualTo(2);
              assertThat(entry.getEngineActivated()).isEqualTo(Fold.ENGINE_VERSION);
              Rules rules = ((RulesActivated) entry.getPayload()).getRules();
              assertThat(rules).isEqualTo(RulesDocument.parse(text).rules(2));
            });
    assertThat(book().activeVersion()).isEqualTo(2);
    RulesVersion read = get(0);
    assertThat(read.getVersion()).isEqualTo(2);
    assertThat(read.getDocument()).isEqualTo(text);
    assertThat(read.getActive()).isTrue();
    assertThat(read.getRules()).isEqualTo(1);
    assertThat(read.getPublishedAt().getSeconds()).isPositive();
    assertThat(get(1).getActive()).isFalse();
    assertThat(get(1).getDocument()).isEmpty();
    assertThatThrownBy(() -> get(3))
        .satisfies(e -> assertThat(code(e)).isEqualTo(Status.Code.NOT_FOUND));
  }

  @Test
  void activation_isWrittenWithAPublishedSchema() throws Exception {
    begin();
    assertThat(schemas()).isEmpty();
    activate("{}");
    WriterSchema own = WriterSchema.of(LogEntry.class);
    assertThat(schemas()).containsExactly(Map.entry(hex(own.key()), hex(own.json())));
    activate("rules: []");
    assertThat(schemas()).hasSize(1);
  }

  @Test
  void expressionThatIsABomb_isRefused() throws Exception {
    begin();
    String text =
        "rules: [{name: a, match: ['title =~ \"%s\"']}]".formatted("((a{1000}){1000}){1000}");
    assertThatThrownBy(() -> activate(text))
        .satisfies(e -> assertThat(code(e)).isEqualTo(Status.Code.INVALID_ARGUMENT));
    assertThat(log()).isEmpty();
    assertThat(activate("{}")).as("and the server lives").isEqualTo(answer(2, false));
  }

  @Test
  void sameDocumentAgain_changesNothing() throws Exception {
    begin();
    activate("{}");
    assertThat(activate("{}")).isEqualTo(answer(2, true));
    assertThat(log()).hasSize(PARTITIONS);
    assertThat(activate("{} # other")).isEqualTo(answer(3, false));
  }

  @Test
  void versions_areListedNewestFirst() throws Exception {
    begin();
    activate("{}");
    activate("rules: [{name: one}]");
    var listed = rules().listRulesVersions(ListRulesVersionsRequest.getDefaultInstance());
    assertThat(listed.getVersionsList())
        .extracting(RulesVersion::getVersion)
        .containsExactly(3, 2, 1);
    assertThat(listed.getVersionsList())
        .extracting(RulesVersion::getActive)
        .containsExactly(true, false, false);
    assertThat(listed.getVersionsList()).allSatisfy(v -> assertThat(v.getDocument()).isEmpty());
  }

  @Test
  void brokenDocument_isRefused_withEveryFault_andNothingWritten() throws Exception {
    begin();
    assertThatThrownBy(() -> activate("rule: []\ndefaults: {close_after: 1w}"))
        .isInstanceOf(StatusRuntimeException.class)
        .satisfies(
            e -> {
              assertThat(code(e)).isEqualTo(Status.Code.INVALID_ARGUMENT);
              var details = io.grpc.protobuf.StatusProto.fromThrowable(e);
              var request = details.getDetails(0).unpack(com.google.rpc.BadRequest.class);
              assertThat(request.getFieldViolationsList())
                  .extracting(com.google.rpc.BadRequest.FieldViolation::getField)
                  .containsExactly("1:1", "2:25");
            });
    assertThat(log()).isEmpty();
    assertThat(book().newest().orElseThrow().getVersion()).isEqualTo(1);
  }

  @Test
  void expectedVersion_mustBeTheActiveOne() throws Exception {
    begin();
    activate("{}");
    var stale =
        ActivateRulesRequest.newBuilder().setDocument("rules: []").setExpectedVersion(1).build();
    assertThatThrownBy(() -> rules().activateRules(stale))
        .satisfies(e -> assertThat(code(e)).isEqualTo(Status.Code.ABORTED));
    assertThat(rules().activateRules(stale.toBuilder().setExpectedVersion(2).build()))
        .isEqualTo(answer(3, false));
  }

  @Test
  void halfDoneActivation_isFinishedByTheNext() throws Exception {
    begin();
    Rules published = RulesDocument.parse("rules: [{name: left}]").rules(2);
    try (RulesWriter writer = new RulesWriter(config)) {
      writer.publish(published); // and dies
    }
    assertThat(book().activeVersion()).isEqualTo(1);
    assertThat(get(0).getVersion()).isEqualTo(1);

    assertThat(activate("{}")).isEqualTo(answer(3, false));

    assertThat(log().stream().map(RulesServiceIT::version).sorted())
        .containsExactly(2, 2, 2, 3, 3, 3);
    assertThat(book().activeVersion()).isEqualTo(3);
  }

  @Test
  void halfDoneActivation_ofTheSameDocument_isFinished_andNoVersionMore() throws Exception {
    begin();
    String text = "rules: [{name: left}]";
    try (RulesWriter writer = new RulesWriter(config)) {
      Rules published = RulesDocument.parse(text).rules(2);
      writer.publish(published);
      writer.appendActivations(published); // and dies before it names the version
    }
    assertThat(activate(text).getVersion()).isEqualTo(2);
    assertThat(book().activeVersion()).isEqualTo(2);
    assertThat(log()).hasSize(2 * PARTITIONS); // the second ones are ignored by the fold
  }

  @Test
  void olderWriter_isFenced_beforeItCanPublish() throws Exception {
    begin();
    try (RulesWriter older = new RulesWriter(config);
        RulesWriter newer = new RulesWriter(config)) {
      Rules rules = RulesDocument.parse("{}").rules(2);
      assertThatThrownBy(() -> older.publish(rules))
          .isInstanceOf(RulesWriter.FencedException.class);
      newer.publish(rules);
      assertThatThrownBy(() -> older.activate(rules))
          .isInstanceOf(RulesWriter.FencedException.class);
    }
    assertThat(book().activeVersion()).isEqualTo(1);
    assertThat(book().newest().orElseThrow().getVersion()).isEqualTo(2);
  }

  @Test
  void manyAtOnce_fromManyServices_neverPublishOneVersionTwice() throws Exception {
    begin();
    int writers = 4;
    ExecutorService threads = Executors.newFixedThreadPool(writers);
    CyclicBarrier together = new CyclicBarrier(writers);
    List<Callable<Integer>> calls =
        IntStream.range(0, writers).mapToObj(i -> activation(i, together)).toList();
    List<Integer> versions = new ArrayList<>();
    for (Future<Integer> each : threads.invokeAll(calls)) {
      if (each.get() > 0) {
        versions.add(each.get());
      }
    }
    threads.shutdown();
    assertThat(versions).isNotEmpty().doesNotHaveDuplicates();

    Map<Integer, List<String>> published = new TreeMap<>();
    new RulesTopic(config)
        .read(
            (rules, atMs) ->
                published
                    .computeIfAbsent(rules.getVersion(), v -> new ArrayList<>())
                    .add(rules.getText()));
    assertThat(published.values()).allSatisfy(texts -> assertThat(texts).hasSize(1));
    assertThat(activate("{}").getVersion()).isGreaterThan(Collections.max(versions));
    assertThat(book().activeVersion()).isEqualTo(book().newest().orElseThrow().getVersion());
  }

  private Callable<Integer> activation(int number, CyclicBarrier together) {
    return () -> {
      RulesService own = new RulesService(config); // as another process has it
      String ownName = name + number;
      Server ownServer = InProcessServerBuilder.forName(ownName).addService(own).build().start();
      ManagedChannel to = InProcessChannelBuilder.forName(ownName).build();
      try {
        together.await();
        return RulesGrpc.newBlockingStub(to)
            .withDeadlineAfter(60, TimeUnit.SECONDS)
            .activateRules(
                ActivateRulesRequest.newBuilder()
                    .setDocument("rules: [{name: w" + number + "}]")
                    .build())
            .getVersion();
      } catch (StatusRuntimeException e) {
        assertThat(code(e)).isEqualTo(Status.Code.ABORTED);
        return 0;
      } finally {
        to.shutdownNow();
        ownServer.shutdownNow();
      }
    };
  }

  @Test
  void logThatIsNotMade_isUnavailable() {
    assertThatThrownBy(() -> activate("{}"))
        .satisfies(e -> assertThat(code(e)).isEqualTo(Status.Code.UNAVAILABLE));
    assertThatThrownBy(() -> get(0))
        .satisfies(e -> assertThat(code(e)).isEqualTo(Status.Code.NOT_FOUND));
  }

  @Test
  void topicOfANewerProgram_isLeftAlone() throws Exception {
    begin();
    byte[] unknown = Codec.of(Rules.class).encode(DefaultRules.read());
    unknown[5] ^= 1; // another schema's fingerprint
    put(RulesBook.key(2), unknown);
    assertThatThrownBy(() -> activate("{}"))
        .satisfies(e -> assertThat(code(e)).isEqualTo(Status.Code.FAILED_PRECONDITION));
    assertThat(log()).isEmpty();
  }

  /** As a log begins. */
  private void begin() throws Exception {
    put(RulesBook.key(1), Codec.of(Rules.class).encode(DefaultRules.read()));
  }

  private void put(byte[] key, byte[] value) throws Exception {
    Map<String, Object> settings = Map.of("bootstrap.servers", SharedBroker.bootstrap());
    var bytes = new ByteArraySerializer();
    try (var producer = new KafkaProducer<>(settings, bytes, bytes)) {
      producer.send(new ProducerRecord<>(topics.rules(), key, value)).get();
    }
  }

  private RulesBook book() {
    return new RulesTopic(config).read((rules, atMs) -> {});
  }

  private List<LogEntry> log() {
    List<LogEntry> entries = new ArrayList<>();
    read(
        IntStream.range(0, PARTITIONS).mapToObj(i -> new TopicPartition(topics.log(), i)).toList(),
        record -> entries.add(Codec.of(LogEntry.class).decode(record.value())));
    return entries;
  }

  /** Keys and values, in hexadecimal. */
  private List<Map.Entry<String, String>> schemas() {
    List<Map.Entry<String, String>> found = new ArrayList<>();
    read(
        List.of(new TopicPartition(topics.schemas(), 0)),
        record -> found.add(Map.entry(hex(record.key()), hex(record.value()))));
    return found;
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static void read(
      List<TopicPartition> partitions, Consumer<ConsumerRecord<byte[], byte[]>> each) {
    Map<String, Object> settings = Map.of("bootstrap.servers", SharedBroker.bootstrap());
    var bytes = new ByteArrayDeserializer();
    try (var reader = new KafkaConsumer<>(settings, bytes, bytes)) {
      reader.assign(partitions);
      reader.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = reader.endOffsets(partitions);
      while (partitions.stream().anyMatch(at -> reader.position(at) < ends.get(at))) {
        reader.poll(Duration.ofMillis(100)).forEach(each);
      }
    }
  }

  private static int version(LogEntry entry) {
    return ((RulesActivated) entry.getPayload()).getRules().getVersion();
  }

  private RulesGrpc.RulesBlockingStub rules() {
    return RulesGrpc.newBlockingStub(channel).withDeadlineAfter(60, TimeUnit.SECONDS);
  }

  private ActivateRulesResponse activate(String text) {
    return rules().activateRules(ActivateRulesRequest.newBuilder().setDocument(text).build());
  }

  private RulesVersion get(int version) {
    return rules().getRules(GetRulesRequest.newBuilder().setVersion(version).build()).getVersion();
  }

  private static ActivateRulesResponse answer(int version, boolean unchanged) {
    return ActivateRulesResponse.newBuilder().setVersion(version).setUnchanged(unchanged).build();
  }

  private static Status.Code code(Throwable e) {
    return Status.fromThrowable(e).getCode();
  }
}
