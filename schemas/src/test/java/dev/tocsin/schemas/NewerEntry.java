package dev.tocsin.schemas;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

/** Entries by a writer that is newer than this software: its schema has a field more. */
final class NewerEntry {
  private NewerEntry() {}

  /** Today's schema, and a text of this name. */
  static Schema schema(String field) {
    String current = LogEntry.getClassSchema().toString();
    int end = current.lastIndexOf("]}");
    return new Schema.Parser()
        .parse(
            current.substring(0, end)
                + ",{\"name\":\"%s\",\"type\":\"string\",\"default\":\"\"}]}".formatted(field));
  }

  /** Its key in the topic. */
  static byte[] key(String field) {
    return ByteBuffer.allocate(8)
        .putLong(SchemaNormalization.parsingFingerprint64(schema(field)))
        .array();
  }

  /** Its value in the topic. */
  static byte[] json(String field) {
    return schema(field).toString().getBytes(StandardCharsets.UTF_8);
  }

  /** The entry as that writer writes it, with something in the new field. */
  static byte[] encode(LogEntry entry, String field) {
    byte[] today = Codec.of(LogEntry.class).encode(entry);
    try {
      GenericRecord read =
          new GenericDatumReader<GenericRecord>(LogEntry.getClassSchema(), schema(field))
              .read(
                  null,
                  DecoderFactory.get()
                      .binaryDecoder(
                          today, Codec.HEADER_BYTES, today.length - Codec.HEADER_BYTES, null));
      read.put(field, "something new");
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      out.write(Codec.header(schema(field)));
      BinaryEncoder encoder = EncoderFactory.get().binaryEncoder(out, null);
      new GenericDatumWriter<GenericRecord>(schema(field)).write(read, encoder);
      encoder.flush();
      return out.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
