package dev.tocsin.schemas;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Goes through an entry of alerts in Avro's binary encoding, and reads no more of it than it is
 * asked for. It takes what this software's writers write; what else the encoding allows, and what
 * it does not, it leaves to {@link Codec}, by an exception.
 *
 * <p>Not thread-safe.
 *
 * @see <a href="https://avro.apache.org/docs/1.12.0/specification/#binary-encoding">the
 *     encoding</a>
 */
final class AlertBytes {
  /** It is not as this software writes it. There is one, without a trace: it is an answer. */
  static final class UnusualException extends RuntimeException {
    private static final UnusualException INSTANCE = new UnusualException();

    private UnusualException() {
      super("unusual", null, false, false);
    }
  }

  static final AlertStatus[] STATUSES = AlertStatus.values();
  static final Severity[] SEVERITIES = Severity.values();
  static final IncidentType[] TYPES = IncidentType.values();

  private static final int KEY_BYTES = 16;
  private static final int VARINT_BITS_MAX = 63;

  /** As many as {@link Codec} takes: one that claims more is not to be believed. */
  private static final int ITEMS_MAX = 1 << 20;

  private final byte[] bytes;
  private final int end;
  private int at;
  private String lastName = "";
  private byte[] lastNameBytes = {};

  AlertBytes(byte[] bytes, int from, int to) {
    this.bytes = bytes;
    this.at = from;
    this.end = to;
  }

  byte[] array() {
    return bytes;
  }

  /** The next byte's place. */
  int at() {
    return at;
  }

  boolean isAtEnd() {
    return at == end;
  }

  /** Avro's int and long: seven bits a byte, least significant first, zigzag. */
  long varint() {
    long raw = 0;
    int shift = 0;
    while (at < end) {
      byte next = bytes[at++];
      raw |= (long) (next & 0x7F) << shift;
      if (next >= 0) {
        return raw >>> 1 ^ -(raw & 1);
      }
      shift += 7;
      if (shift > VARINT_BITS_MAX) {
        break;
      }
    }
    throw UnusualException.INSTANCE;
  }

  /** A count of items, each of which takes a byte at least. */
  int count() {
    long count = varint();
    if (count < 0 || count > Math.min(ITEMS_MAX, end - at)) {
      throw UnusualException.INSTANCE;
    }
    return (int) count;
  }

  void skipTexts(int texts) {
    for (int i = 0; i < texts; i++) {
      skip(varint());
    }
  }

  /** A map or an array in one block. */
  void skipItems(int textsEach) {
    int count = count();
    if (count > 0) {
      skipTexts(count * textsEach);
      if (count() != 0) {
        throw UnusualException.INSTANCE;
      }
    }
  }

  /** A text that is often the same as the last one. */
  String name() {
    long length = varint();
    int from = at;
    skip(length);
    if (!Arrays.equals(bytes, from, at, lastNameBytes, 0, lastNameBytes.length)) {
      lastNameBytes = Arrays.copyOfRange(bytes, from, at);
      lastName = new String(lastNameBytes, StandardCharsets.UTF_8);
    }
    return lastName;
  }

  Key128 key() {
    int from = at;
    skip(KEY_BYTES);
    return new Key128(Arrays.copyOfRange(bytes, from, at));
  }

  /** Of a union of null and something else: whether the latter follows. */
  boolean isPresent() {
    return isOne(varint());
  }

  boolean bool() {
    int from = at;
    skip(1);
    return isOne(bytes[from]);
  }

  <E extends Enum<E>> E constant(E[] all) {
    long index = varint();
    if (index < 0 || index >= all.length) {
      throw UnusualException.INSTANCE;
    }
    return all[(int) index];
  }

  private static boolean isOne(long value) {
    if (value != 0 && value != 1) {
      throw UnusualException.INSTANCE;
    }
    return value == 1;
  }

  private void skip(long length) {
    if (length < 0 || length > end - at) {
      throw UnusualException.INSTANCE;
    }
    at += (int) length;
  }
}
