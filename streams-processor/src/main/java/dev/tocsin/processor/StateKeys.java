package dev.tocsin.processor;

import dev.tocsin.engine.Timer;
import dev.tocsin.schemas.Key128;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.apache.kafka.common.utils.Bytes;

/**
 * The keys of a partition's one store: a letter for the table, then what orders it. Numbers are
 * most significant byte first, so keys sort as they count.
 *
 * <pre>
 * F condition(16)                                 FingerprintState
 * G group(16)                                     GroupState
 * H inhibition(16)                                InhibitionState
 * I id(16)                                        Incident
 * L                                               the first timer of a tally that is due and left
 * N id(16)                                        Tally
 * O request(16)                                   Outcome
 * P number(8)                                     timers of tallies, packed
 * Q bucket(8) chunk(4)                            of the same receipts: positions and effects, packed
 * R bucket(8) chunk(4)                            receipts, packed
 * S                                               PartitionState
 * W workspace(16)                                 WorkspaceSilences
 * Z silence(16)                                   SilenceState
 * T due(8) kind(1) about(16)                      -
 * U                                               Rules
 * X length(2) workspace open(1) ~id(16)           -          the index: newest first within open (0) and not open (1)
 * </pre>
 */
final class StateKeys {
  static final Bytes STATE = Bytes.wrap(new byte[] {'S'});
  static final Bytes TALLY_TIMERS_LEFT = Bytes.wrap(new byte[] {'L'});
  static final Bytes RULES = Bytes.wrap(new byte[] {'U'});
  static final byte FINGERPRINT = 'F';
  static final byte GROUP = 'G';
  static final byte INHIBITION = 'H';
  static final byte INCIDENT = 'I';
  static final byte TALLY = 'N';
  static final byte OUTCOME = 'O';
  static final byte TALLY_TIMERS = 'P';
  static final byte RECEIPT_POSITIONS = 'Q';
  static final byte RECEIPTS = 'R';
  static final byte SILENCES = 'W';
  static final byte SILENCE = 'Z';
  static final byte TIMER = 'T';
  static final byte INDEX = 'X';

  /** The value of keys that say everything. */
  static final byte[] PRESENT = {};

  private static final int KEY_BYTES = 16;

  private StateKeys() {}

  static Bytes of(byte table, Key128 key) {
    return Bytes.wrap(ByteBuffer.allocate(1 + KEY_BYTES).put(table).put(key.bytes()).array());
  }

  /** The first key of a table. */
  static Bytes first(byte table) {
    return Bytes.wrap(new byte[] {table});
  }

  /** After the last key of a table. */
  static Bytes end(byte table) {
    return Bytes.wrap(new byte[] {(byte) (table + 1)});
  }

  /** The first key that can follow {@code key}. */
  static Bytes after(Bytes key) {
    return Bytes.wrap(Arrays.copyOf(key.get(), key.get().length + 1));
  }

  /** The 16 bytes that follow the table's letter. */
  static Key128 key(Bytes stored) {
    return new Key128(Arrays.copyOfRange(stored.get(), 1, 1 + KEY_BYTES));
  }

  static Bytes receipts(long bucket, int chunk) {
    return chunk(RECEIPTS, bucket, chunk);
  }

  static Bytes receiptPositions(long bucket, int chunk) {
    return chunk(RECEIPT_POSITIONS, bucket, chunk);
  }

  private static Bytes chunk(byte table, long bucket, int chunk) {
    return Bytes.wrap(ByteBuffer.allocate(13).put(table).putLong(bucket).putInt(chunk).array());
  }

  static long bucket(Bytes stored) {
    return ByteBuffer.wrap(stored.get()).getLong(1);
  }

  static int chunk(Bytes stored) {
    return ByteBuffer.wrap(stored.get()).getInt(9);
  }

  static Bytes tallyTimers(long number) {
    return Bytes.wrap(ByteBuffer.allocate(9).put(TALLY_TIMERS).putLong(number).array());
  }

  static long tallyTimers(Bytes stored) {
    return ByteBuffer.wrap(stored.get()).getLong(1);
  }

  static Bytes timer(Timer timer) {
    return Bytes.wrap(
        ByteBuffer.allocate(26)
            .put(TIMER)
            .putLong(timer.dueMs())
            .put(timer.kind().code())
            .put(timer.about().bytes())
            .array());
  }

  static Timer timer(Bytes stored) {
    ByteBuffer bytes = ByteBuffer.wrap(stored.get());
    bytes.get();
    long dueMs = bytes.getLong();
    Timer.Kind kind = Timer.Kind.of(bytes.get());
    byte[] about = new byte[KEY_BYTES];
    bytes.get(about);
    return new Timer(dueMs, kind, new Key128(about));
  }

  /** Where a workspace's incidents begin, those that are open or those that are not. */
  static Bytes index(String workspace, boolean open) {
    return Bytes.wrap(indexPrefix(workspace, open, 0));
  }

  static Bytes index(String workspace, boolean open, Key128 id) {
    byte[] key = indexPrefix(workspace, open, KEY_BYTES);
    byte[] bytes = id.bytes();
    for (int i = 0; i < KEY_BYTES; i++) {
      key[key.length - KEY_BYTES + i] = (byte) ~bytes[i];
    }
    return Bytes.wrap(key);
  }

  /** Where they go on below {@code before}; where they begin if that is null. */
  static Bytes indexFrom(String workspace, boolean open, Key128 before) {
    return before == null ? index(workspace, open) : after(index(workspace, open, before));
  }

  /** After the last of a workspace's incidents that are open, or not. */
  static Bytes indexEnd(String workspace, boolean open) {
    byte[] prefix = indexPrefix(workspace, open, 0);
    prefix[prefix.length - 1]++;
    return Bytes.wrap(prefix);
  }

  /** The id at the end of an index key. */
  static Key128 indexed(Bytes stored) {
    byte[] key = stored.get();
    byte[] id = Arrays.copyOfRange(key, key.length - KEY_BYTES, key.length);
    for (int i = 0; i < id.length; i++) {
      id[i] = (byte) ~id[i];
    }
    return new Key128(id);
  }

  /** The prefix, and room for {@code more} bytes after it. */
  private static byte[] indexPrefix(String workspace, boolean open, int more) {
    byte[] name = workspace.getBytes(StandardCharsets.UTF_8);
    byte[] key = new byte[1 + Short.BYTES + name.length + 1 + more];
    ByteBuffer.wrap(key)
        .put(INDEX)
        .putShort((short) name.length)
        .put(name)
        .put((byte) (open ? 0 : 1));
    return key;
  }
}
