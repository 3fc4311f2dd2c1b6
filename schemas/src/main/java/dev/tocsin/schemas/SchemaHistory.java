package dev.tocsin.schemas;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;

/**
 * Every version that a record's schema ever had, oldest first: {@code history/RECORD/N.avsc} beside
 * this class, N from 1. A build check holds the newest equal to the generated class and each
 * readable by every other.
 */
final class SchemaHistory {
  /** The records that are written on their own, outside another one. */
  static final List<String> RECORDS =
      List.of(
          "LogEntry",
          "Rules",
          "FingerprintState",
          "GroupState",
          "InhibitionState",
          "SilenceState",
          "WorkspaceSilences",
          "Tally",
          "Incident",
          "PartitionState",
          "IncidentEvent",
          "Outcome",
          "DeadLetter");

  private static final SchemaHistory BUNDLED = load();

  private final Map<String, List<Schema>> versions;

  private SchemaHistory(Map<String, List<Schema>> versions) {
    this.versions = versions;
  }

  static SchemaHistory bundled() {
    return BUNDLED;
  }

  /** The versions of one record, oldest first; none if it is not written on its own. */
  List<Schema> versions(String record) {
    return versions.getOrDefault(record, List.of());
  }

  private static SchemaHistory load() {
    Map<String, List<Schema>> all = new LinkedHashMap<>();
    for (String record : RECORDS) {
      List<Schema> found = new ArrayList<>();
      for (Schema next = read(record, 1); next != null; next = read(record, found.size() + 1)) {
        found.add(next);
      }
      all.put(record, List.copyOf(found));
    }
    return new SchemaHistory(Map.copyOf(all));
  }

  private static Schema read(String record, int version) {
    String path = "history/%s/%d.avsc".formatted(record, version);
    try (InputStream in = SchemaHistory.class.getResourceAsStream(path)) {
      return in == null ? null : new Schema.Parser().parse(in);
    } catch (IOException e) {
      throw new UncheckedIOException("bundled schema " + path, e);
    }
  }
}
