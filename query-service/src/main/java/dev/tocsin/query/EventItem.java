package dev.tocsin.query;

import dev.tocsin.schemas.Codec;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A record of the events topic, kept as bytes until the first stream wants it and read then, once
 * for all. Thread-safe.
 */
final class EventItem {
  private static final Logger LOG = LoggerFactory.getLogger(EventItem.class);

  /** What an event takes in memory beside its content. */
  private static final int OVERHEAD_BYTES = 512;

  /** How much larger an event is in memory than as bytes, at most, as measured. */
  private static final int GROWTH = 4;

  private final int partition;
  private final long offset;
  private final int weight;
  private volatile byte[] bytes;
  private volatile Optional<LiveEvent> event;

  EventItem(int partition, long offset, byte[] bytes) {
    this.partition = partition;
    this.offset = offset;
    this.bytes = bytes == null ? new byte[0] : bytes;
    this.weight = OVERHEAD_BYTES + GROWTH * this.bytes.length;
  }

  static EventItem of(ConsumerRecord<byte[], byte[]> read) {
    return new EventItem(read.partition(), read.offset(), read.value());
  }

  int partition() {
    return partition;
  }

  long offset() {
    return offset;
  }

  /** What it takes in memory, in bytes, at most. */
  int weight() {
    return weight;
  }

  /**
   * The event; empty if the record is none, which is logged. Its absence shows in the sequence.
   *
   * @throws Codec.UnknownSchemaException if it was written by a newer program than this one
   */
  Optional<LiveEvent> event() {
    Optional<LiveEvent> found = event;
    if (found != null) {
      return found;
    }
    byte[] raw = bytes;
    if (raw == null) {
      return event; // another thread has just read it
    }
    found = read(raw);
    event = found;
    bytes = null;
    return found;
  }

  private Optional<LiveEvent> read(byte[] raw) {
    try {
      return Optional.of(LiveEvent.read(partition, raw));
    } catch (Codec.UndecodableException e) {
      LOG.error("the event at {}-{} cannot be read: {}", partition, offset, e.getMessage());
      return Optional.empty();
    }
  }
}
