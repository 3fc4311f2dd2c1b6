package dev.tocsin.processor;

import dev.tocsin.engine.Fold;
import dev.tocsin.engine.Fold.EngineFailure;
import dev.tocsin.schemas.AlertsEntry;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Codec.UndecodableException;
import dev.tocsin.schemas.Codec.UnknownSchemaException;
import dev.tocsin.schemas.DeadLetter;
import dev.tocsin.schemas.DeadLetterReason;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.LoggedAlerts;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.processor.PunctuationType;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Feeds one partition of the log to the engine. Decoding happens here, from bytes, so that an entry
 * that cannot be read moves the applied offset as any other does.
 */
final class FoldProcessor implements Processor<byte[], byte[], byte[], byte[]> {
  private static final Logger LOG = LoggerFactory.getLogger(FoldProcessor.class);
  private static final Codec<IncidentEvent> EVENTS = Codec.of(IncidentEvent.class);
  private static final Codec<DeadLetter> DEAD_LETTERS = Codec.of(DeadLetter.class);
  private static final Duration TICK_CHECK = Duration.ofMillis(250);
  private static final int DETAIL_MAX = 1_000;

  /** Of what is dirty when a commit is asked for, so much may be in the midst of an entry. */
  private static final int DIRTY_MAX_FACTOR = 2;

  private final ProcessorConfig config;
  private final Codec<LogEntry> entries;
  private final EntryGate gate;
  private final Pauses pauses;
  private final PartitionViews views;
  private final Ticks ticks;
  private final CommandCounts counts;
  private final StateCodecs codecs;
  private final StoreMemory memory;
  private final Clock clock;
  private ProcessorContext<byte[], byte[]> context;
  private int partition;
  private PartitionStore store;
  private PartitionView view;
  private Fold fold;
  private AppliedCommands commands;
  private long lastAppliedAtMs;
  private boolean left;

  FoldProcessor(
      ProcessorConfig config,
      Codec<LogEntry> entries,
      EntryGate gate,
      Pauses pauses,
      PartitionViews views,
      Ticks ticks,
      CommandCounts counts,
      StateCodecs codecs,
      StoreMemory memory,
      Clock clock) {
    this.codecs = codecs;
    this.memory = memory;
    this.config = config;
    this.entries = entries;
    this.gate = gate;
    this.pauses = pauses;
    this.views = views;
    this.ticks = ticks;
    this.counts = counts;
    this.clock = clock;
  }

  @Override
  public void init(ProcessorContext<byte[], byte[]> context) {
    this.context = context;
    partition = context.taskId().partition();
    KeyValueStore<Bytes, byte[]> bytes = context.getStateStore(FoldTopology.STATE_STORE);
    store =
        new PartitionStore(
            bytes,
            memory.cache()::share,
            DIRTY_MAX_FACTOR * config.dirtyMax(),
            memory.receipts(),
            codecs);
    CommitHook hook = context.getStateStore(FoldTopology.COMMIT_HOOK);
    hook.beforeCommit(store::flush);
    fold = new Fold(store, this::publish);
    view = views.open(partition, store);
    memory.cache().join();
    commands = new AppliedCommands(store, view.refused(), counts);
    lastAppliedAtMs = clock.millis();
    context.schedule(TICK_CHECK, PunctuationType.WALL_CLOCK_TIME, this::tickIfDue);
  }

  @Override
  public void process(Record<byte[], byte[]> entry) {
    long offset = context.recordMetadata().orElseThrow().offset();
    if (isApplied(offset)) {
      return;
    }
    apply(entry, application(entry, offset), offset);
    lastAppliedAtMs = clock.millis();
    view.applied();
    settleOn(entry);
    if (store.dirty() >= config.dirtyMax()) {
      context.commit();
    }
  }

  /**
   * Whether the state has this entry already. Offsets and state are committed together, so it has
   * it only where the group's offsets were lost, as they are when nobody folds for a week, and the
   * log is read again. The other way round nothing can be made good.
   */
  private boolean isApplied(long offset) {
    long next = store.state().getAppliedOffset();
    if (next == 0 && offset > 0) {
      throw new IllegalStateException(
          "partition %d goes on at offset %d, but its state is empty: the changelog is gone, and incidents would be lost; fold the log into a new generation"
              .formatted(partition, offset));
    }
    return offset < next;
  }

  /** What applies the entry; null for one that cannot be read. Nearly every one is of alerts. */
  private Runnable application(Record<byte[], byte[]> entry, long offset) {
    Optional<LoggedAlerts> alerts = AlertsEntry.read(entry.value());
    if (alerts.isPresent()) {
      return () -> fold.apply(alerts.get(), offset, entry.timestamp());
    }
    LogEntry decoded = decode(entry, offset);
    return decoded == null
        ? null
        : () -> commands.apply(decoded, () -> fold.apply(decoded, offset, entry.timestamp()));
  }

