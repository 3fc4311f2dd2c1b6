package dev.tocsin.processor;

import dev.tocsin.engine.DigestSum;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.DeadLetter;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.test.TestRecord;

/** The topology with its fold and without a broker; one partition, number 0. */
final class FoldRig implements AutoCloseable {
  private static final Codec<IncidentEvent> EVENTS = Codec.of(IncidentEvent.class);
  private static final Codec<DeadLetter> DEAD_LETTERS = Codec.of(DeadLetter.class);

  final MovedClock clock = new MovedClock();
  final MockProducer<byte[], byte[]> ticks =
      new MockProducer<>(true, null, new ByteArraySerializer(), new ByteArraySerializer());
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
  private final Ticks ticker = new Ticks(DiskStore.TOPICS.log(), clock, ticks);
  final PartitionViews views;
  final Pauses pauses = new Pauses(new SimpleMeterRegistry());
  final DiskStore disk;
  private boolean reopen;
  private final TestInputTopic<byte[], byte[]> log;
  private final TestOutputTopic<byte[], byte[]> events;
  private final TestOutputTopic<byte[], byte[]> deadLetters;

  /** One whose log ended at {@code end} when the fold took it over. */
  FoldRig(long end) {
    this(end, Map.of());
  }

  FoldRig(long end, Map<String, String> settings) {
    clock.set(Instant.ofEpochMilli(World.START_MS));
    views =
        new PartitionViews(
            partition -> CompletableFuture.completedStage(end), timer, Runnable::run, 10);
    ProcessorConfig config = DiskStore.config(Path.of("unused"), settings);
    Codec<LogEntry> entries = Codec.of(LogEntry.class);
    EntryGate gate = new EntryGate(entries, config.skips());
    disk =
        new DiskStore(
            () ->
                new Reopened(
                    new FoldProcessor(
                        config,
                        entries,
                        gate,
                        pauses,
                        views,
                        ticker,
                        new CommandCounts(new SimpleMeterRegistry()),
                        new StateCodecs(),
                        StoreMemory.of(config),
                        clock)));
    log =
        disk.driver.createInputTopic(
            DiskStore.TOPICS.log(), new ByteArraySerializer(), new ByteArraySerializer());
    events = output(DiskStore.TOPICS.events());
    deadLetters = output(DiskStore.TOPICS.deadLetters());
  }

  FoldRig append(World.Entry entry) {
    return append(entry.bytes(), entry.atMs());
  }

  FoldRig append(byte[] value, long atMs) {
    log.pipeInput(new TestRecord<>(null, value, Instant.ofEpochMilli(atMs)));
    return this;
  }

  /**
   * Before the next entry the fold ends, and begins again over what is stored, as it does when a
   * task is resumed.
   */
  FoldRig reopen() {
    reopen = true;
    return this;
  }

  /** The store is lost; the offsets are not. */
  FoldRig wipe() {
    List<Bytes> keys = new ArrayList<>();
    try (var all = disk.bytes().all()) {
      all.forEachRemaining(each -> keys.add(each.key));
    }
    keys.forEach(disk.bytes()::delete);
    return reopen();
  }

  List<IncidentEvent> events() {
    return events.readValuesToList().stream().map(EVENTS::decode).toList();
  }

  List<DeadLetter> deadLetters() {
    return deadLetters.readValuesToList().stream().map(DEAD_LETTERS::decode).toList();
  }

  PartitionStore store() {
    return views.owned().iterator().next().store();
  }

  DigestSum digest() {
    return PartitionStoreTest.digest(store());
  }

  private TestOutputTopic<byte[], byte[]> output(String topic) {
    return disk.driver.createOutputTopic(
        topic, new ByteArrayDeserializer(), new ByteArrayDeserializer());
  }

  private final class Reopened implements Processor<byte[], byte[], byte[], byte[]> {
    private final FoldProcessor fold;
    private ProcessorContext<byte[], byte[]> context;

    Reopened(FoldProcessor fold) {
      this.fold = fold;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> given) {
      context = given;
      fold.init(context);
    }

    @Override
    public void process(Record<byte[], byte[]> entry) {
      if (reopen) {
        reopen = false;
        fold.close();
        fold.init(context);
      }
      fold.process(entry);
    }

    @Override
    public void close() {
      fold.close();
    }
  }

  @Override
  public void close() throws InterruptedException {
    disk.close();
    ticker.close();
    timer.shutdownNow();
  }
}
