package dev.tocsin.schemas;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.avro.util.RandomData;

/** Records with random values, the same for the same seed. */
final class Samples {
  static {
    GeneratedClasses.trust();
  }

  private Samples() {}

  /** The generated class of a record in {@link SchemaHistory#RECORDS}. */
  static Class<? extends SpecificRecordBase> type(String record) {
    try {
      return Class.forName("dev.tocsin.schemas." + record).asSubclass(SpecificRecordBase.class);
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  static Schema generated(String record) {
    return SpecificData.get().getSchema(type(record));
  }

  static <T extends SpecificRecordBase> T random(Class<T> type, long seed) {
    Schema schema = SpecificData.get().getSchema(type);
    try {
      byte[] bytes = body(schema, new RandomData(schema, 1, seed, true).iterator().next());
      return new SpecificDatumReader<>(type)
          .read(null, DecoderFactory.get().binaryDecoder(bytes, null));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A generic value's bytes, without a header. */
  static byte[] body(Schema schema, Object value) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    var encoder = EncoderFactory.get().binaryEncoder(out, null);
    new GenericDatumWriter<>(schema).write(value, encoder);
    encoder.flush();
    return out.toByteArray();
  }
}
