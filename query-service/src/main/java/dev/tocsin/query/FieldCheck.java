package dev.tocsin.query;

import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Holds the fields of one request to their bounds and tells each fault with its path. Lengths are
 * in characters, that is code points. Not thread-safe.
 */
final class FieldCheck {
  private static final int QUOTED_MAX = 64;

  private final Violations faults;

  FieldCheck(Violations faults) {
    this.faults = faults;
  }

  FieldCheck required(String field, String value, int max) {
    if (value.isBlank()) {
      faults.add(field, "must not be empty");
      return this;
    }
    return text(field, value, max);
  }

  FieldCheck text(String field, String value, int max) {
    return text(field, "", value, max);
  }

  /** A map of texts; keys have at least one character. */
  FieldCheck pairs(
      String field, Map<String, String> pairs, int countMax, int keyMax, int valueMax) {
    count(field, pairs.size(), countMax);
    pairs.forEach(
        (key, value) -> {
          String path = path(field, key);
          key(path, key, keyMax);
          text(path, value, valueMax);
        });
    return this;
  }

  /** A list of names, each of at least one character. */
  FieldCheck names(String field, List<String> names, int countMax, int max) {
    count(field, names.size(), countMax);
    for (int i = 0; i < names.size(); i++) {
      required(field + "[" + i + "]", names.get(i), max);
    }
    return this;
  }

  /** An enum's number, where 0 says that none is given. */
  FieldCheck chosen(String field, Object known, int number) {
    if (known == null || number == 0) {
      faults.add(field, number == 0 ? "must be given" : notAValue(number));
    }
    return this;
  }

  /** An enum's number, where 0 is as good as any. */
  FieldCheck known(String field, Object known, int number) {
    if (known == null) {
      faults.add(field, notAValue(number));
    }
    return this;
  }

  FieldCheck notNegative(String field, long value) {
    if (value < 0) {
      faults.add(field, "must not be negative");
    }
    return this;
  }

  /** The path of a map's value, which quotes no more than the beginning of a key. */
  static String path(String field, String key) {
    StringBuilder path = new StringBuilder(field).append("[\"");
    key.codePoints().limit(QUOTED_MAX).forEach(c -> quote(path, c));
    return path.append(key.codePointCount(0, key.length()) > QUOTED_MAX ? "…\"]" : "\"]")
        .toString();
  }

  private static void quote(StringBuilder path, int c) {
    if (Character.isISOControl(c) || Character.getType(c) == Character.SURROGATE) {
      path.append("\\u%04x".formatted(c));
    } else {
      path.append(c == '"' || c == '\\' ? "\\" : "").appendCodePoint(c);
    }
  }

  private void key(String path, String key, int max) {
    if (key.isEmpty()) {
      faults.add(path, "the key must not be empty");
    }
    text(path, "the key ", key, max);
  }

  private FieldCheck text(String field, String what, String value, int max) {
    // There are never more code points than chars, so counting them is for the rare long text.
    int length = value.length() > max ? value.codePointCount(0, value.length()) : 0;
    if (length > max) {
      faults.add(
          field, what + String.format(Locale.ROOT, "has %,d characters; at most %,d", length, max));
    }
    if (value.indexOf('\0') >= 0) {
      faults.add(field, what + "must not contain NUL characters");
    }
    return this;
  }

  private void count(String field, int count, int max) {
    if (count > max) {
      faults.add(field, String.format(Locale.ROOT, "has %,d items; at most %,d", count, max));
    }
  }

  private static String notAValue(int number) {
    return number + " is not a value of this enum";
  }
}
