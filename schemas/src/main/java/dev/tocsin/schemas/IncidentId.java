package dev.tocsin.schemas;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * Incident ids: UUIDs of version 8 (RFC 9562), 16 bytes, most significant first.
 *
 * <pre>
 *  48 bits  fold time of the opening, ms since the epoch
 *   4 bits  version, 8
 *  12 bits  the route's highest bits
 *   2 bits  variant, 10
 *  52 bits  the route's lowest bits
 *  10 bits  the opening offset's lowest bits, counted up while the id is taken
 * </pre>
 *
 * So ids sort, as unsigned bytes, by the time of opening, and any id tells its route and with it
 * its partition.
 */
public final class IncidentId {
  /** How many incidents of one route can open in one millisecond. */
  public static final int PER_ROUTE_AND_MS = 1 << 10;

  private static final Pattern TEXT =
      Pattern.compile(
          "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");
  private static final long LOW_12 = 0xFFFL;
  private static final long LOW_52 = (1L << 52) - 1;

  private IncidentId() {}

  /**
   * An id.
   *
   * @param atMs fold time, of which 48 bits are kept
   * @param serial of which 10 bits are kept
   */
  public static Key128 of(long atMs, long route, long serial) {
    long high = atMs << 16 | 0x8000 | route >>> 52;
    long low = 0x8000_0000_0000_0000L | (route & LOW_52) << 10 | serial & (PER_ROUTE_AND_MS - 1);
    return key(high, low);
  }

  /** The route that the id carries. */
  public static long route(Key128 id) {
    ByteBuffer bytes = ByteBuffer.wrap(id.bytes());
    return (bytes.getLong(0) & LOW_12) << 52 | bytes.getLong(8) << 2 >>> 12;
  }

  /** Canonical text, in lower case. */
  public static String text(Key128 id) {
    ByteBuffer bytes = ByteBuffer.wrap(id.bytes());
    return new UUID(bytes.getLong(0), bytes.getLong(8)).toString();
  }

  /**
   * The id that {@code text} writes; empty if it is no UUID in canonical form. Any version is read.
   */
  public static Optional<Key128> parse(String text) {
    if (!TEXT.matcher(text).matches()) {
      return Optional.empty();
    }
    UUID uuid = UUID.fromString(text);
    return Optional.of(key(uuid.getMostSignificantBits(), uuid.getLeastSignificantBits()));
  }

  /** Whether the id is of the one version that is given here; any other UUID is nobody's. */
  public static boolean isOurs(Key128 id) {
    byte[] bytes = id.bytes();
    return (bytes[6] & 0xF0) == 0x80 && (bytes[8] & 0xC0) == 0x80;
  }

  private static Key128 key(long high, long low) {
    return new Key128(ByteBuffer.allocate(16).putLong(high).putLong(low).array());
  }
}
