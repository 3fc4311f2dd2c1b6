package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.runtime.Health;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * When a producer is given up and another one made. Kafka's own producer for tests stands in,
 * because a real one cannot be had to fail in each of these ways.
 */
final class LogProducerTest {
  private static final Duration LONG = Duration.ofHours(1);

  private final Health health = new Health();
  private final List<Closing> made = new ArrayList<>();
  private final List<Exception> answers = new ArrayList<>();
  private final AtomicInteger open = new AtomicInteger();
  private LogProducer producer;

  /** Tells when it is closed; as a real one that is dead, it answers nothing then. */
  private final class Closing extends MockProducer<byte[], byte[]> {
    RuntimeException refusedAtOnce;

    Closing() {
      super(false, null, new ByteArraySerializer(), new ByteArraySerializer());
      assertThat(open.incrementAndGet()).as("producers at once").isEqualTo(1);
    }

    @Override
    public synchronized Future<RecordMetadata> send(
        ProducerRecord<byte[], byte[]> record, Callback callback) {
      if (refusedAtOnce == null) {
        return super.send(record, callback);
      }
      callback.onCompletion(null, refusedAtOnce);
      return CompletableFuture.failedFuture(refusedAtOnce);
    }

    @Override
    public void close(Duration timeout) {
      super.close(timeout);
      open.decrementAndGet();
    }
  }

  private static final Map<SendFault, List<RuntimeException>> FAULTS =
      Map.of(
          SendFault.PASSING,
          List.of(
              new TimeoutException(),
              new NotEnoughReplicasException(),
              new NotEnoughReplicasAfterAppendException("of 2"),
              new NotLeaderOrFollowerException(),
              new CorruptRecordException(),
              new UnknownTopicOrPartitionException()),
          SendFault.ENTRY,
          List.of(new RecordTooLargeException(), new InvalidRecordException("no key")),
          SendFault.DENIED,
          List.of(
              new TopicAuthorizationException("log"),
              new ClusterAuthorizationException("no"),
              new SaslAuthenticationException("no")),
          SendFault.BROKEN,
          List.of(
              new ProducerFencedException("by another"),
              new InvalidProducerEpochException("old"),
              new InvalidPidMappingException("gone"),
              new OutOfOrderSequenceException("gap"),
              new UnsupportedVersionException("old"),
              new UnknownServerException("?"),
              new KafkaException("Cannot execute transactional method: in an error state"),
              new IllegalStateException("closed")));

  static Stream<RuntimeException> losing() {
    return Stream.of(SendFault.DENIED, SendFault.BROKEN).map(FAULTS::get).flatMap(List::stream);
  }

  static Stream<RuntimeException> sparing() {
    return Stream.of(SendFault.PASSING, SendFault.ENTRY).map(FAULTS::get).flatMap(List::stream);
  }

  @Test
  void fault_ofEachError() {
    FAULTS.forEach(
        (fault, errors) ->
            assertThat(errors)
                .allSatisfy(e -> assertThat(SendFault.of(e)).as(e.toString()).isEqualTo(fault)));
    assertThat(SendFault.of(new KafkaException(new OutOfMemoryError())))
        .isEqualTo(SendFault.BROKEN);
  }

  @ParameterizedTest
  @MethodSource("losing")
  void anErrorThatAProducerCannotGetOver_hasAnotherOneMade(RuntimeException error) {
    start(LONG);
    send();
    send();
    made.get(0).errorNext(error);
    assertThat(producer.ready()).isFalse();

    awaitAnother();
    assertThat(answers).as("also that of which nothing was heard").hasSize(2);
    assertThat(made).hasSize(2);
    assertThat(made.get(0).closed()).isTrue();
    send();
    made.get(1).completeNext();
    assertThat(answers).hasSize(3).last().isNull();
  }

  @ParameterizedTest
  @MethodSource("losing")
  void aProducerThatRefusesAtOnce_isReplacedToo(RuntimeException error) {
    start(LONG);
    made.get(0).refusedAtOnce = error; // as a fenced one does: by its callback
    assertThat(send()).isFalse();
    awaitAnother();
    assertThat(answers).containsExactly(error);
  }

  @Test
  void aProducerThatThrows_isReplacedWhateverItSays() {
    start(LONG);
    made.get(0).sendException = new TimeoutException("not by its callback");
    assertThat(send()).isFalse();
    awaitAnother();
    assertThat(answers).hasSize(1);
  }

  @ParameterizedTest
  @MethodSource("sparing")
  void anErrorThatPasses_orOfOneEntry_costsNoProducer(RuntimeException error) {
    start(LONG);
    send();
    made.get(0).errorNext(error);
    producer.check();
    assertThat(producer.ready()).isTrue();
    assertThat(made).hasSize(1);
    assertThat(answers).containsExactly(error);
  }

  @Test
  void aProducerThatDoesNotAnswer_isReplacedInTime_andItsEntriesAreAnswered() {
    start(Duration.ofMillis(1));
    send();
    send();
    awaitAnother(); // its own thread has died: it says nothing even when it is closed
    assertThat(answers).hasSize(2).doesNotContainNull();
    made.get(0).completeNext();
    assertThat(answers).as("once").hasSize(2);
    assertThat(producer.ready()).as("the old one's answer is nothing to the new one").isTrue();
  }

  @Test
  void whileDenied_alertsAreToldSo_andNotAnyMoreOnceItWorks() {
    start(LONG);
    send();
    made.get(0).errorNext(new TopicAuthorizationException("log"));
    assertThat(producer.refusal()).isEqualTo(Refusal.LOG_REFUSES);
    long deniedNanos = System.nanoTime();
    producer.check();
    assertThat(health.problems().get(LogProducer.CONDITION)).contains("TopicAuthorization");
    awaitAnother();
    assertThat(Duration.ofNanos(System.nanoTime() - deniedNanos))
        .as("not at once")
        .isGreaterThanOrEqualTo(Duration.ofMillis(250));
    assertThat(producer.refusal()).isEqualTo(Refusal.LOG_UNAVAILABLE);
    assertThat(health.serving()).isTrue();
  }

  private void start(Duration answerMax) {
    producer = new LogProducer("log", answerMax, this::make, shown -> () -> {}, health);
    assertThat(producer.prepare()).isTrue();
  }

  private Producer<byte[], byte[]> make() {
    Closing next = new Closing();
    made.add(next);
    return next;
  }

  private boolean send() {
    return producer.send(0, new byte[1], List.of(), (metadata, error) -> answers.add(error));
  }

  /** As the appender does it. */
  private void awaitAnother() {
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(10))
        .until(
            () -> {
              producer.check();
              return made.size() == 2 ? producer.ready() : producer.prepare() && made.size() == 2;
            });
  }
}
