package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Tick;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class TicksTest {
  private final MovedClock clock = new MovedClock();

  @Test
  void append_isAtMostOneASecondAndPartition() throws Exception {
    var producer = producer();
    try (Ticks ticks = new Ticks("log", clock, producer)) {
      for (int i = 0; i < 20; i++) {
        ticks.append(0);
        ticks.append(1);
        sent(producer, 2 + 2 * (i / 10));
        clock.advance(Duration.ofMillis(100));
      }
    }
    assertThat(producer.history()).hasSize(4);
    assertThat(producer.history()).extracting(ProducerRecord::partition).containsOnly(0, 1);
    assertThat(Codec.of(LogEntry.class).decode(producer.history().get(0).value()).getPayload())
        .isInstanceOf(Tick.class);
  }

  @Test
  void append_isNotHeldUpByAClockThatJumpsBack() throws Exception {
    var producer = producer();
    try (Ticks ticks = new Ticks("log", clock, producer)) {
      ticks.append(0);
      sent(producer, 1);
      clock.advance(Duration.ofHours(-1));
      ticks.append(0);
      sent(producer, 2);
    }
  }

  @Test
  void append_whileTheBrokerIsAwayKeepsOneOfAPartitionAtMost() throws Exception {
    CountDownLatch away = new CountDownLatch(1);
    AtomicInteger sends = new AtomicInteger();
    var producer =
        new MockProducer<byte[], byte[]>(
            true, null, new ByteArraySerializer(), new ByteArraySerializer()) {
          @Override
          public synchronized Future<RecordMetadata> send(ProducerRecord<byte[], byte[]> tick) {
            sends.incrementAndGet();
            try {
              away.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            return super.send(tick);
          }
        };
    try (Ticks ticks = new Ticks("log", clock, producer)) {
      ticks.append(0);
      Awaitility.await().until(() -> sends.get() == 1);
      for (int i = 0; i < 100; i++) {
        clock.advance(Duration.ofSeconds(2));
        ticks.append(0);
        ticks.append(1);
      }
      away.countDown();
      sent(producer, 3);
    }
    assertThat(producer.history()).as("the one under way, and one that waited of each").hasSize(3);
  }

  @Test
  void append_afterCloseIsLost() throws Exception {
    var producer = producer();
    Ticks ticks = new Ticks("log", clock, producer);
    ticks.close();
    ticks.append(0);
    assertThat(producer.history()).isEmpty();
  }

  private static MockProducer<byte[], byte[]> producer() {
    return new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer());
  }

  private static void sent(MockProducer<byte[], byte[]> producer, int count) {
    Awaitility.await()
        .pollInterval(Duration.ofMillis(1))
        .until(() -> producer.history().size() == count);
  }
}
