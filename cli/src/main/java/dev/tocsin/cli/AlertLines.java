package dev.tocsin.cli;

import dev.tocsin.proto.alerts.AlertMessage;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.UUID;

/**
 * Alerts, one protobuf-JSON object a line. A line that is none is an outcome like any other: it has
 * a fault instead of an alert, and the next line is read. Blank lines are passed over, and so is a
 * byte order mark at the start.
 *
 * <p>An alert without an id gets one here, so that its answer can be told from others' and sending
 * it again cannot count it twice. Not thread-safe.
 */
final class AlertLines implements Closeable {
  /** A longer line is a fault; it is skipped without being held. */
  static final int LINE_BYTES_MAX = 8 << 20;

  /** The most that servers take in one message; more would end the whole stream. */
  static final int ALERT_BYTES_MAX = 4 << 20;

  private static final int READ_BYTES = 1 << 16;
  private static final char BYTE_ORDER_MARK = '\ufeff';

  /**
   * One line that is not blank.
   *
   * @param number from 1
   * @param alert null if the line is broken
   * @param fault why it is broken; null if it is not
   */
  record Line(long number, AlertMessage alert, String fault) {
    int bytes() {
      return alert == null ? 0 : alert.getSerializedSize();
    }
  }

  private final InputStream in;
  private final String idPrefix = UUID.randomUUID() + "-";
  private final CharsetDecoder utf8 =
      StandardCharsets.UTF_8
          .newDecoder()
          .onMalformedInput(CodingErrorAction.REPORT)
          .onUnmappableCharacter(CodingErrorAction.REPORT);
  private final byte[] read = new byte[READ_BYTES];
  private int from;
  private int to;
  private byte[] line = new byte[1024];
  private int length;
  private long number;

  AlertLines(InputStream in) {
    this.in = in;
  }

  /** The next line that is not blank; null at the end. */
  Line next() throws IOException {
    while (readLine()) {
      number++;
      if (length > LINE_BYTES_MAX) {
        return broken("longer than " + LINE_BYTES_MAX + " bytes");
      }
      Line parsed = parse();
      if (parsed != null) {
        return parsed;
      }
    }
    return null;
  }

  /** Whether the next line is here already, so that {@link #next} will not wait for it. */
  boolean buffered() {
    for (int i = from; i < to; i++) {
      if (read[i] == '\n') {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }

  private Line parse() {
    String text;
    try {
      text = utf8.decode(ByteBuffer.wrap(line, 0, length)).toString();
    } catch (CharacterCodingException e) {
      return broken("not UTF-8");
    }
    if (number == 1 && !text.isEmpty() && text.charAt(0) == BYTE_ORDER_MARK) {
      text = text.substring(1);
    }
    return text.isBlank() ? null : parse(text);
  }

  private Line parse(String text) {
    AlertMessage.Builder alert = AlertMessage.newBuilder();
    try {
      ProtoJson.merge(text, alert);
    } catch (IllegalArgumentException e) {
      return broken(e.getMessage());
    }
    if (alert.getAlertId().isEmpty()) {
      alert.setAlertId(idPrefix + number);
    }
    Line whole = new Line(number, alert.build(), null);
    return whole.bytes() <= ALERT_BYTES_MAX
        ? whole
        : broken("an alert of %,d bytes, over %,d".formatted(whole.bytes(), ALERT_BYTES_MAX));
  }

  private Line broken(String fault) {
    return new Line(number, null, fault);
  }

  /** Reads one line into {@link #line}, of an over-long one only its start; false at the end. */
  private boolean readLine() throws IOException {
    length = 0;
    boolean any = false;
    while (fill()) {
      any = true;
      int end = from;
      while (end < to && read[end] != '\n') {
        end++;
      }
      keep(from, end - from);
      from = Math.min(end + 1, to);
      if (end < to) {
        return true;
      }
    }
    return any;
  }

  private boolean fill() throws IOException {
    if (from == to) {
      from = 0;
      to = Math.max(0, in.read(read));
    }
    return from < to;
  }

  private void keep(int offset, int count) {
    if (length > LINE_BYTES_MAX) {
      return; // known to be too long: the rest is only passed over
    }
    if (line.length - length < count) {
      line = Arrays.copyOf(line, Math.max(line.length * 2, length + count));
    }
    System.arraycopy(read, offset, line, length, count);
    length += count;
  }
}
