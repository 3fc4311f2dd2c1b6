package dev.tocsin.schemas;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * What the records of the rules topic say: which version is published last, and which is active.
 * The topic has a record for each version, by its number in decimal digits, and one under {@code
 * active}, whose value is the number of the version that every partition of the log has. Where that
 * one is missing version 1 is active: a log begins with it.
 *
 * <p>A version is published only once the one before is active, so no more than the newest two are
 * of interest, and no more are kept. Not thread-safe.
 */
public final class RulesBook {
  private static final String ACTIVE = "active";
  private static final int FIRST = 1;
  private static final Codec<Rules> RULES = Codec.of(Rules.class);

  private Rules newest;
  private Rules before;
  private int active = FIRST;

  /** The key of a version's record. */
  public static byte[] key(int version) {
    return text(Integer.toString(version));
  }

  /** The key of the record that names the active version. */
  public static byte[] activeKey() {
    return text(ACTIVE);
  }

  /** The value of the record that names the active version. */
  public static byte[] activeValue(int version) {
    return text(Integer.toString(version));
  }

  /**
   * Takes the next record.
   *
   * @return the version that it holds, if it holds one
   * @throws Codec.UnknownSchemaException if a newer program has written it
   * @throws Codec.UndecodableException if it is no record of this topic
   */
  public Optional<Rules> take(byte[] key, byte[] value) {
    if (key == null || value == null) {
      return Optional.empty();
    }
    if (new String(key, StandardCharsets.UTF_8).equals(ACTIVE)) {
      active = Math.max(active, number(value));
      return Optional.empty();
    }
    Rules rules = RULES.decode(value);
    if (newest == null || rules.getVersion() > newest.getVersion()) {
      before = newest;
      newest = rules;
    }
    return Optional.of(rules);
  }

  /** The version that every partition has, if its record was taken. */
  public Optional<Rules> active() {
    return Optional.ofNullable(newest)
        .filter(rules -> rules.getVersion() == active)
        .or(() -> Optional.ofNullable(before).filter(rules -> rules.getVersion() == active));
  }

  /** The number of the version that every partition has. */
  public int activeVersion() {
    return active;
  }

  /** The version that was published last, active or not. */
  public Optional<Rules> newest() {
    return Optional.ofNullable(newest);
  }

  private static int number(byte[] digits) {
    try {
      return Integer.parseInt(new String(digits, StandardCharsets.UTF_8));
    } catch (NumberFormatException e) {
      throw new Codec.UndecodableException("the active version of the rules is no number", e);
    }
  }

  private static byte[] text(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
