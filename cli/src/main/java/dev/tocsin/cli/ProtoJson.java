package dev.tocsin.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * Messages as protobuf-JSON: read strictly, one object and nothing after it; written with the
 * fields' names as the .proto files have them, unset ones included. Thread-safe.
 *
 * @see <a href="https://protobuf.dev/programming-guides/json/">ProtoJSON</a>
 */
final class ProtoJson {
  private static final JsonFormat.Parser PARSER = JsonFormat.parser();
  private static final JsonFormat.Printer PRINTER =
      JsonFormat.printer().preservingProtoFieldNames().alwaysPrintFieldsWithNoPresence();
  private static final JsonFormat.Printer LINE_PRINTER = PRINTER.omittingInsignificantWhitespace();

  private ProtoJson() {}

  /**
   * Merges {@code json} into {@code message}.
   *
   * @throws IllegalArgumentException saying what is wrong with it
   */
  static void merge(String json, Message.Builder message) {
    requireOneValue(json);
    try {
      PARSER.merge(json, message);
    } catch (InvalidProtocolBufferException | RuntimeException e) {
      throw new IllegalArgumentException(reason(e), e);
    }
    if (json.toLowerCase(Locale.ROOT).contains("\\ud")) {
      requireWholeCharacters(message);
    }
  }

  /** On several lines, for people who like JSON. */
  static String pretty(MessageOrBuilder message) {
    return print(PRINTER, message);
  }

  /** On one line, for programs. */
  static String line(MessageOrBuilder message) {
    return print(LINE_PRINTER, message);
  }

  /** The parser reads the first value and would drop the rest of a line without a word. */
  private static void requireOneValue(String json) {
    if (json.isBlank() || json.stripLeading().charAt(0) != '{') {
      throw new IllegalArgumentException("not a JSON object");
    }
    if (!json.substring(endOfObject(json)).isBlank()) {
      throw new IllegalArgumentException("something after the JSON object");
    }
  }

  /** Where the first object ends; the text's end if it does not, which the parser will name. */
  private static int endOfObject(String json) {
    int depth = 0;
    boolean quoted = false;
    for (int i = 0; i < json.length(); i++) {
      char c = json.charAt(i);
      if (quoted) {
        i += c == '\\' ? 1 : 0; // what is escaped ends nothing
        quoted = c != '"';
      } else if (c == '"') {
        quoted = true;
      } else if (c == '{') {
        depth++;
      } else if (c == '}' && --depth == 0) {
        return i + 1;
      }
    }
    return json.length();
  }

  /** Half of a surrogate pair has no UTF-8; sent, it would arrive as a question mark. */
  private static void requireWholeCharacters(Message.Builder message) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(line(message))) {
      throw new IllegalArgumentException("a \\u escape of half a character");
    }
  }

  private static String print(JsonFormat.Printer printer, MessageOrBuilder message) {
    try {
      return printer.print(message);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e); // only a message with an Any of unknown type
    }
  }

  private static String reason(Exception e) {
    String reason = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    int url = reason.indexOf("\nSee https://");
    String text = url < 0 ? reason : reason.substring(0, url);
    for (String noise :
        new String[] {
          "java.io.EOFException: ", "com.google.gson.stream.MalformedJsonException: "
        }) {
      text = text.startsWith(noise) ? text.substring(noise.length()) : text;
    }
    return text.replaceFirst(
        "Use JsonReader.setStrictness.* to accept malformed JSON", "malformed JSON");
  }
}
