package dev.tocsin.ingest;

import com.google.rpc.BadRequest;
import dev.tocsin.proto.alerts.FieldViolation;
import dev.tocsin.runtime.Errors;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The faults of one message, in the order in which they were found. Bounded, whatever is sent: of
 * very many the first are told in full and the rest in number, and a path quotes no more than the
 * beginning of a key.
 *
 * <p>Not thread-safe.
 */
final class Violations {
  /** How many are told in full of a message that comes alone. */
  static final int LISTED_MAX = 100;

  /**
   * Of all the violations in an error status. It travels in the trailers, in base64 and beside the
   * message, and clients take 8 KiB of those by default.
   */
  static final int STATUS_BYTES_MAX = 4 << 10;

  private static final int QUOTED_MAX = 64;

  private final int listedMax;
  private List<FieldViolation> listed = List.of();
  private int unlisted;

  Violations(int listedMax) {
    this.listedMax = listedMax;
  }

  /** Adds one. Its text is only made if it is going to be listed: there may be a million. */
  void add(String path, String description, Object... values) {
    if (full()) {
      unlisted++;
      return;
    }
    if (listed.isEmpty()) {
      listed = new ArrayList<>();
    }
    listed.add(violation(path, String.format(Locale.ROOT, description, values)));
  }

  /** The violations; a last one says how many more there are than could be listed. */
  List<FieldViolation> list() {
    if (unlisted > 0) {
      listed.add(more(unlisted));
      unlisted = 0;
    }
    return listed;
  }

  /** The path of a map's value. */
  String path(String field, String key) {
    if (full()) {
      return field;
    }
    StringBuilder path = new StringBuilder(field).append("[\"");
    int end =
        key.codePointCount(0, key.length()) > QUOTED_MAX
            ? key.offsetByCodePoints(0, QUOTED_MAX)
            : key.length();
    key.substring(0, end).codePoints().forEach(c -> quote(path, c));
    return path.append(end < key.length() ? "…\"]" : "\"]").toString();
  }

  /** The path of a list's item. */
  String path(String field, int index) {
    return full() ? field : field + "[" + index + "]";
  }

  private boolean full() {
    return listed.size() >= listedMax;
  }

  /** INVALID_ARGUMENT with as many of the violations as an error status can carry. */
  static StatusRuntimeException status(List<FieldViolation> violations) {
    BadRequest.Builder details = BadRequest.newBuilder();
    int bytes = 0;
    for (FieldViolation violation : violations) {
      bytes += violation.getSerializedSize() + 4;
      if (bytes > STATUS_BYTES_MAX) {
        int left = violations.size() - details.getFieldViolationsCount();
        details.addFieldViolations(Errors.violation("", "and at least " + left + " more"));
        break;
      }
      details.addFieldViolations(
          Errors.violation(violation.getField(), violation.getDescription()));
    }
    return Errors.invalid(details.getFieldViolationsList());
  }

  private static FieldViolation more(int count) {
    return violation("", String.format(Locale.ROOT, "and %,d more", count));
  }

  private static FieldViolation violation(String path, String description) {
    return FieldViolation.newBuilder().setField(path).setDescription(description).build();
  }

  private static void quote(StringBuilder path, int c) {
    switch (c) {
      case '"', '\\' -> path.append('\\').appendCodePoint(c);
      default -> {
        if (Character.isISOControl(c) || Character.getType(c) == Character.SURROGATE) {
          path.append("\\u%04x".formatted(c));
        } else {
          path.appendCodePoint(c);
        }
      }
    }
  }
}
