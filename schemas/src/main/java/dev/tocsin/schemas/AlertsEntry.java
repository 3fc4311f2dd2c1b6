package dev.tocsin.schemas;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumWriter;

/**
 * Writes a {@link LogEntry} of alerts in two steps: each alert's bytes by whoever received it, then
 * the entry around those bytes by the one thread that appends. The result is what {@link Codec}
 * would write for the whole.
 *
 * <p>Thread-safe.
 */
public final class AlertsEntry {
  private static final int VARINT_BYTES_MAX = 5;
  private static final byte[] NO_HEADER = {};
  private static final byte[] HEADER = Codec.header(LogEntry.getClassSchema());

  /** The fields behind the payload: engine version 1 or later, and nothing of all else. */
  private static final byte[] REST = {2, 0, 0, 0, 0};

  /** How every entry ends that is written here: the array's end, and {@link #REST}. */
  private static final byte[] END =
      ByteBuffer.allocate(1 + REST.length).put((byte) 0).put(REST).array();

  private static final SpecificDatumWriter<Alert> WRITER = alertWriter();

  private AlertsEntry() {}

  /** One alert's bytes, to be joined with others into an entry. */
  public static byte[] encode(Alert alert) {
    return Codec.write(NO_HEADER, WRITER, alert);
  }

  /**
   * The entry that holds these alerts.
   *
   * @param rulesVersion the version under which all of them were stamped
   * @param alerts each as {@link #encode} gave it; at least one
   */
  public static byte[] join(int rulesVersion, List<byte[]> alerts) {
    if (alerts.isEmpty()) {
      throw new IllegalArgumentException("an entry holds at least one alert");
    }
    int bytes = HEADER.length + 2 + 2 * VARINT_BYTES_MAX + REST.length;
    for (byte[] alert : alerts) {
      bytes += alert.length;
    }
    byte[] entry = new byte[bytes];
    System.arraycopy(HEADER, 0, entry, 0, HEADER.length);
    int at = HEADER.length;
    entry[at++] = 0; // the union's first branch, Alerts
    at = putInt(entry, at, rulesVersion);
    at = putInt(entry, at, alerts.size()); // the array's one block
    for (byte[] alert : alerts) {
      System.arraycopy(alert, 0, entry, at, alert.length);
      at += alert.length;
    }
    entry[at++] = 0; // no further block
    System.arraycopy(REST, 0, entry, at, REST.length);
    at += REST.length;
    return at == entry.length ? entry : Arrays.copyOf(entry, at);
  }

  /**
   * Whether this is an entry of alerts by the newest schema that any version of the engine can
   * apply: what nearly every entry is, told without decoding it. False proves nothing.
   */
  public static boolean isPlain(byte[] entry) {
    int length = entry.length;
    return length > HEADER.length + END.length
        && Arrays.equals(entry, 0, HEADER.length, HEADER, 0, HEADER.length)
        && entry[HEADER.length] == 0
        && Arrays.equals(entry, length - END.length, length, END, 0, END.length);
  }

  /**
   * The alerts of an entry that is written as {@link #join} writes it, without more of each than
   * every fold needs; empty for any other entry, and for bytes that are none: those are for {@link
   * Codec}.
   */
  public static Optional<LoggedAlerts> read(byte[] entry) {
    if (entry == null || !isPlain(entry)) {
      return Optional.empty();
    }
    AlertBytes bytes = new AlertBytes(entry, HEADER.length + 1, entry.length - END.length);
    try {
      long rulesVersion = bytes.varint();
      LoggedAlert[] alerts = new LoggedAlert[bytes.count()];
      for (int i = 0; i < alerts.length; i++) {
        alerts[i] = new LoggedAlert(bytes);
      }
      boolean whole = bytes.isAtEnd() && alerts.length > 0 && rulesVersion == (int) rulesVersion;
      return whole
          ? Optional.of(new LoggedAlerts((int) rulesVersion, List.of(alerts)))
          : Optional.empty();
    } catch (AlertBytes.UnusualException e) {
      return Optional.empty();
    }
  }

  /** Avro's int: zigzag, then seven bits a byte, least significant first. */
  private static int putInt(byte[] to, int at, int value) {
    int rest = (value << 1) ^ (value >> 31);
    while ((rest & ~0x7F) != 0) {
      to[at++] = (byte) (rest & 0x7F | 0x80);
      rest >>>= 7;
    }
    to[at++] = (byte) rest;
    return at;
  }

  private static SpecificDatumWriter<Alert> alertWriter() {
    SpecificData model = new SpecificData(Alert.class.getClassLoader());
    model.setCustomCoders(true);
    return new SpecificDatumWriter<>(Alert.getClassSchema(), model);
  }
}
