package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tocsin.runtime.Settings;
import dev.tocsin.testsupport.SharedBroker;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The tail and the catch-up readers before a real topic, written in transactions. */
@Timeout(120)
class EventTailIT {
  private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
  private final AtomicInteger wakes = new AtomicInteger();
  private final StreamConfig config =
      StreamConfig.read(
          Settings.of(
              Map.of(
                  "kafka.bootstrap.servers",
                  SharedBroker.bootstrap(),
                  "log.prefix",
                  "tail-" + UUID.randomUUID())));
  private final String topic = config.topics().events();
  private final EventTail tail =
      new EventTail(topic, 10_000, this::tailConsumer, wakes::incrementAndGet);
  private final CatchUpReaders readers =
      new CatchUpReaders(topic, 2, 10, Duration.ofSeconds(20), this::olderConsumer, timer);
  private Admin admin;
  private KafkaProducer<byte[], byte[]> producer;

  private KafkaConsumer<byte[], byte[]> tailConsumer() {
    return new KafkaConsumer<>(config.tailConsumerConfig("tail" + UUID.randomUUID()));
  }

  private KafkaConsumer<byte[], byte[]> olderConsumer() {
    return new KafkaConsumer<>(config.catchUpConsumerConfig("older" + UUID.randomUUID()));
  }

  @BeforeEach
  void open() {
    admin = Admin.create(Map.of("bootstrap.servers", SharedBroker.bootstrap()));
    producer =
        new KafkaProducer<>(
            Map.of(
                "bootstrap.servers",
                SharedBroker.bootstrap(),
                "transactional.id",
                topic,
                "compression.type",
                "lz4"),
            new ByteArraySerializer(),
            new ByteArraySerializer());
    producer.initTransactions();
  }

  @AfterEach
  void close() throws Exception {
    tail.close();
    readers.close();
    producer.close();
    admin.close();
    timer.shutdownNow();
  }

  private void topic() throws Exception {
    admin.createTopics(List.of(new NewTopic(topic, 2, (short) 1))).all().get();
  }

  private void write(boolean commit, int... sizes) throws Exception {
    byte[][] values = new byte[sizes.length][];
    for (int i = 0; i < sizes.length; i++) {
      values[i] = new byte[sizes[i]];
    }
    write(commit, values);
  }

  private void write(boolean commit, byte[]... values) throws Exception {
    producer.beginTransaction();
    for (byte[] value : values) {
      var unused = producer.send(new ProducerRecord<>(topic, 1, null, value));
    }
    producer.flush();
    if (commit) {
      producer.commitTransaction();
    } else {
      producer.abortTransaction();
    }
  }

  private EventRing ring() {
    return tail.rings().orElseThrow().of(1);
  }

  private List<Long> kept() {
    return ring().read(ring().begin(), Integer.MAX_VALUE).items().stream()
        .map(EventItem::offset)
        .toList();
  }

  private OlderEvents.Answer older(long offset) throws Exception {
    CompletableFuture<OlderEvents.Answer> answer = new CompletableFuture<>();
    readers.read(1, offset, answer::complete);
    return answer.get(60, TimeUnit.SECONDS);
  }

  @Test
  void tail_followsWhatIsCommittedFromTheEndThatItFound() throws Exception {
    tail.start();
    await().pollDelay(Duration.ofSeconds(1)).until(() -> tail.rings().equals(Optional.empty()));
    topic();
    write(true, 10, 10); // before it looks, or after: it may wait before it tries again
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> tail.rings().isPresent() && tail.following());
    await().atMost(Duration.ofSeconds(30)).until(() -> ring().end() == 3);
    write(false, 10);
    write(true, 10);
    await().atMost(Duration.ofSeconds(30)).until(() -> ring().end() == 7);
    assertThat(kept()).endsWith(5L).doesNotContain(2L, 3L, 4L, 6L);
    assertThat(wakes).hasPositiveValue();

