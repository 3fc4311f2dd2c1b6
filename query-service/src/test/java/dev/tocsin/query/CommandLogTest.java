package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class CommandLogTest {
  private static final byte[] VALUE = {1, 2, 3};

  private final List<MockProducer<byte[], byte[]>> made = new CopyOnWriteArrayList<>();
  private CommandLog log;

  /** Keeps what it is told. */
  private static final class Told implements CommandLog.Answer {
    final List<String> all = new CopyOnWriteArrayList<>();

    @Override
    public void appended(long offset) {
      all.add("at " + offset);
    }

    @Override
    public void notAppended(String why) {
      all.add("not: " + why);
    }

    @Override
    public void unknown(String why) {
      all.add("unknown: " + why);
    }
  }

  private void open(int max, Supplier<Producer<byte[], byte[]>> producers) {
    log = new CommandLog("log", producers, max, new QueryMetrics(new SimpleMeterRegistry()));
  }

  private MockProducer<byte[], byte[]> silent() {
    MockProducer<byte[], byte[]> producer = ServedQuery.producer(false);
    made.add(producer);
    return producer;
  }

  private Told append() {
    return append(VALUE);
  }

  private Told append(byte[] value) {
    Told told = new Told();
    CommandLog.Entry unused = log.append(0, value, told);
    return told;
  }

  @AfterEach
  void close() throws InterruptedException {
    log.close();
  }

  @Test
  void append_beyondTheNumberIsRefusedUntilTheLogAnswers() {
    open(2, this::silent);
    Told first = append();
    Told second = append();
    assertThat(append().all).containsExactly("not: too many commands under way");
    await().until(() -> !made.isEmpty() && made.get(0).history().size() == 2);
    assertThat(made.get(0).completeNext()).isTrue();
    assertThat(first.all).containsExactly("at 0");
    Told third = append();
    await().until(() -> made.get(0).history().size() == 3);
    while (made.get(0).completeNext()) {
      // each of them
    }
    assertThat(second.all).containsExactly("at 1");
    assertThat(third.all).containsExactly("at 2");
  }

  @Test
  void append_beyondTheBytesIsRefusedUntilTheLogAnswers() {
    open(100, this::silent);
    Told large = append(new byte[CommandConfig.IN_FLIGHT_BYTES_MAX]);
    assertThat(append().all).containsExactly("not: too many bytes of commands under way");
    await().until(() -> !made.isEmpty() && made.get(0).completeNext());
    assertThat(large.all).containsExactly("at 0");
    Told next = append();
    await().until(() -> made.get(0).completeNext());
    assertThat(next.all).containsExactly("at 1");
  }

  @Test
  void append_whereTheRecordIsNotEvenBufferedIsSurelyNotAppended() {
    open(1, this::silent);
    log.start();
    await().until(() -> !made.isEmpty());
    made.get(0).sendException = new KafkaException("fenced");
    Told told = append();
    await().untilAsserted(() -> assertThat(told.all).hasSize(1));
    assertThat(told.all).containsExactly("not: the log cannot be reached");
    await().untilAsserted(() -> assertThat(made.get(0).closed()).isTrue());

    Told next = append(); // by a new producer
    await().until(() -> made.size() == 2 && made.get(1).completeNext());
    assertThat(next.all).containsExactly("at 0");
  }

  @Test
  void append_whereTheProducerGivesUpIsUnknown() {
    open(1, this::silent);
    Told told = append();
    await().until(() -> !made.isEmpty() && made.get(0).errorNext(new TimeoutException("expired")));
    assertThat(told.all).containsExactly("unknown: the log did not answer");
  }

  @Test
  void withdraw_takesOutOfTheLineOnly() {
    CountDownLatch ready = new CountDownLatch(1);
    open(
        10,
        () -> {
          awaitLatch(ready);
          return silent();
        });
    Told first = new Told();
    CommandLog.Entry sent = log.append(0, VALUE, first);
    Told second = new Told();
    CommandLog.Entry waiting = log.append(0, VALUE, second);
    assertThat(waiting.withdraw()).isTrue();
    ready.countDown();
    await().until(() -> !made.isEmpty() && made.get(0).completeNext());
    assertThat(sent.withdraw()).isFalse();
    assertThat(first.all).containsExactly("at 0");
    Told third = append();
    await().until(() -> made.get(0).completeNext());
    assertThat(third.all).containsExactly("at 1");
    assertThat(second.all).isEmpty();
  }

  @Test
  void line_behindAnEntryThatFoundNoLogIsRefusedWithIt() {
    CountDownLatch ready = new CountDownLatch(1);
    open(
        10,
        () -> {
          awaitLatch(ready);
          silent();
          throw new KafkaException("no broker");
        });
    List<Told> line = List.of(append(), append(), append());
    ready.countDown();
    for (Told told : line) {
      await().untilAsserted(() -> assertThat(told.all).hasSize(1));
      assertThat(told.all).containsExactly("not: the log cannot be reached");
    }
    assertThat(made).hasSize(1);
    Told next = append(); // that one looks again
    await().untilAsserted(() -> assertThat(next.all).hasSize(1));
    assertThat(made).hasSize(2);
  }

  @Test
  void close_answersWhatIsInLineAndWhatComes() throws InterruptedException {
    CountDownLatch ready = new CountDownLatch(1);
    open(
        10,
        () -> {
          awaitLatch(ready);
          return silent();
        });
    Told sent = append();
    Told waiting = append();
    Thread closing = new Thread(() -> assertThat(closed()).isTrue());
    closing.start();
    await().until(() -> append().all.contains("not: the service stops"));
    ready.countDown();
    closing.join();
    assertThat(waiting.all).containsExactly("not: the service stops");
    assertThat(sent.all).hasSizeLessThanOrEqualTo(1);
    assertThat(made.get(0).closed()).isTrue();
    log.close(); // a second time does nothing
  }

  private static void awaitLatch(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private boolean closed() {
    try {
      log.close();
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }
}
