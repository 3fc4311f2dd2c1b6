package dev.tocsin.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.SchemaNormalization;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The build's check that what was ever written stays readable, by old and by new. */
class SchemaHistoryTest {
  private static final String WHAT_TO_DO =
      "%s differs from the newest version of its history. If the change is meant, write it down as"
          + " the next version: ./mvnw -pl schemas test -Dtest=WriteNextVersion (see"
          + " schemas/README.md)";

  static Stream<String> records() {
    return SchemaHistory.RECORDS.stream();
  }

  @ParameterizedTest
  @MethodSource("records")
  void newestVersion_isTheGeneratedSchema(String record) {
    List<Schema> versions = SchemaHistory.bundled().versions(record);
    Schema generated = Samples.generated(record);
    assertThat(versions).as(WHAT_TO_DO, record).isNotEmpty();
    Schema newest = versions.get(versions.size() - 1);
    assertThat(SchemaNormalization.parsingFingerprint64(newest))
        .as(WHAT_TO_DO, record)
        .isEqualTo(SchemaNormalization.parsingFingerprint64(generated));
    assertThat(newest.toString(true)).as(WHAT_TO_DO, record).isEqualTo(generated.toString(true));
  }

  @ParameterizedTest
  @MethodSource("records")
  void everyVersion_readsEveryOther(String record) {
    List<Schema> versions = SchemaHistory.bundled().versions(record);
    for (Schema reader : versions) {
      for (Schema writer : versions) {
        assertThat(incompatibilities(reader, writer)).as(record).isEmpty();
      }
    }
  }

  @Test
  void incompatibilities_areFound() {
    Schema before = new Schema.Parser().parse(TALLY.formatted(""));
    Schema after =
        new Schema.Parser().parse(TALLY.formatted(", {\"name\":\"b\",\"type\":\"int\"}"));
    assertThat(incompatibilities(after, before)).isNotEmpty();
    assertThat(incompatibilities(before, after)).isEmpty();
  }

  @ParameterizedTest
  @MethodSource("records")
  void everyEnum_hasADefault(String record) {
    // Without one, an older reader fails on a symbol that a newer writer has added.
    for (Schema each : named(Samples.generated(record))) {
      if (each.getType() == Schema.Type.ENUM) {
        assertThat(each.getEnumDefault()).as(each.getFullName()).isNotNull();
      }
    }
  }

  @ParameterizedTest
  @MethodSource("records")
  void everyFieldAddedLater_hasADefault(String record) {
    Schema first = SchemaHistory.bundled().versions(record).get(0);
    Set<String> old = fields(first, false);
    Set<String> oldRecords = new HashSet<>();
    named(first).forEach(each -> oldRecords.add(each.getName()));
    Set<String> withDefault = fields(Samples.generated(record), true);
    Set<String> added = fields(Samples.generated(record), false);
    added.removeAll(old);
    // A record that is new itself was never written without its fields.
    added.removeIf(field -> !oldRecords.contains(field.substring(0, field.indexOf('.'))));
    assertThat(withDefault).as(record).containsAll(added);
  }

  @Test
  void versions_areNoneForARecordThatIsNotWrittenOnItsOwn() {
    assertThat(SchemaHistory.bundled().versions("Key128")).isEmpty();
  }

  private static final String TALLY =
      "{\"type\":\"record\",\"name\":\"T\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}%s]}";

  private static List<?> incompatibilities(Schema reader, Schema writer) {
    var found = SchemaCompatibility.checkReaderWriterCompatibility(reader, writer);
    return found.getType() == SchemaCompatibilityType.COMPATIBLE
        ? List.of()
        : found.getResult().getIncompatibilities();
  }

  private static Set<String> fields(Schema schema, boolean withDefaultOnly) {
    Set<String> fields = new HashSet<>();
    for (Schema each : named(schema)) {
      if (each.getType() == Schema.Type.RECORD) {
        for (Schema.Field field : each.getFields()) {
          if (!withDefaultOnly || field.hasDefaultValue()) {
            fields.add(each.getName() + "." + field.name());
          }
        }
      }
    }
    return fields;
  }

  /** The schema and all that it is made of. */
  private static List<Schema> named(Schema schema) {
    List<Schema> found = new ArrayList<>();
    collect(schema, found);
    return found;
  }

  private static void collect(Schema schema, List<Schema> into) {
    switch (schema.getType()) {
      case RECORD -> {
        if (!into.contains(schema)) {
          into.add(schema);
          schema.getFields().forEach(field -> collect(field.schema(), into));
        }
      }
      case ARRAY -> collect(schema.getElementType(), into);
      case MAP -> collect(schema.getValueType(), into);
      case UNION -> schema.getTypes().forEach(branch -> collect(branch, into));
      default -> into.add(schema);
    }
  }
}