    producer.beginTransaction();
    producer.send(new ProducerRecord<>(topic, 1, null, new byte[10])).get();
    await().during(Duration.ofSeconds(1)).until(() -> ring().end() == 7);
    producer.commitTransaction();
    await().atMost(Duration.ofSeconds(30)).until(() -> ring().end() == 9);
  }

  @Test
  void tail_beginsWithTheNewestEventsAndKnowsTheLastOne() throws Exception {
    topic();
    write(true, 10, 10, 10);
    write(false, new int[SeedReader.OFFSETS]);
    write(false, new int[SeedReader.OFFSETS]); // the event is far behind these
    tail.start();
    await().atMost(Duration.ofSeconds(30)).until(tail::following);
    assertThat(kept()).containsExactly(0L, 1L, 2L);
    assertThat(ring().newest().offset()).isEqualTo(2);
    assertThat(ring().end()).isEqualTo(3 + 1 + 2L * (SeedReader.OFFSETS + 1));
    assertThat(tail.rings().orElseThrow().of(0).newest()).as("it has none").isNull();
  }

  @Test
  void tail_beginsWithNoMoreThanItMayKeep() throws Exception {
    topic();
    int[] sizes = new int[100];
    java.util.Arrays.fill(sizes, 100);
    write(true, sizes);
    tail.start();
    await().atMost(Duration.ofSeconds(30)).until(tail::following);
    assertThat(tail.weight()).isBetween(1L, 5_000L); // of 10,000 for two partitions
    assertThat(kept()).endsWith(98L, 99L);
    assertThat(ring().read(ring().begin() - 1, 1)).isNull();
  }

  @Test
  void tail_goesOnAfterAnError() throws Exception {
    topic();
    AtomicBoolean failing = new AtomicBoolean(true);
    try (EventTail shaken =
        new EventTail(
            topic,
            10_000,
            () -> {
              if (failing.getAndSet(false)) {
                throw new StackOverflowError("simulated");
              }
              return tailConsumer();
            },
            wakes::incrementAndGet)) {
      shaken.start();
      await().atMost(Duration.ofSeconds(30)).until(shaken::following);
      assertThat(shaken.rings()).isPresent();
    }
    assertThat(failing).isFalse();
  }

  @Test
  void tail_thatKafkaDoesNotAnswerDoesNotFollowAfterAWhile() throws Exception {
    topic();
    AtomicBoolean away = new AtomicBoolean();
    try (EventTail cut = new EventTail(topic, 10_000, () -> cutOff(away), wakes::incrementAndGet)) {
      cut.start();
      await().atMost(Duration.ofSeconds(30)).until(cut::following);
      away.set(true);
      await()
          .pollInterval(Duration.ofMillis(100))
          .between(Duration.ofSeconds(5), Duration.ofSeconds(20))
          .until(() -> cut.rings().isEmpty());
      away.set(false);
      write(true, 10);
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> cut.rings().filter(each -> each.of(1).newest() != null).isPresent());
    }
  }

  /** One whose broker is silent: nothing comes, and questions time out. */
  private KafkaConsumer<byte[], byte[]> cutOff(AtomicBoolean away) {
    return new KafkaConsumer<>(config.tailConsumerConfig("cut")) {
      @Override
      public ConsumerRecords<byte[], byte[]> poll(Duration wait) {
        return away.get() ? ConsumerRecords.empty() : super.poll(wait);
      }

      @Override
      public Map<TopicPartition, Long> endOffsets(Collection<TopicPartition> partitions) {
        if (away.get()) {
          throw new TimeoutException("simulated");
        }
        return super.endOffsets(partitions);
      }
    };
  }

  /** Fetches are bounded as they are compressed; these are a few bytes each then. */
  @Test
  void readers_giveChunksThatAreBoundedInMemory() throws Exception {
    topic();
    int[] sizes = new int[400];
    java.util.Arrays.fill(sizes, 20_000);
    write(true, sizes);
    List<Long> found = new ArrayList<>();
    long next = 0;
    while (next < 401) {
      var answer = (OlderEvents.Answer.Found) older(next);
      assertThat(answer.items().stream().mapToInt(EventItem::weight).sum())
          .isLessThanOrEqualTo(StreamConfig.CHUNK_WEIGHT_MAX);
      answer.items().forEach(each -> found.add(each.offset()));
      assertThat(answer.next()).isGreaterThan(next);
      next = answer.next();
    }
    assertThat(found).hasSize(400).doesNotHaveDuplicates().isSorted();
  }

  @Test
  void readers_findWhereAnotherGenerationsStreamGoesOn() throws Exception {
    topic();
    StreamWorld.Partition world = new StreamWorld(1).partitions.get(1);
    for (int entry = 0; entry < 200; entry++) { // entries 1 to 200, every tenth with three events
      world.changeAlike(entry % 10 == 0 ? 3 : 1, 1);
      if (entry % 7 == 0) {
        write(true, world.uncommitted.toArray(byte[][]::new));
        write(false, 10);
        world.uncommitted.clear();
      }
    }
    write(true, world.uncommitted.toArray(byte[][]::new));
    for (long entry : new long[] {1, 2, 100, 101, 102, 200}) {
      EventPosition found = find(entry, -7);
      assertThat(found.sequence()).isEqualTo(EventPosition.NONE);
      LiveEvent first = event(found.next());
      assertThat(first.logOffset()).isEqualTo(entry);
      EventPosition same = find(entry, first.sequence());
      assertThat(same.sequence()).isEqualTo(first.sequence());
      assertThat(same.next()).isGreaterThan(found.next());
    }
    assertThat(((OlderEvents.Answer.Found) older(find(201, 9).next())).items()).isEmpty();
    long cut = find(50, -7).next();
    admin
        .deleteRecords(Map.of(new TopicPartition(topic, 1), RecordsToDelete.beforeOffset(cut)))
        .all()
        .get();
    assertThat(search(49, -7)).isInstanceOf(OlderEvents.Answer.Gone.class);
    assertThat(search(50, -7))
        .as("perhaps its first events")
        .isInstanceOf(OlderEvents.Answer.Gone.class);
    assertThat(event(find(51, -7).next()).logOffset()).isEqualTo(51);
  }

  private LiveEvent event(long offset) throws Exception {
    return ((OlderEvents.Answer.Found) older(offset)).items().get(0).event().orElseThrow();
  }

  private EventPosition find(long logOffset, long sequence) throws Exception {
    return ((OlderEvents.Answer.At) search(logOffset, sequence)).position();
  }

  private OlderEvents.Answer search(long logOffset, long sequence) throws Exception {
    CompletableFuture<OlderEvents.Answer> answer = new CompletableFuture<>();
    readers.find(1, new EventPosition(EventPosition.NONE, logOffset, sequence), answer::complete);
    return answer.get(60, TimeUnit.SECONDS);
  }

  @Test
  void readers_giveWhatTheRingDoesNotHoldAnyMore() throws Exception {
    topic();
    tail.start();
    await().atMost(Duration.ofSeconds(30)).until(tail::following);
    write(false, 100);
    int[] sizes = new int[60];
    java.util.Arrays.fill(sizes, 10_000);
    write(true, sizes);
    await().atMost(Duration.ofSeconds(30)).until(() -> ring().end() == 63);
    assertThat(ring().read(0, 1)).as("far more than it may keep").isNull();

    List<Long> found = new ArrayList<>();
    long next = 0;
    int chunks = 0;
    while (next < 63) {
      var answer = (OlderEvents.Answer.Found) older(next);
      answer.items().forEach(each -> found.add(each.offset()));
      assertThat(answer.next()).isGreaterThan(next);
      next = answer.next();
      chunks++;
    }
    assertThat(found).hasSize(60).startsWith(2L).endsWith(61L).isSorted();
    assertThat(chunks).as("in bounded chunks").isGreaterThan(3);
    assertThat(older(63)).isEqualTo(new OlderEvents.Answer.Found(List.of(), 63));
    assertThat(older(64)).isInstanceOf(OlderEvents.Answer.Gone.class);

    admin
        .deleteRecords(Map.of(new TopicPartition(topic, 1), RecordsToDelete.beforeOffset(10)))
        .all()
        .get();
    assertThat(older(9)).isInstanceOf(OlderEvents.Answer.Gone.class);
    assertThat(older(10)).isInstanceOf(OlderEvents.Answer.Found.class);
  }

  @Test
  void readers_thatCannotReachKafkaSaySoInTime() throws Exception {
    StreamConfig nowhere =
        StreamConfig.read(Settings.of(Map.of("kafka.bootstrap.servers", "127.0.0.1:1")));
    try (CatchUpReaders lost =
        new CatchUpReaders(
            topic,
            1,
            2,
            Duration.ofMillis(500),
            () -> new KafkaConsumer<>(nowhere.catchUpConsumerConfig("lost")),
            timer)) {
      List<CompletableFuture<OlderEvents.Answer>> answers = new ArrayList<>();
      for (int i = 0; i < 5; i++) { // one is served, two wait, two are too many
        CompletableFuture<OlderEvents.Answer> answer = new CompletableFuture<>();
        lost.read(0, 0, answer::complete);
        answers.add(answer);
      }
      for (CompletableFuture<OlderEvents.Answer> answer : answers) {
        assertThat(answer.get(4, TimeUnit.SECONDS)).isInstanceOf(OlderEvents.Answer.Away.class);
      }
    }
  }
}
