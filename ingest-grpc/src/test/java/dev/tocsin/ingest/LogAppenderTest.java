package dev.tocsin.ingest;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Key128;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * How each alert gets its one answer. Kafka's own producer for tests stands in here, because a real
 * one cannot be made to fail in these ways at these moments.
 */
final class LogAppenderTest {
  private final Queue<AlertAck> acks = new ConcurrentLinkedQueue<>();
  private final AtomicReference<LogState> log = new AtomicReference<>(LogState.open(1));
  private final List<MockProducer<byte[], byte[]>> producers =
      Collections.synchronizedList(new ArrayList<>());
  private final Health health = new Health();
  private final AtomicInteger tries = new AtomicInteger();
  private final AtomicBoolean fault = new AtomicBoolean();
  private volatile boolean noRoom;
  private InFlight inFlight;
  private LogAppender appender;
  private int sequence;
  private int rulesVersion = 1;

  @AfterEach
  void close() throws InterruptedException {
    producers.forEach(LogAppenderTest::heal);
    appender.close();
    assertThat(inFlight.alerts()).isZero();
    assertThat(inFlight.bytes()).isZero();
  }

  @Test
  void append_sendsAtOnceWhileFewAreOnTheirWayThenCollects() {
    start(Map.of());
    append(1);
    await(() -> sent() == 1);
    append(1);
    await(() -> sent() == 2);
    for (int i = 0; i < 10; i++) {
      append(1); // two are on their way: these collect, up to their time
    }
    await(() -> sent() == 3);
    assertThat(acks).isEmpty();

    producer().completeNext();
    await(() -> acks.size() == 1);
    producer().completeNext();
    producer().completeNext();
    await(() -> acks.size() == 12);
    assertThat(acks).extracting(AlertAck::getStatus).containsOnly(AlertAck.Status.ACCEPTED);
    List<AlertAck> collected = new ArrayList<>(acks).subList(2, 12);
    assertThat(collected).extracting(a -> a.getPosition().getOffset()).containsOnly(2L);
    assertThat(collected)
        .extracting(a -> a.getPosition().getIndex())
        .containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  }

