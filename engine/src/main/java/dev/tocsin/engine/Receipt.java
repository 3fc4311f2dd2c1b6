package dev.tocsin.engine;

import dev.tocsin.schemas.Key128;
import java.nio.ByteBuffer;

/**
 * One sighting of one alert: what recognizes it when it comes again, where on the log it stands,
 * and what the fold did with it.
 *
 * <p>Its key is in two parts. The first 96 bits say which sighting it is, and alone decide whether
 * two are the same. The last 32 say which alert, by workspace, source and alert id, whatever its
 * status and route. Edges of before stamped 128 bits of the first kind: what they stamped is
 * recognized as well, whichever of them sends it, and only cannot be found by its alert id.
 *
 * @param key as the {@link Stamper} makes it
 * @param offset of its entry; of no meaning where the effect is UNKNOWN
 * @param index its place within the entry; likewise
 */
public record Receipt(Key128 key, long offset, int index, AlertEffect effect) {
  private static final int LOW_AT = 8;
  private static final int ALERT_AT = 12;

  static Receipt of(long high, int low, int alert, long offset, int index, AlertEffect effect) {
    byte[] key = ByteBuffer.allocate(16).putLong(high).putInt(low).putInt(alert).array();
    return new Receipt(new Key128(key), offset, index, effect);
  }

  /** Of which sighting: the first 64 bits. */
  static long high(Key128 key) {
    return ByteBuffer.wrap(key.bytes()).getLong(0);
  }

  /** Of which sighting: the last 32 bits. */
  static int low(Key128 key) {
    return ByteBuffer.wrap(key.bytes()).getInt(LOW_AT);
  }

  /** Of which alert. */
  static int alert(Key128 key) {
    return ByteBuffer.wrap(key.bytes()).getInt(ALERT_AT);
  }

  /** Puts the hash of its alert into a hash of a sighting. */
  static Key128 key(Key128 sighting, int alert) {
    ByteBuffer.wrap(sighting.bytes()).putInt(ALERT_AT, alert);
    return sighting;
  }
}
