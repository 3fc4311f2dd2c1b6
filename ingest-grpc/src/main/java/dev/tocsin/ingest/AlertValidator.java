package dev.tocsin.ingest;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.alerts.AlertBatch;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.FieldViolation;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/**
 * Holds messages to what alerts.proto says of them. Tells every fault with its path, so that a
 * producer is put right in one go. Lengths are in characters, that is code points.
 *
 * <p>Thread-safe; costs next to nothing for a valid alert.
 */
final class AlertValidator {
  static final int ALERT_ID_MAX = 256;
  static final int SOURCE_MAX = 256;
  static final int TITLE_MAX = 1024;
  static final int DESCRIPTION_MAX = 16_384;
  static final int DEDUP_KEY_MAX = 512;
  static final int LABELS_MAX = 64;
  static final int LABEL_VALUE_MAX = 1024;
  static final int ANNOTATIONS_MAX = 64;
  static final int ANNOTATION_VALUE_MAX = 8192;
  static final int KEY_MAX = 128;
  static final int RESOURCES_MAX = 128;
  static final int RESOURCE_MAX = 512;
  static final int BATCH_ID_MAX = 256;
  static final int BATCH_ALERTS_MAX = 10_000;

  /** Of one alert, as it is encoded for the log. */
  static final int ALERT_BYTES_MAX = 256 << 10;

  static final Instant TIME_MIN = Instant.parse("2000-01-01T00:00:00Z");
  static final Instant ENDS_AT_MAX = Instant.parse("9999-12-31T23:59:59Z");
  static final Duration FIRED_AHEAD_MAX = Duration.ofDays(1);

  private static final int NANOS_MAX = 999_999_999;

  private AlertValidator() {}

  /**
   * Every fault of an alert; none if it is valid.
   *
   * @param nowMs by the edge's clock
   * @param listedMax how many are told in full
   */
  static List<FieldViolation> check(AlertMessage alert, long nowMs, int listedMax) {
    Violations faults = new Violations(listedMax);
    text(faults, "alert_id", alert.getAlertId(), ALERT_ID_MAX);
    required(faults, "source", alert.getSource(), SOURCE_MAX);
    required(faults, "title", alert.getTitle(), TITLE_MAX);
    text(faults, "description", alert.getDescription(), DESCRIPTION_MAX);
    if (alert.getSeverity() == dev.tocsin.proto.alerts.Severity.UNRECOGNIZED) {
      unknownNumber(faults, "severity", alert.getSeverityValue());
    }
    if (alert.getType() == dev.tocsin.proto.alerts.IncidentType.UNRECOGNIZED) {
      unknownNumber(faults, "type", alert.getTypeValue());
    }
    pairs(faults, "labels", alert.getLabelsMap(), LABELS_MAX, LABEL_VALUE_MAX);
    pairs(faults, "annotations", alert.getAnnotationsMap(), ANNOTATIONS_MAX, ANNOTATION_VALUE_MAX);
    resources(faults, alert.getAffectedResourcesList());
    text(faults, "dedup_key", alert.getDedupKey(), DEDUP_KEY_MAX);
    if (alert.getStatus() == AlertMessage.Status.UNRECOGNIZED) {
      unknownNumber(faults, "status", alert.getStatusValue());
    }
    if (alert.hasFiredAt()) {
      long max = Math.floorDiv(nowMs, 1000) + FIRED_AHEAD_MAX.toSeconds();
      time(faults, "fired_at", alert.getFiredAt(), max, "a day from now");
    }
    if (alert.hasEndsAt()) {
      long max = ENDS_AT_MAX.getEpochSecond();
      time(faults, "ends_at", alert.getEndsAt(), max, "9999-12-31");
    }
    return faults.list();
  }

  /** Every fault of a batch itself; its alerts are checked one by one. */
  static List<FieldViolation> check(AlertBatch batch) {
    Violations faults = new Violations(Violations.LISTED_MAX);
    text(faults, "batch_id", batch.getBatchId(), BATCH_ID_MAX);
    if (batch.getAlertsCount() > BATCH_ALERTS_MAX) {
      tooMany(faults, "alerts", batch.getAlertsCount(), BATCH_ALERTS_MAX);
    }
    return faults.list();
  }

