package dev.tocsin.schemas;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * Turns one kind of record into bytes and back, in Avro's single-object encoding: the marker C3 01,
 * the 64-bit Rabin fingerprint of the writer's schema (little-endian), the body.
 *
 * <p>Reads what any bundled version of the schema wrote, and any that it was told of since ({@link
 * #learn}). Thread-safe.
 *
 * @see <a href="https://avro.apache.org/docs/1.12.0/specification/#single-object-encoding">the
 *     encoding</a>
 */
public final class Codec<T extends SpecificRecordBase> {
  /** How many schemas one codec learns beside the bundled ones. */
  public static final int LEARNED_MAX = 1_000;

  static final int HEADER_BYTES = 10;
  private static final byte[] MARKER = {(byte) 0xC3, 0x01};

  static {
    // Avro reads these once, when it is first used: a length that a damaged record claims must not
    // become an allocation.
    setIfAbsent("org.apache.avro.limits.bytes.maxLength", 16 << 20);
    setIfAbsent("org.apache.avro.limits.string.maxLength", 16 << 20);
    setIfAbsent("org.apache.avro.limits.collectionItems.maxLength", 1 << 20);
    GeneratedClasses.trust();
  }

  /** The bytes are no record of this kind, whatever schemas may come. */
  public static final class UndecodableException extends RuntimeException {
    UndecodableException(String message, Throwable cause) {
      super(message, cause);
    }
  }

  /** The bytes name a writer's schema that is not known here; it may become known. */
  public static final class UnknownSchemaException extends RuntimeException {
    UnknownSchemaException(String record, long fingerprint) {
      super("%s was written with the unknown schema %016x".formatted(record, fingerprint));
    }
  }

  /** Reused by one thread: Avro's buffers are the cost of a small record. */
  private static final class Buffers {
    final ByteArrayEncoder encoder = new ByteArrayEncoder();
    BinaryDecoder decoder;
  }

  private static final ThreadLocal<Buffers> BUFFERS = ThreadLocal.withInitial(Buffers::new);

  private final Schema schema;
  private final byte[] header;
  private final SpecificData model;
  private final SpecificDatumWriter<T> writer;
  private final Map<Long, SpecificDatumReader<T>> readers = new ConcurrentHashMap<>();
  private int learned; // of learn, which is synchronized

  private Codec(Class<T> type, List<Schema> past) {
    this.model = new SpecificData(type.getClassLoader());
    this.model.setCustomCoders(true);
    this.schema = model.getSchema(type);
    this.header = header(schema);
    this.writer = new SpecificDatumWriter<>(schema, model);
    past.forEach(this::know);
    know(schema);
  }

  /** A codec for {@code type}, a class that is generated from {@code tocsin.avdl}. */
  public static <T extends SpecificRecordBase> Codec<T> of(Class<T> type) {
    return of(type, SchemaHistory.bundled().versions(type.getSimpleName()));
  }

  /** One that reads what {@code past} versions of the schema wrote. */
  static <T extends SpecificRecordBase> Codec<T> of(Class<T> type, List<Schema> past) {
    return new Codec<>(type, past);
  }

  /** The record's bytes. */
  public byte[] encode(T value) {
    return write(header, writer, value);
  }

  /**
   * The record that {@code bytes} hold, all of them.
   *
   * @throws UnknownSchemaException if the writer's schema is not known
   * @throws UndecodableException for anything else that is wrong with them, null included
   */
  public T decode(byte[] bytes) {
    if (bytes == null || bytes.length < HEADER_BYTES) {
      throw new UndecodableException("no " + schema.getName() + ": shorter than a header", null);
    }
    if (!marked(bytes)) {
      throw new UndecodableException(
          "no " + schema.getName() + ": it does not start with C3 01", null);
    }
    SpecificDatumReader<T> reader = readers.get(writer(bytes));
    if (reader == null) {
      throw new UnknownSchemaException(schema.getName(), writer(bytes));
    }
    return read(reader, bytes);
  }

  /**
   * The fingerprint of the schema that these bytes name and that is not known here; empty if it is
   * known, or if no schema could make a record of them. Cheap.
   */
  public OptionalLong unknownWriter(byte[] bytes) {
    boolean waits =
        bytes != null
            && bytes.length >= HEADER_BYTES
            && marked(bytes)
            && !readers.containsKey(writer(bytes));
    return waits ? OptionalLong.of(writer(bytes)) : OptionalLong.empty();
  }

  /**
   * Reads from now on what a published schema wrote, if it is one of this record and can be read.
   *
   * @param key of a record of {@link Topics#schemas}; may be anything
   * @param json its value; may be anything
   * @return why it is not taken; empty if it is, or was known already
   */
  public synchronized Optional<SchemaRefusal> learn(byte[] key, byte[] json) {
    try {
      Schema written = WriterSchema.parse(key, json, schema);
      if (!readers.containsKey(SchemaNormalization.parsingFingerprint64(written))) {
        if (learned >= LEARNED_MAX) {
          return Optional.of(SchemaRefusal.TOO_MANY);
        }
        know(written);
        learned++;
      }
      return Optional.empty();
    } catch (WriterSchema.RefusedException e) {
      return Optional.of(e.reason);
    }
  }

  private static boolean marked(byte[] bytes) {
    return bytes[0] == MARKER[0] && bytes[1] == MARKER[1];
  }

  private static long writer(byte[] bytes) {
    return ByteBuffer.wrap(bytes, MARKER.length, Long.BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .getLong();
  }

  private T read(SpecificDatumReader<T> reader, byte[] bytes) {
    Buffers buffers = BUFFERS.get();
    try {
      buffers.decoder =
          DecoderFactory.get()
              .binaryDecoder(bytes, HEADER_BYTES, bytes.length - HEADER_BYTES, buffers.decoder);
      T value = reader.read(null, buffers.decoder);
      if (!buffers.decoder.isEnd()) {
        throw new UndecodableException("no " + schema.getName() + ": bytes are left over", null);
      }
      return value;
    } catch (IOException | RuntimeException e) {
      buffers.decoder = null;
      throw e instanceof UndecodableException u
          ? u
          : new UndecodableException("no " + schema.getName() + ": " + e.getMessage(), e);
    }
  }

  private void know(Schema written) {
    readers.put(
        SchemaNormalization.parsingFingerprint64(written),
        new SpecificDatumReader<>(written, schema, model));
  }

  static byte[] header(Schema schema) {
    return ByteBuffer.allocate(HEADER_BYTES)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put(MARKER)
        .putLong(SchemaNormalization.parsingFingerprint64(schema))
        .array();
  }

  static <D> byte[] write(byte[] header, SpecificDatumWriter<D> writer, D value) {
    ByteArrayEncoder encoder = BUFFERS.get().encoder;
    encoder.reset();
    encoder.writeFixed(header, 0, header.length);
    try {
      writer.write(value, encoder);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory", e);
    }
    return encoder.toByteArray();
  }

  private static void setIfAbsent(String property, int value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, Integer.toString(value));
    }
  }
}
