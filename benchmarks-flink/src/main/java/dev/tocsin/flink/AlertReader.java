package dev.tocsin.flink;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.GeneratedClasses;
import dev.tocsin.schemas.Key128;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;

/**
 * Reads an alert by its schema, in the fastest way that Avro has for generated classes: their own
 * coders, into the same objects again and again. What comes of it is the same object as well: it is
 * written to the next task before the next one is read.
 */
final class AlertReader extends AbstractDeserializationSchema<Sighting> {
  private transient SpecificDatumReader<Alert> reader;
  private transient BinaryDecoder decoder;
  private transient Alert alert;
  private transient Sighting sighting;

  AlertReader() {
    super(Sighting.class);
  }

  @Override
  public void open(InitializationContext context) {
    GeneratedClasses.trust();
    SpecificData model = new SpecificData(Alert.class.getClassLoader());
    model.setCustomCoders(true);
    reader = new SpecificDatumReader<>(Alert.getClassSchema(), Alert.getClassSchema(), model);
    sighting = new Sighting();
  }

  @Override
  @SuppressWarnings("EnumOrdinal") // the schema's own numbers: by them Avro writes them, too
  public Sighting deserialize(byte[] message) throws IOException {
    decoder = DecoderFactory.get().binaryDecoder(message, decoder);
    alert = reader.read(alert, decoder);
    sighting.source = alert.getSource();
    sighting.alertId = alert.getAlertId();
    sighting.status = (byte) alert.getStatus().ordinal();
    sighting.fingerprintHigh = high(alert.getFingerprint());
    sighting.fingerprintLow = low(alert.getFingerprint());
    sighting.groupHigh = high(alert.getGroup());
    sighting.groupLow = low(alert.getGroup());
    sighting.severity = (byte) alert.getSeverity().ordinal();
    sighting.seenMs = alert.getFiredAtMs();
    return sighting;
  }

  static long high(Key128 key) {
    return ByteBuffer.wrap(key.bytes()).getLong();
  }

  static long low(Key128 key) {
    return ByteBuffer.wrap(key.bytes()).getLong(Long.BYTES);
  }
}