  /**
   * An id as an answer repeats it, so that one that is far too long does not make the answer too
   * large for its caller: its first {@code max} characters.
   */
  static String echo(String id, int max) {
    return tooLong(id, max) ? id.substring(0, id.offsetByCodePoints(0, max)) : id;
  }

  /** That an alert is too large for the log. */
  static List<FieldViolation> tooLarge(int bytes) {
    Violations faults = new Violations(Violations.LISTED_MAX);
    faults.add("alert", "is %,d bytes long as a whole; at most %,d", bytes, ALERT_BYTES_MAX);
    return faults.list();
  }

  private static void required(Violations faults, String field, String value, int max) {
    if (value.isBlank()) {
      faults.add(field, "must not be empty");
    }
    text(faults, field, value, max);
  }

  private static void text(Violations faults, String field, String value, int max) {
    if (tooLong(value, max)) {
      tooLong(faults, field, value, max);
    }
    if (value.indexOf('\0') >= 0) {
      faults.add(field, "must not contain NUL characters");
    }
  }

  private static void pairs(
      Violations faults, String field, Map<String, String> pairs, int countMax, int valueMax) {
    if (pairs.isEmpty()) {
      return;
    }
    if (pairs.size() > countMax) {
      tooMany(faults, field, pairs.size(), countMax);
    }
    for (Map.Entry<String, String> pair : pairs.entrySet()) {
      String key = pair.getKey();
      String value = pair.getValue();
      // The path is put together only for a fault.
      if (key.isEmpty() || tooLong(key, KEY_MAX) || key.indexOf('\0') >= 0) {
        key(faults, faults.path(field, key), key);
      }
      if (tooLong(value, valueMax) || value.indexOf('\0') >= 0) {
        text(faults, faults.path(field, key), value, valueMax);
      }
    }
  }

  private static void key(Violations faults, String path, String key) {
    if (key.isEmpty()) {
      faults.add(path, "the key must not be empty");
    }
    if (tooLong(key, KEY_MAX)) {
      tooLong(faults, path, "the key ", key, KEY_MAX);
    }
    if (key.indexOf('\0') >= 0) {
      faults.add(path, "the key must not contain NUL characters");
    }
  }

  private static void resources(Violations faults, List<String> resources) {
    if (resources.size() > RESOURCES_MAX) {
      tooMany(faults, "affected_resources", resources.size(), RESOURCES_MAX);
    }
    for (int i = 0; i < resources.size(); i++) {
      String name = resources.get(i);
      if (name.isEmpty() || tooLong(name, RESOURCE_MAX) || name.indexOf('\0') >= 0) {
        required(faults, faults.path("affected_resources", i), name, RESOURCE_MAX);
      }
    }
  }

  private static void time(
      Violations faults, String field, Timestamp time, long secondsMax, String latest) {
    long seconds = time.getSeconds();
    int nanos = time.getNanos();
    if (seconds < TIME_MIN.getEpochSecond() || seconds > secondsMax) {
      faults.add(field, "must be from 2000-01-01 to %s", latest);
    }
    if (nanos < 0 || nanos > NANOS_MAX) {
      faults.add(field, "nanos must be from 0 to 999,999,999, not %d", nanos);
    }
  }

  private static boolean tooLong(String value, int max) {
    // There are never more code points than chars, so counting them is for the rare long text.
    return value.length() > max && value.codePointCount(0, value.length()) > max;
  }

  private static void tooLong(Violations faults, String field, String value, int max) {
    tooLong(faults, field, "", value, max);
  }

  private static void tooLong(Violations faults, String path, String what, String value, int max) {
    int length = value.codePointCount(0, value.length());
    faults.add(path, what + "has %,d characters; at most %,d", length, max);
  }

  private static void tooMany(Violations faults, String field, int count, int max) {
    faults.add(field, "has %,d items; at most %,d", count, max);
  }

  private static void unknownNumber(Violations faults, String field, int number) {
    faults.add(field, "%d is not a value of this enum", number);
  }
}
