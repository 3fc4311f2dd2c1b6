package dev.tocsin.engine;

import dev.tocsin.schemas.GeneratedClasses;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * Copies of records, for changing: what they hold is shared, so lists and maps are replaced, never
 * changed.
 */
final class Copies {
  static {
    GeneratedClasses.trust();
  }

  private Copies() {}

  @SuppressWarnings("unchecked") // a record's class has one schema
  static <T extends SpecificRecordBase> T of(T record) {
    T copy = (T) record.getSpecificData().newRecord(null, record.getSchema());
    for (int field = record.getSchema().getFields().size() - 1; field >= 0; field--) {
      copy.put(field, record.get(field));
    }
    return copy;
  }
}
