package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecordBase;
import org.junit.jupiter.api.Test;

class CopiesTest {
  @Test
  void of_copiesEveryField() {
    PartitionState state = filled(new PartitionState());
    assertThat(Copies.of(state)).isEqualTo(state).isNotSameAs(state);
    Tally tally = filled(new Tally());
    assertThat(Copies.of(tally)).isEqualTo(tally).isNotSameAs(tally);
  }

  /** Each field is another than it begins as. */
  private static <T extends SpecificRecordBase> T filled(T record) {
    for (Schema.Field field : record.getSchema().getFields()) {
      Object value =
          switch (field.schema().getType()) {
            case LONG -> 1_000L + field.pos();
            case INT -> 1_000 + field.pos();
            case BOOLEAN -> true;
            case STRING -> "text " + field.pos();
            case ENUM -> last(field.schema().getFullName());
            default -> throw new IllegalStateException("fill " + field);
          };
      record.put(field.pos(), value);
    }
    return record;
  }

  private static Object last(String type) {
    Object[] all = type.endsWith("Severity") ? Severity.values() : IncidentState.values();
    return all[all.length - 1];
  }
}