  @Test
  void faultOfTheAppender_costsWhatWaitedAndNoMore() {
    start(Map.of());
    append(1);
    await(() -> sent() == 1);
    append(1);
    await(() -> sent() == 2);
    append(1); // collects, until the fault or its time, whatever comes first
    fault.set(true);
    appender.wake();

    await(() -> acks.size() == 3);
    assertThat(acks).extracting(AlertAck::getStatus).containsOnly(AlertAck.Status.UNAVAILABLE);
    await(() -> producers.size() == 2 && health.serving());
    append(1);
    await(() -> sent() == 1);
    completeAll();
    await(() -> acks.size() == 4);
    assertThat(new ArrayList<>(acks).get(3).getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
  }

  @Test
  void entryThatCannotBeMade_failsAlone() {
    start(Map.of());
    append(Worth.HIGHEST, null); // as none is: what a call brings is never null

    await(() -> acks.size() == 1);
    assertThat(acks.peek().getStatus()).isEqualTo(AlertAck.Status.UNAVAILABLE);
    for (int i = 1; i <= PartitionLane.UNANSWERED_MAX; i++) {
      int number = i;
      append(1);
      await(() -> sent() == number);
    }
    completeAll();
    await(() -> acks.size() == 1 + PartitionLane.UNANSWERED_MAX);
    assertThat(producers).hasSize(1);
  }

  @Test
  void append_cutsEntriesAtTheirBounds() {
    start(Map.of("edge.entry-alerts-max", "4", "edge.entry-bytes-max", "262144"));
    append(1);
    await(() -> sent() == 1);
    append(1);
    await(() -> sent() == 2);
    for (int i = 0; i < 6; i++) {
      append(1);
    }
    append(200_000);
    append(200_000);
    await(() -> sent() >= 5);
    completeAll();

    await(() -> acks.size() == 10);
    Map<Long, Long> sizes = new TreeMap<>();
    acks.forEach(a -> sizes.merge(a.getPosition().getOffset(), 1L, Long::sum));
    assertThat(sizes.values()).allSatisfy(n -> assertThat(n).isLessThanOrEqualTo(4));
    producer().history().forEach(r -> assertThat(r.value().length).isLessThan(262_144 + 100));
  }

  @Test
  void append_cutsEntriesWhereTheRulesChange() {
    start(Map.of());
    append(1);
    append(1);
    await(() -> sent() >= 1);
    for (int version : new int[] {1, 1, 2, 1, 2, 2}) { // calls race while the version changes
      rulesVersion = version;
      append(1);
    }
    completeAll();

    await(() -> acks.size() == 8);
    assertThat(new ArrayList<>(acks).subList(2, 8))
        .extracting(ack -> ack.getPosition().getOffset())
        .as("alerts of two versions stand in two entries")
        .satisfies(
            offsets -> {
              assertThat(offsets.get(2)).isGreaterThan(offsets.get(1));
              assertThat(offsets.get(3)).isGreaterThan(offsets.get(2));
              assertThat(offsets.get(4)).isGreaterThan(offsets.get(3));
            });
  }

  @Test
  void append_shedsWhatIsWorthLess_andSaysSoOnceThereIsNoRoomForTheWorst() {
    start(Map.of("edge.in-flight-alerts-max", "10"));
    for (int i = 0; i < 8; i++) {
      append(Worth.LOW, "");
    }
    assertThat(acks)
        .singleElement()
        .satisfies(
            ack -> {
              isUnavailable(ack);
              assertThat(ack.getMessage()).isEqualTo(Refusal.SHED.message());
              assertThat(ack.hasRetryAfter()).isTrue();
            });
    assertThat(health.serving()).isTrue();
    for (int i = 0; i < 4; i++) {
      append(Worth.HIGHEST, "");
    }
    assertThat(acks).hasSize(2);
    assertThat(health.problems()).containsOnlyKeys(Room.CONDITION);

    completeAll();
    await(() -> acks.size() == 12);
    assertThat(health.serving()).as("there is room again").isTrue();
  }

  @Test
  void traces_ofAnEntryAreTheFirstFewOfItsAlerts_onceEach() {
    start(Map.of());
    List<PendingAlert> alerts = new ArrayList<>();
    alerts.add(alert(1, settled -> {}, Worth.LOW, ""));
    for (int i = 0; i < 2 * LogAppender.TRACES_MAX + 2; i++) {
      alerts.add(alert(1, settled -> {}, Worth.LOW, "trace-" + i / 2));
    }

    assertThat(LogAppender.traces(alerts))
        .hasSize(LogAppender.TRACES_MAX)
        .startsWith("trace-0", "trace-1")
        .endsWith("trace-15");
  }

  @Test
  void entries_nameTheTracesOfTheirAlerts() {
    start(Map.of());
    append(Worth.LOW, "the trace");
    await(() -> sent() == 1);
    completeAll();
    await(() -> acks.size() == 1);
    append(Worth.LOW, "");
    await(() -> sent() == 2);

    assertThat(producer().history().get(0).headers().headers(LogProducer.TRACE_HEADER))
        .singleElement()
        .satisfies(
            header -> assertThat(new String(header.value(), US_ASCII)).isEqualTo("the trace"));
    assertThat(producer().history().get(1).headers()).isEmpty();
  }

  @Test
  void append_refusesAtTheBoundOfAlertsAndTakesAgainAfterIt() {
    start(Map.of("edge.in-flight-alerts-max", "3"));
    for (int i = 0; i < 5; i++) {
      append(1);
    }

    assertThat(acks).hasSize(2).allSatisfy(LogAppenderTest::isUnavailable);
    assertThat(acks.peek().getMessage()).isEqualTo(Refusal.FULL.message());
    acks.clear();
    completeAll();
    await(() -> acks.size() == 3);
    append(1);
    completeAll();
    await(() -> acks.size() == 4);
    assertThat(acks).extracting(AlertAck::getStatus).containsOnly(AlertAck.Status.ACCEPTED);
  }

  @Test
  void append_refusesAtTheBoundOfBytes() {
    start(Map.of("edge.in-flight-bytes-max", "1048576"));
    for (int i = 0; i < 6; i++) {
      append(200_000);
    }

    assertThat(acks).hasSize(1).allSatisfy(LogAppenderTest::isUnavailable);
    completeAll();
    await(() -> acks.size() == 6);
  }

  @Test
  void append_refusesWhileThereIsNoLog() {
    log.set(LogState.away(Refusal.LOG_UNAVAILABLE));
    start(Map.of());
    append(1);
    assertThat(acks).singleElement().satisfies(LogAppenderTest::isUnavailable);
    assertThat(health.problems()).containsKey(LogProducer.CONDITION);

    log.set(LogState.open(1));
    await(health::serving);
    append(1);
    completeAll();
    await(() -> acks.size() == 2);
  }

  @Test
  void append_answersUnavailableWhatTheLogDoesNotTake() {
    start(Map.of());
    append(1);
    await(() -> sent() == 1);
    producer().errorNext(new NotEnoughReplicasException("1 of 2"));

    await(() -> acks.size() == 1);
    assertThat(acks).allSatisfy(LogAppenderTest::isUnavailable);
    append(1);
    completeAll();
    await(() -> acks.size() == 2);
  }

  @Test
  void append_survivesAProducerThatCannotBuffer() {
    start(Map.of());
    noRoom = true;
    append(1);
    await(() -> acks.size() == 1);
    assertThat(acks).allSatisfy(LogAppenderTest::isUnavailable);

    noRoom = false;
    await(health::serving);
    await( // refused, until it has looked again
        () -> {
          append(1);
          return sent() > 0;
        });
    completeAll();
    assertThat(producers).hasSize(1);
  }

  @Test
  void append_makesAnotherProducerOnceOneIsBroken() {
    start(Map.of());
    append(1);
    await(() -> sent() == 1);
    MockProducer<byte[], byte[]> broken = producer();
    broken.sendException = new KafkaException("in error state");
    append(1);
    await(() -> acks.size() == 1);
    heal(broken); // what a real one does with the others when it is closed

    await(() -> producers.size() == 2 && acks.size() == 2);
    assertThat(acks).allSatisfy(LogAppenderTest::isUnavailable);
    assertThat(broken.closed()).isTrue();
    await(health::serving);
    append(1);
    completeAll();
    await(() -> acks.size() == 3);
    assertThat(new ArrayList<>(acks).get(2).getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
  }

  @Test
  void append_refusesWhatWaitsOnceTheLogRefuses_andKeepsNoProducerMeanwhile() {
    start(Map.of());
    append(1);
    await(() -> sent() == 1);
    MockProducer<byte[], byte[]> before = producer();
    log.set(LogState.away(Refusal.LOG_REFUSES));
    await(() -> before.closed() && acks.size() == 1); // on the way, so not known
    append(1);
    assertThat(acks).hasSize(2).allSatisfy(LogAppenderTest::isUnavailable);
    assertThat(new ArrayList<>(acks).get(1).getMessage()).isEqualTo(Refusal.LOG_REFUSES.message());
    assertThat(new ArrayList<>(acks).get(1).getRetryAfter().getSeconds()).isEqualTo(10);
    assertThat(producers).hasSize(1);

    log.set(LogState.open(1));
    await(health::serving);
    append(1);
    completeAll();
    assertThat(new ArrayList<>(acks).get(2).getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
  }

  @Test
  void append_refusesAllThatWaitsWhenOneCannotBeBuffered() {
    start(Map.of());
    append(1);
    await(() -> sent() == 1);
    append(1);
    await(() -> sent() == 2);
    noRoom = true;
    for (int i = 0; i < 10; i++) {
      append(1);
    }
    await(() -> acks.size() == 10);
    assertThat(acks).allSatisfy(LogAppenderTest::isUnavailable);
    assertThat(tries).as("not each in turn").hasValueLessThan(5);
    noRoom = false;
    completeAll();
    await(() -> acks.size() == 12);
  }

  @Test
  void append_aReplyThatFailsDoesNotTouchItsNeighbours() {
    start(Map.of());
    appender.append(
        alert(
            1,
            settled -> {
              throw new IllegalStateException("a fault of a reply");
            }));
    append(1);
    append(1);
    completeAll();

    await(() -> acks.size() == 2 && inFlight.alerts() == 0);
  }

  @Test
  void close_waitsForTheLogThenAnswersTheRest() throws InterruptedException {
    start(Map.of("edge.close-timeout", "300ms"));
    for (int i = 0; i < 20; i++) {
      append(1);
    }
    Thread closing = new Thread(this::closeQuietly);
    closing.start();
    await(() -> producer().closed());
    heal(producer());
    closing.join();

    assertThat(acks).hasSize(20).allSatisfy(LogAppenderTest::isUnavailable);
    append(1);
    assertThat(acks).hasSize(21);
    assertThat(health.serving()).isFalse();
  }

  private void closeQuietly() {
    try {
      appender.close();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void start(Map<String, String> settings) {
    Map<String, String> all = new TreeMap<>(settings);
    all.put("kafka.bootstrap.servers", "nobody:9092");
    EdgeConfig config = EdgeConfig.read(Settings.of(all));
    inFlight = new InFlight(config.inFlightAlertsMax(), config.inFlightBytesMax());
    appender =
        new LogAppender(
            config,
            this::known,
            this::producerForTests,
            () -> {},
            inFlight,
            Runnable::run,
            new EdgeMeters(new SimpleMeterRegistry(), inFlight),
            health);
    appender.start();
    if (log.get().partitions() > 0) {
      await(health::serving);
    }
  }

  private LogState known() {
    if (Thread.currentThread().getName().equals("edge-log-appender")
        && fault.compareAndSet(true, false)) {
      throw new IllegalStateException("made up");
    }
    return log.get();
  }

  private Producer<byte[], byte[]> producerForTests() {
    var bytes = new ByteArraySerializer();
    MockProducer<byte[], byte[]> made =
        new MockProducer<>(false, null, bytes, bytes) {
          @Override
          public synchronized Future<RecordMetadata> send(
              ProducerRecord<byte[], byte[]> record, Callback callback) {
            if (!noRoom) {
              return super.send(record, callback);
            }
            tries.incrementAndGet();
            TimeoutException error = new TimeoutException("no room");
            callback.onCompletion(null, error);
            return CompletableFuture.failedFuture(error);
          }
        };
    producers.add(made);
    return made;
  }

  private MockProducer<byte[], byte[]> producer() {
    return producers.get(producers.size() - 1);
  }

  private int sent() {
    return producer().history().size();
  }

  private void append(int bytes) {
    appender.append(alert(bytes, settled -> acks.add(settled.message())));
  }

  private PendingAlert alert(int bytes, PendingAlert.Reply reply) {
    return alert(bytes, reply, Worth.HIGHEST, "");
  }

  private PendingAlert alert(int bytes, PendingAlert.Reply reply, Worth worth, String trace) {
    PendingAlert alert =
        new PendingAlert(reply, 0, "a-" + sequence++, Timestamp.getDefaultInstance(), worth, trace);
    alert.encoded(
        new AlertEncoder.Encoded(rulesVersion, new Key128(new byte[16]), 42, new byte[bytes]));
    return alert;
  }

  private void append(Worth worth, String trace) {
    appender.append(alert(1, settled -> acks.add(settled.message()), worth, trace));
  }

  private void completeAll() {
    await(
        () -> {
          while (producer().completeNext()) {
            // the next one
          }
          return inFlight.alerts() == 0;
        });
  }

  private static void heal(MockProducer<byte[], byte[]> producer) {
    while (producer.errorNext(new KafkaException("closed"))) {
      // the next one
    }
  }

  private static void isUnavailable(AlertAck ack) {
    assertThat(ack.getStatus()).isEqualTo(AlertAck.Status.UNAVAILABLE);
    assertThat(ack.hasRetryAfter()).isTrue();
  }

  private static void await(BooleanSupplier condition) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(5))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(1))
        .until(condition::getAsBoolean);
  }
}
