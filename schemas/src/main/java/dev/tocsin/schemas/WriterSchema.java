package dev.tocsin.schemas;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaCompatibility;
import org.apache.avro.SchemaCompatibility.SchemaCompatibilityType;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * A writer's schema as {@link Topics#schemas} holds it. The key is the schema's Rabin fingerprint,
 * 8 bytes, most significant first; the value is its parsing canonical form, JSON in UTF-8: all that
 * a reader needs, and exactly what the fingerprint is of.
 *
 * <p>What comes from the topic is data from outside. It is bounded in size, depth and in what it
 * would expand to before anything is built from it, and reduced to its canonical form, so that
 * neither a property nor a default in it can do anything.
 *
 * <p>Immutable.
 *
 * @see <a href="https://avro.apache.org/docs/1.12.0/specification/#schema-fingerprints">schema
 *     fingerprints</a>
 */
public final class WriterSchema {
  /** The largest that is read. Those of today are below 10 KiB. */
  public static final int BYTES_MAX = 64 << 10;

  static final int DEPTH_MAX = 64;
  static final int EXPANDED_MAX = 10_000;

  /** The schema is not taken. */
  static final class RefusedException extends Exception {
    final SchemaRefusal reason;

    RefusedException(SchemaRefusal reason) {
      super(reason.name());
      this.reason = reason;
    }
  }

  private final Schema schema;

  private WriterSchema(Schema schema) {
    this.schema = schema;
  }

  /** The one that this software writes records of {@code type} with. */
  public static WriterSchema of(Class<? extends SpecificRecordBase> type) {
    return new WriterSchema(SpecificData.get().getSchema(type));
  }

  /** The record's key in the topic. */
  public byte[] key() {
    return ByteBuffer.allocate(Long.BYTES)
        .putLong(SchemaNormalization.parsingFingerprint64(schema))
        .array();
  }

  /** The record's value in the topic. */
  public byte[] json() {
    return SchemaNormalization.toParsingForm(schema).getBytes(StandardCharsets.UTF_8);
  }

  /** The schema that a record of the topic holds, if {@code reader} can read what it writes. */
  static Schema parse(byte[] key, byte[] json, Schema reader) throws RefusedException {
    require(key != null && key.length == Long.BYTES && json != null, SchemaRefusal.MALFORMED);
    require(json.length <= BYTES_MAX, SchemaRefusal.TOO_LARGE);
    require(depth(json) <= DEPTH_MAX, SchemaRefusal.TOO_COMPLEX);
    Schema written = canonical(new String(json, StandardCharsets.UTF_8));
    require(
        written.getType() == Schema.Type.RECORD
            && written.getFullName().equals(reader.getFullName()),
        SchemaRefusal.OTHER_RECORD);
    require(
        SchemaNormalization.parsingFingerprint64(written) == ByteBuffer.wrap(key).getLong(),
        SchemaRefusal.OTHER_FINGERPRINT);
    requireBounded(written, new ArrayList<>(), new IdentityHashMap<>());
    require(readable(reader, written), SchemaRefusal.INCOMPATIBLE);
    return written;
  }

  private static Schema canonical(String json) throws RefusedException {
    try {
      Schema parsed = new Schema.Parser().parse(json);
      return new Schema.Parser().parse(SchemaNormalization.toParsingForm(parsed));
    } catch (RuntimeException e) {
      throw new RefusedException(SchemaRefusal.UNREADABLE);
    }
  }

  private static boolean readable(Schema reader, Schema written) {
    return SchemaCompatibility.checkReaderWriterCompatibility(reader, written).getType()
        == SchemaCompatibilityType.COMPATIBLE;
  }

  /** How deeply brackets nest; text in quotes aside. */
  private static int depth(byte[] json) {
    int depth = 0;
    int deepest = 0;
    boolean quoted = false;
    for (int i = 0; i < json.length; i++) {
      byte at = json[i];
      if (quoted) {
        i += at == '\\' ? 1 : 0;
        quoted = at != '"';
      } else if (at == '"') {
        quoted = true;
      } else if (at == '{' || at == '[') {
        deepest = Math.max(deepest, ++depth);
      } else if (at == '}' || at == ']') {
        depth--;
      }
    }
    return deepest;
  }

  /**
   * The parts that the schema has with every reference to a named type written out, as Avro's
   * decoder writes it out. A few lines of names that refer to names twice each would make a decoder
   * of any size.
   */
  private static long requireBounded(Schema schema, List<Schema> within, Map<Schema, Long> known)
      throws RefusedException {
    Long counted = known.get(schema);
    if (counted != null) {
      return counted;
    }
    require(
        within.size() < DEPTH_MAX && within.stream().noneMatch(each -> each == schema),
        SchemaRefusal.TOO_COMPLEX);
    within.add(schema);
    long parts = 1;
    for (Schema part : parts(schema)) {
      parts += requireBounded(part, within, known);
      require(parts <= EXPANDED_MAX, SchemaRefusal.TOO_COMPLEX);
    }
    within.remove(within.size() - 1);
    known.put(schema, parts);
    return parts;
  }

  private static List<Schema> parts(Schema schema) {
    return switch (schema.getType()) {
      case RECORD -> schema.getFields().stream().map(Schema.Field::schema).toList();
      case UNION -> schema.getTypes();
      case ARRAY -> List.of(schema.getElementType());
      case MAP -> List.of(schema.getValueType());
      default -> List.of();
    };
  }

  private static void require(boolean holds, SchemaRefusal otherwise) throws RefusedException {
    if (!holds) {
      throw new RefusedException(otherwise);
    }
  }
}