  /**
   * The entry; null for one that is dead-lettered. One that has to wait comes here only where an
   * operator has asked to go past it: {@link PausingConsumer} keeps all others back.
   */
  private LogEntry decode(Record<byte[], byte[]> entry, long offset) {
    try {
      LogEntry decoded = entries.decode(entry.value());
      if (Fold.versionNeeded(decoded) <= Fold.ENGINE_VERSION) {
        return decoded;
      }
      goPast(entry, offset);
    } catch (UndecodableException e) {
      deadLetter(DeadLetterReason.UNDECODABLE, entry, offset, e.getMessage());
    } catch (UnknownSchemaException e) {
      goPast(entry, offset);
    }
    return null;
  }

  private void goPast(Record<byte[], byte[]> entry, long offset) {
    Optional<Pause> waits = gate.waits(partition, offset, entry.value());
    String why = waits.map(Pause::why).orElse("it is known by now");
    if (!gate.skipped(partition, offset)) {
      throw new IllegalStateException(
          "the entry at %d-%d has to wait and should not have come here: %s"
              .formatted(partition, offset, why));
    }
    deadLetter(DeadLetterReason.SKIPPED, entry, offset, why);
  }

  @Override
  public void close() {
    if (view != null) {
      views.close(view);
      memory.cache().leave();
    }
  }

  /** Applies the entry, or goes past it; null is one that cannot be read. */
  private void apply(Record<byte[], byte[]> entry, Runnable application, long offset) {
    Runnable step = application;
    while (true) {
      try {
        if (step == null) {
          fold.skip(offset, entry.timestamp());
        } else {
          step.run();
        }
        return;
      } catch (EngineFailure e) {
        if (ofTheStore(e.getCause())) {
          throw e; // not the engine's fault: the task ends, and is tried again
        }
        LOG.error("the engine failed in partition {}", partition, e);
        deadLetter(DeadLetterReason.ENGINE_FAILURE, entry, offset, e.getMessage());
        if (e.timer().isPresent()) {
          fold.drop(e.timer().get());
        } else {
          step = null;
        }
      }
    }
  }

  /** Whether it could not read what is stored: no entry is to blame for that. */
  static boolean ofTheStore(Throwable cause) {
    return cause instanceof KafkaException
        || cause instanceof UndecodableException
        || cause instanceof UnknownSchemaException;
  }

  private void publish(IncidentEvent event) {
    context.forward(
        new Record<>(event.getIncident().getId().bytes(), EVENTS.encode(event), event.getAtMs()),
        FoldTopology.EVENTS);
  }

  private void deadLetter(
      DeadLetterReason reason, Record<byte[], byte[]> entry, long offset, String detail) {
    LOG.warn("dead letter: {} at {}-{}: {}", reason, partition, offset, detail);
    String bounded = detail.length() <= DETAIL_MAX ? detail : detail.substring(0, DETAIL_MAX);
    ByteBuffer bytes = entry.value() == null ? null : ByteBuffer.wrap(entry.value());
    byte[] key = ByteBuffer.allocate(12).putInt(partition).putLong(offset).array();
    DeadLetter letter =
        new DeadLetter(reason, partition, offset, entry.timestamp(), bounded, bytes);
    context.forward(
        new Record<>(key, DEAD_LETTERS.encode(letter), entry.timestamp()),
        FoldTopology.DEAD_LETTERS);
  }

  /** More may be due than this entry could settle: if no other comes by itself, a tick does. */
  private void settleOn(Record<byte[], byte[]> entry) {
    OptionalLong dueMs = fold.dueMs();
    long nowMs = store.state().getFoldTimeMs();
    left = dueMs.isPresent() && dueMs.getAsLong() <= nowMs;
    view.timersBehind(left ? nowMs - dueMs.getAsLong() : 0);
    if (left && view.caughtUp()) {
      ticks.appendAfter(entry.value(), partition);
    }
  }

  /**
   * A quiet partition in which something is due by the wall clock gets a tick; one that is being
   * fed needs none, unless its entries leave what is due. So does one that lags though nothing
   * comes: what the log's end promised may be a transaction that someone aborted, and an entry must
   * follow for the offset to move past it. A paused partition gets none: it would not be applied
   * either.
   */
  private void tickIfDue(long wallClockMs) {
    OptionalLong dueMs = fold.dueMs();
    boolean quiet = clock.millis() - lastAppliedAtMs >= Ticks.INTERVAL.toMillis();
    boolean due = dueMs.isPresent() && dueMs.getAsLong() <= clock.millis();
    boolean needed = view.caughtUp() ? left || (quiet && due) : quiet && view.behind();
    if (needed && !pauses.isPaused(partition)) {
      ticks.append(partition);
    }
  }
}
