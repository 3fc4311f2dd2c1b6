package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.proto.state.ReadDigestResponse;
import dev.tocsin.proto.state.ReadProgressRequest;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Topics;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionListing;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The same log comes to the same, whoever folds it: a processor that is killed again and again and
 * others among whom the partitions move, both while the log is written; then one thread and four
 * threads, which fold all of it later; and the engine alone.
 */
class DeterminismIT {
  private static final int PARTITIONS = 8;
  private static final int CRASHES = 2;
  private static final int ENTRIES_BETWEEN = 200;

  /** What takes longer, and what is none of this engine's. */
  private static final EnumSet<EventType> NOT_SEEN = EnumSet.of(EventType.REMOVED, EventType.OTHER);

  @TempDir Path folder;

  private final Set<EventType> seen = EnumSet.noneOf(EventType.class);
  private int flapping;
  private int inhibited;
  private int silenced;

  private final String prefix = RunningProcessor.topics().prefix();

  @Test
  void log_comesToTheSame() throws Exception {
    Topics crashing = generation(1);
    Topics moving = generation(2);
    AtomicBoolean end = new AtomicBoolean();
    List<Told> told = new ArrayList<>();
    CompletableFuture<Void> written = CompletableFuture.runAsync(() -> write(crashing, end));
    try (ProcessorChild killed =
            new ProcessorChild(crashing, PARTITIONS, folder.resolve("killed"));
        RunningProcessor stays = processor(moving, "stays", 2)) {
      killed.start();
      try (RunningProcessor comes = processor(moving, "comes", 2)) {
        awaitOwner(comes);
        crash(killed);
      }
      for (int i = 1; i < CRASHES; i++) {
        crash(killed);
      }
      end.set(true);
      written.join();
      told.add(new Told("with crashes", killed::digest));
      told.add(new Told("with rebalances", stays::digest));
      try (RunningProcessor one = processor(generation(3), "one", 1);
          RunningProcessor four = processor(generation(4), "four", 4)) {
        told.add(new Told("by one thread", one::digest));
        told.add(new Told("by four threads", four::digest));
        long incidents = 0;
        for (int partition = 0; partition < PARTITIONS; partition++) {
          incidents += compare(partition, told);
        }
        assertThat(incidents).isGreaterThan(20);
        assertThat(seen).as("events of the log").containsAll(EnumSet.complementOf(NOT_SEEN));
        assertThat(flapping).as("flapping incidents").isPositive();
        assertThat(inhibited).as("inhibited ones").isPositive();
        assertThat(silenced).as("silenced ones").isPositive();
      }
      killed.stop();
      assertThat(openTransactions(crashing)).isEmpty();
    }
  }

  /** Who tells digests. */
  private record Told(String how, Digests of) {
    interface Digests {
      ReadDigestResponse digest(int partition);
    }
  }

  /** Each has folded what is there now, and perhaps ticks that have come since: to where it is. */
  private long compare(int partition, List<Told> told) {
    long end = lastOffset(partition) + 1;
    long incidents = 0;
    for (int number = 1; number <= told.size(); number++) {
      Told each = told.get(number - 1);
      ReadDigestResponse digest =
          Awaitility.await()
              .atMost(Duration.ofSeconds(60))
              .ignoreException(StatusRuntimeException.class) // it moves still
              .until(() -> each.of().digest(partition), now -> now.getAppliedOffset() >= end);
      List<byte[]> events = new ArrayList<>();
      assertThat(digest)
          .as(each.how())
          .isEqualTo(engineAlone(partition, digest.getAppliedOffset(), events));
      int generation = number;
      List<byte[]> published =
          Awaitility.await()
              .atMost(Duration.ofSeconds(20))
              .until(() -> events(generation, partition), now -> now.size() >= events.size());
      assertThat(published.subList(0, events.size()))
          .as("events " + each.how())
          .usingElementComparator(Arrays::compare)
          .isEqualTo(events);
      incidents = Math.max(incidents, digest.getIncidents());
    }
    return incidents;
  }

  /** What the log comes to before {@code end} in the heap, without Kafka Streams and RocksDB. */
  private ReadDigestResponse engineAlone(int partition, long end, List<byte[]> events) {
    MemoryStore store = new MemoryStore();
    Codec<IncidentEvent> codec = Codec.of(IncidentEvent.class);
    Fold fold =
        new Fold(
            store,
            event -> {
              events.add(codec.encode(event));
              look(event);
            });
    long next = 0;
    for (ConsumerRecord<byte[], byte[]> entry : LogReader.read(prefix + ".log", partition)) {
      if (entry.offset() >= end) {
        break;
      }
      fold.apply(Codec.of(LogEntry.class).decode(entry.value()), entry.offset(), entry.timestamp());
      next = entry.offset() + 1;
    }
    return ReadDigestResponse.newBuilder()
        .setAppliedOffset(next)
        .setIncidents(store.digest().incidents())
        .setContent(store.digest().content())
        .setExact(store.digest().exact())
        .build();
  }

  private void look(IncidentEvent event) {
    seen.add(event.getType());
    flapping += event.getIncident().getFlapping() ? 1 : 0;
    inhibited += event.getIncident().getInhibitedBy() != null ? 1 : 0;
    silenced += event.getIncident().getSilencedBy() != null ? 1 : 0;
  }

  private List<String> openTransactions(Topics topics) throws Exception {
    try (Admin admin = Admin.create(Map.copyOf(RunningProcessor.KAFKA))) {
      return admin.listTransactions().all().get().stream()
          .filter(each -> each.state() == TransactionState.ONGOING)
          .map(TransactionListing::transactionalId)
          .filter(id -> id.startsWith(topics.applicationId()))
          .toList();
    }
  }

  private long lastOffset(int partition) {
    List<ConsumerRecord<byte[], byte[]>> log = LogReader.read(prefix + ".log", partition);
    return log.get(log.size() - 1).offset();
  }

  private List<byte[]> events(int generation, int partition) {
    return LogReader.read(new Topics(prefix, "g" + generation).events(), partition).stream()
        .map(ConsumerRecord::value)
        .toList();
  }

  private Topics generation(int number) throws Exception {
    Topics topics = new Topics(prefix, "g" + number);
    LogTopics.create(RunningProcessor.KAFKA, topics, PARTITIONS, 1);
    return topics;
  }

  private RunningProcessor processor(Topics topics, String name, int threads) throws Exception {
    return new RunningProcessor(
        topics,
        folder.resolve(name),
        Map.of("processor.instance-id", name, "processor.threads", Integer.toString(threads)));
  }

  private static void write(Topics topics, AtomicBoolean end) {
    try (LiveLog log = new LiveLog(topics, PARTITIONS, 71)) {
      while (!end.get()) {
        log.step();
      }
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** In the midst of its work. */
  private static void crash(ProcessorChild processor) throws Exception {
    awaitEntries(processor);
    processor.kill();
    processor.start();
  }

  private static void awaitEntries(ProcessorChild processor) {
    long before = applied(processor);
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(20))
        .until(() -> applied(processor) > before + ENTRIES_BETWEEN);
  }

  private static long applied(ProcessorChild processor) {
    return IntStream.range(0, PARTITIONS)
        .mapToLong(partition -> processor.digest(partition).getAppliedOffset())
        .sum();
  }

  /** Until a partition has moved to it. */
  private static void awaitOwner(RunningProcessor processor) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(
            () ->
                processor
                        .state
                        .readProgress(ReadProgressRequest.getDefaultInstance())
                        .getPartitionsCount()
                    > 0);
  }
}
