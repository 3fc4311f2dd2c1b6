package dev.tocsin.schemas;

/**
 * The UTF-8 of short texts that are ASCII, as most of an alert's are, without an array for each.
 * For long ones the JDK's encoder is faster, which looks at many characters at once.
 */
public final class Ascii {
  /** Longer texts are left to the JDK. */
  public static final int CHARS_MAX = 48;

  private static final int FIRST_OTHER = 0x80;

  private Ascii() {}

  /**
   * Writes {@code text}, a byte a character, from {@code at} on; there must be room for all of it.
   * False if it is long or not all ASCII: then what was written means nothing.
   */
  public static boolean copy(String text, byte[] to, int at) {
    int length = text.length();
    if (length > CHARS_MAX) {
      return false;
    }
    int all = 0;
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      all |= c;
      to[at + i] = (byte) c;
    }
    return all < FIRST_OTHER;
  }
}
