package dev.tocsin.processor;

import dev.tocsin.engine.Fold;
import dev.tocsin.schemas.AlertsEntry;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Codec.UndecodableException;
import dev.tocsin.schemas.Codec.UnknownSchemaException;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.SchemaRefusal;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Which entries of the log may go to the fold, and which must wait until this software knows more:
 * the schema of a newer writer comes while it runs; a newer engine comes with other software. What
 * can never be read goes through as well: it is the fold that dead-letters it.
 *
 * <p>Thread-safe.
 */
final class EntryGate {
  private final Codec<LogEntry> entries;
  private final Set<ProcessorConfig.Skip> skips;
  private final AtomicInteger learned = new AtomicInteger();

  EntryGate(Codec<LogEntry> entries, Set<ProcessorConfig.Skip> skips) {
    this.entries = entries;
    this.skips = skips;
  }

  /** Takes what a record of the schemas' topic holds; what waited for it may now go. */
  Optional<SchemaRefusal> learn(byte[] key, byte[] json) {
    Optional<SchemaRefusal> refusal = entries.learn(key, json);
    if (refusal.isEmpty()) {
      learned.incrementAndGet();
    }
    return refusal;
  }

  /** Moves each time something was learned: then entries that had to wait are to be tried again. */
  int learned() {
    return learned.get();
  }

  /** Why the entry has to be kept back; empty if it may go, or is to be skipped. */
  Optional<Pause> holds(int partition, long offset, byte[] entry) {
    Optional<Pause> pause = waits(partition, offset, entry);
    return pause.isPresent() && skipped(partition, offset) ? Optional.empty() : pause;
  }

  /** Whether an operator wants this entry gone past, where it would have to wait. */
  boolean skipped(int partition, long offset) {
    return skips.contains(new ProcessorConfig.Skip(partition, offset));
  }

  /** Why the entry cannot be applied yet; empty if it can be, or never could. Cheap for alerts. */
  Optional<Pause> waits(int partition, long offset, byte[] entry) {
    if (entry == null || AlertsEntry.isPlain(entry)) {
      return Optional.empty();
    }
    OptionalLong unknown = entries.unknownWriter(entry);
    if (unknown.isPresent()) {
      return Optional.of(
          new Pause(
              partition,
              offset,
              Pause.Reason.UNKNOWN_SCHEMA,
              "it was written with schema %016x, which nobody has published; it goes on when somebody does"
                  .formatted(unknown.getAsLong())));
    }
    int needed = versionNeeded(entry);
    if (needed <= Fold.ENGINE_VERSION) {
      return Optional.empty();
    }
    return Optional.of(
        new Pause(
            partition,
            offset,
            Pause.Reason.NEWER_ENGINE,
            "it needs engine version %d, and this software has up to %d; it goes on under newer software"
                .formatted(needed, Fold.ENGINE_VERSION)));
  }

  private int versionNeeded(byte[] entry) {
    try {
      return Fold.versionNeeded(entries.decode(entry));
    } catch (UndecodableException | UnknownSchemaException e) {
      return 0; // the fold dead-letters the first; the second was asked for just before
    }
  }
}
