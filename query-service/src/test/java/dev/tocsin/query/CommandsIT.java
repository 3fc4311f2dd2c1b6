package dev.tocsin.query;

import static dev.tocsin.query.ServedQuery.error;
import static dev.tocsin.query.ServedQuery.reason;
import static dev.tocsin.query.ServedQuery.saysWhenToRetry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tocsin.broker.BrokerProcess;
import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.AddNoteResponse;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Partitions;
import dev.tocsin.schemas.Topics;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands over a real log; the owner that answers for them is scripted. */
class CommandsIT {
  private static final int PARTITIONS = 4;
  private static final long ROUTE = 77L << 40;
  private static final String ID = IncidentId.text(IncidentId.of(1_000, ROUTE, 1));
  private static final int OWN = Partitions.of(ROUTE, PARTITIONS);

  @TempDir Path folder;

  private final String prefix = "t" + UUID.randomUUID();
  private final FakeProcessors processors = new FakeProcessors(PARTITIONS).open("a").assign("a");
  private ServedQuery query;

  @AfterEach
  void close() {
    if (query != null) {
      query.close();
    }
    processors.close();
  }

  private void serve(String bootstrap, Map<String, String> more) {
    Map<String, String> all = new TreeMap<>(more);
    all.put("kafka.bootstrap.servers", bootstrap);
    all.put("log.prefix", prefix);
    all.put("query.processors", "a");
    Settings settings = Settings.of(all);
    QueryConfig config = QueryConfig.read(settings);
    settings.check();
    query =
        new ServedQuery(
            processors, config, () -> new KafkaProducer<>(config.commands().producerConfig()));
    await().until(query.health::serving);
  }

