package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Tally;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.common.utils.Bytes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** State that software with the first version of each schema wrote is read, and goes on. */
class PreviousStateTest {
  private static final int ENTRIES = 500;
  private static final Map<Byte, Schema> TODAY =
      Map.of(
          StateKeys.FINGERPRINT,
          FingerprintState.getClassSchema(),
          StateKeys.GROUP,
          GroupState.getClassSchema(),
          StateKeys.INCIDENT,
          Incident.getClassSchema(),
          StateKeys.TALLY,
          Tally.getClassSchema(),
          StateKeys.STATE.get()[0],
          PartitionState.getClassSchema(),
          StateKeys.RULES.get()[0],
          Rules.getClassSchema());

  private final DiskStore disk = new DiskStore();
  private final World world = new World(71);
  private final MemoryStore model = new MemoryStore();
  private final List<IncidentEvent> expected = new ArrayList<>();
  private final List<IncidentEvent> events = new ArrayList<>();

  @AfterEach
  void close() {
    disk.close();
  }

  @Test
  void store_ofThePreviousSchemasGivesTheSameIncidentsAndIsWrittenByTodays() {
    Fold modelFold = new Fold(model, expected::add);
    fold(modelFold, new PartitionStore(disk.bytes(), () -> 1 << 12), 0, false);
    assertThat(model.incidents()).hasSizeGreaterThan(5);

    Map<Byte, Integer> rewritten = rewriteAsVersionOne();
    assertThat(rewritten.keySet()).isEqualTo(TODAY.keySet());
    PartitionStore reopened = new PartitionStore(disk.bytes(), () -> 1 << 12);
    assertThat(reopened.state()).isEqualTo(model.state());
    assertThat(reopened.rules()).isEqualTo(model.rules());
    assertThat(PartitionStoreTest.digest(reopened).exact()).isEqualTo(model.digest().exact());
    assertThat(writers(StateKeys.INCIDENT))
        .containsOnlyKeys(fingerprint(first(StateKeys.INCIDENT)));

    fold(modelFold, reopened, ENTRIES, true);
    assertThat(PartitionStoreTest.digest(reopened).exact()).isEqualTo(model.digest().exact());
    assertThat(events).isEqualTo(expected);
    assertThat(writers(StateKeys.INCIDENT))
        .as("what changed is of today, what did not may be as it was")
        .containsKey(fingerprint(Incident.getClassSchema()));
    assertThat(writers(StateKeys.STATE.get()[0]))
        .containsOnlyKeys(fingerprint(PartitionState.getClassSchema()));
  }

  private void fold(Fold modelFold, PartitionStore store, int from, boolean today) {
    Fold fold = new Fold(store, events::add);
    for (int offset = from; offset < from + ENTRIES; offset++) {
      World.Entry next = world.next();
      LogEntry entry = today ? next.entry() : previous(next.entry());
      modelFold.apply(entry, offset, next.atMs());
      fold.apply(entry, offset, next.atMs());
    }
    store.flush();
  }

  /**
   * As the first schemas could say it: without commands, and without the bounds that came later.
   */
  private static LogEntry previous(LogEntry entry) {
    if (entry.getCommand() != null
        || entry.getSilence() != null
        || entry.getSilenceExpired() != null) {
      return LogEntries.tick();
    }
    if (entry.getPayload() instanceof RulesActivated activated) {
      Rules rules =
          Rules.newBuilder(activated.getRules())
              .clearNotesMax()
              .clearOutcomeWindowMs()
              .clearOutcomesMax()
              .clearFlapping()
              .clearInhibitions()
              .build();
      return LogEntries.of(new RulesActivated(rules));
    }
    return entry;
  }

  /** Puts everything as software with the first schemas would have, and counts it by kind. */
  private Map<Byte, Integer> rewriteAsVersionOne() {
    Map<Bytes, byte[]> all = new HashMap<>();
    Map<Byte, Integer> counts = new HashMap<>();
    try (var stored = disk.bytes().all()) {
      stored.forEachRemaining(each -> all.put(each.key, each.value));
    }
    all.forEach(
        (key, value) -> {
          byte letter = key.get()[0];
          if (TODAY.containsKey(letter)) {
            disk.bytes().put(key, rewritten(value, TODAY.get(letter), first(letter)));
            counts.merge(letter, 1, Integer::sum);
          }
        });
    return counts;
  }

  private static byte[] rewritten(byte[] value, Schema today, Schema first) {
    try {
      var reader = new BinaryMessageDecoder<GenericRecord>(GenericData.get(), first);
      reader.addSchema(today);
      var writer = new BinaryMessageEncoder<GenericRecord>(GenericData.get(), first);
      ByteBuffer bytes = writer.encode(reader.decode(value));
      byte[] result = new byte[bytes.remaining()];
      bytes.get(result);
      return result;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The first version of the record that stands under this letter. */
  private static Schema first(byte letter) {
    String path = "/dev/tocsin/schemas/history/%s/1.avsc".formatted(TODAY.get(letter).getName());
    try (InputStream in = PreviousStateTest.class.getResourceAsStream(path)) {
      return new Schema.Parser().parse(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** By which schemas, by fingerprint, the records of a kind are written. */
  private Map<Long, Integer> writers(byte letter) {
    Map<Long, Integer> writers = new HashMap<>();
    try (var stored = disk.bytes().all()) {
      stored.forEachRemaining(
          each -> {
            if (each.key.get()[0] == letter) {
              long writer =
                  ByteBuffer.wrap(each.value, 2, Long.BYTES)
                      .order(ByteOrder.LITTLE_ENDIAN)
                      .getLong();
              writers.merge(writer, 1, Integer::sum);
            }
          });
    }
    return writers;
  }

  private static long fingerprint(Schema schema) {
    return SchemaNormalization.parsingFingerprint64(schema);
  }
}
