package dev.tocsin.schemas;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;

/**
 * No test but a program: writes the generated schema of each record that has changed as the next
 * version of its history. Run by name only; the README of this module says how.
 */
class WriteNextVersion {
  private static final Path HISTORY = Path.of("src/main/resources/dev/tocsin/schemas/history");

  /** In place of the newest version; only right as long as no release has written it. */
  private static final boolean REWRITE = Boolean.getBoolean("rewrite");

  @Test
  void writeNextVersion() throws IOException {
    for (String record : SchemaHistory.RECORDS) {
      Schema now = Samples.generated(record);
      List<Schema> past = SchemaHistory.bundled().versions(record);
      if (past.isEmpty() || !past.get(past.size() - 1).toString().equals(now.toString())) {
        int version = REWRITE ? Math.max(1, past.size()) : past.size() + 1;
        write(HISTORY.resolve(record).resolve(version + ".avsc"), now);
      }
    }
  }

  private static void write(Path file, Schema schema) {
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(file, schema.toString(true) + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException(file.toString(), e);
    }
  }
}
