package dev.tocsin.processor;

import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;

/** Writes entries by a schema that this software does not have: today's and a field more. */
final class NewerWriter {
  private final Schema of;
  final Schema schema;

  NewerWriter(String field) {
    this(LogEntry.getClassSchema(), field);
  }

  /** Of any record. */
  NewerWriter(Schema of, String field) {
    this.of = of;
    String today = of.toString();
    schema =
        new Schema.Parser()
            .parse(
                today.substring(0, today.lastIndexOf("]}"))
                    + ",{\"name\":\"%s\",\"type\":\"string\",\"default\":\"\"}]}".formatted(field));
  }

  long fingerprint() {
    return SchemaNormalization.parsingFingerprint64(schema);
  }

  byte[] key() {
    return ByteBuffer.allocate(Long.BYTES).putLong(fingerprint()).array();
  }

  byte[] json() {
    return schema.toString().getBytes(StandardCharsets.UTF_8);
  }

  byte[] encode(LogEntry entry) {
    return encode(Codec.of(LogEntry.class).encode(entry));
  }

  /** The same entry, which was written with today's schema. */
  byte[] encode(byte[] written) {
    try {
      var reader = new BinaryMessageDecoder<GenericRecord>(GenericData.get(), schema);
      reader.addSchema(this.of);
      var writer = new BinaryMessageEncoder<GenericRecord>(GenericData.get(), schema);
      ByteBuffer bytes = writer.encode(reader.decode(written));
      byte[] entry = new byte[bytes.remaining()];
      bytes.get(entry);
      return entry;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