  private void createLog(String bootstrap) throws InterruptedException, ExecutionException {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      NewTopic log = new NewTopic(new Topics(prefix, "g1").log(), PARTITIONS, (short) 1);
      admin.createTopics(List.of(log)).all().get();
    }
  }

  /** What the incident's partition holds. */
  private List<ConsumerRecord<byte[], byte[]>> log(String bootstrap) {
    TopicPartition partition = new TopicPartition(new Topics(prefix, "g1").log(), OWN);
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    ByteArrayDeserializer bytes = new ByteArrayDeserializer();
    try (var consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", bootstrap), bytes, bytes)) {
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = consumer.endOffsets(List.of(partition)).get(partition);
      while (consumer.position(partition) < end) {
        consumer.poll(Duration.ofMillis(100)).forEach(all::add);
      }
    }
    return all;
  }

  private static Command command(ConsumerRecord<byte[], byte[]> record) {
    return Codec.of(LogEntry.class).decode(record.value()).getCommand();
  }

  private static AddNoteRequest note(String requestId) {
    return AddNoteRequest.newBuilder().setId(ID).setText("seen").setRequestId(requestId).build();
  }

  private static StatusRuntimeException failure(Future<?> answer) throws Exception {
    try {
      answer.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      return (StatusRuntimeException) e.getCause();
    }
    throw new AssertionError("the call did not fail");
  }

  @Test
  void commands_areOnTheLogWhereTheOwnerIsAskedForThem() throws Exception {
    createLog(SharedBroker.bootstrap());
    serve(SharedBroker.bootstrap(), Map.of());
    List<Future<AddNoteResponse>> answers = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      answers.add(IncidentServiceGrpc.newFutureStub(query.channel).addNote(note("r" + i)));
    }
    for (Future<AddNoteResponse> answer : answers) {
      assertThat(answer.get(30, TimeUnit.SECONDS).getRequestId()).startsWith("r");
    }
    List<ConsumerRecord<byte[], byte[]>> log = log(SharedBroker.bootstrap());
    assertThat(log).hasSize(200);
    assertThat(processors.outcomeRequests).hasSize(200);
    for (ReadOutcomeRequest asked : processors.outcomeRequests) {
      Command logged = command(log.get((int) asked.getMinOffset()));
      assertThat(asked.getPartition()).isEqualTo(OWN);
      assertThat(logged.getRequestId()).isEqualTo(asked.getRequestId());
      assertThat(logged.getContent().bytes()).isEqualTo(asked.getContent().toByteArray());
    }
  }

  @Test
  void logWithoutABroker_takesNothingAndTakesCommandsWhenItComes() throws Exception {
    int port = freePort();
    serve("127.0.0.1:" + port, Map.of());
    long begun = System.nanoTime();
    List<Future<AddNoteResponse>> answers = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      answers.add(IncidentServiceGrpc.newFutureStub(query.channel).addNote(note("r" + i)));
    }
    for (Future<AddNoteResponse> answer : answers) {
      StatusRuntimeException error = failure(answer);
      assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
      assertThat(reason(error).getReason()).isEqualTo("NOT_APPENDED");
      assertThat(saysWhenToRetry(error)).isTrue();
    }
    // The line is refused as one; each for itself would have taken a second.
    assertThat(secondsSince(begun)).isLessThan(5);
    assertThat(query.health.serving()).isTrue();
    assertThat(query.meters.get("query.log.up").gauge().value()).isZero();

    try (BrokerProcess broker = BrokerProcess.start(folder, port, Optional.empty())) {
      createLog(broker.bootstrap());
      await()
          .atMost(Duration.ofSeconds(20))
          .ignoreExceptions()
          .untilAsserted(
              () -> assertThat(query.incidents.addNote(note("r")).getRequestId()).isEqualTo("r"));
      assertThat(query.meters.get("query.log.up").gauge().value()).isEqualTo(1);
    }
  }

  @Test
  void stoppedBroker_blocksNobodyAndAskingAgainSettlesWhatIsUnknown() throws Exception {
    try (BrokerProcess broker = BrokerProcess.start(folder, 0, Optional.empty())) {
      createLog(broker.bootstrap());
      serve(broker.bootstrap(), Map.of("query.timeout", "5s"));
      Incident incident = processors.open("default", 1_000, ROUTE);
      query.incidents.addNote(note("before"));

      signal(broker, "STOP");
      try {
        long stopped = System.nanoTime();
        var calls =
            IncidentServiceGrpc.newFutureStub(query.channel)
                .withDeadlineAfter(20, TimeUnit.SECONDS);
        var hasty =
            IncidentServiceGrpc.newFutureStub(query.channel)
                .withDeadlineAfter(2, TimeUnit.SECONDS)
                .addNote(note("hasty"));
        List<Future<AddNoteResponse>> answers = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
          answers.add(calls.addNote(note("during-" + i)));
        }
        while (secondsSince(stopped) < 3) { // nobody waits for the log on a thread of gRPC
          long asked = System.nanoTime();
          query.incidents.getIncident(
              GetIncidentRequest.newBuilder().setId(incident.getId()).build());
          assertThat(secondsSince(asked)).isLessThan(1);
        }
        StatusRuntimeException late = failure(hasty);
        assertThat(late.getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
        assertUnknown(late, "hasty");
        for (int i = 0; i < answers.size(); i++) {
          StatusRuntimeException error = failure(answers.get(i));
          assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
          assertThat(saysWhenToRetry(error)).isTrue();
          assertUnknown(error, "during-" + i);
        }
        assertThat(secondsSince(stopped)).isLessThan(10);
      } finally {
        signal(broker, "CONT");
      }

      await()
          .atMost(Duration.ofSeconds(20))
          .ignoreExceptions()
          .untilAsserted(
              () ->
                  assertThat(
                          query
                              .incidents
                              .withDeadlineAfter(5, TimeUnit.SECONDS)
                              .addNote(note("during-7"))
                              .getRequestId())
                      .isEqualTo("during-7"));
      // However often it came to the log, it is the same command, which the owner does once.
      assertThat(
              log(broker.bootstrap()).stream()
                  .map(CommandsIT::command)
                  .filter(logged -> logged.getRequestId().equals("during-7")))
          .isNotEmpty()
          .extracting(Command::getContent)
          .containsOnly(command(log(broker.bootstrap()).get(0)).getContent());
    }
  }

  private static void assertUnknown(StatusRuntimeException error, String requestId) {
    assertThat(reason(error).getReason()).isEqualTo("OUTCOME_UNKNOWN");
    assertThat(reason(error).getMetadataMap()).containsEntry("request_id", requestId);
  }

  private static void signal(BrokerProcess broker, String signal) throws Exception {
    Process kill =
        new ProcessBuilder("sh", "-c", "kill -" + signal + " " + broker.pid()).inheritIO().start();
    assertThat(kill.waitFor(5, TimeUnit.SECONDS)).isTrue();
    assertThat(kill.exitValue()).isZero();
  }

  private static double secondsSince(long nanos) {
    return (System.nanoTime() - nanos) / 1e9;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}
