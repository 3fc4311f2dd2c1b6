package dev.tocsin.schemas;

import java.io.IOException;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;

/**
 * An alert on the log. What the fold asks of every alert has been read; its texts, of which a
 * repeat needs none, are read when somebody asks for the {@link #whole}.
 *
 * <p>Not thread-safe.
 */
public final class LoggedAlert {
  private static final SpecificDatumReader<Alert> READER = reader();

  private final AlertStatus status;
  private final Key128 fingerprint;
  private final Key128 group;
  private final Key128 receipt;
  private final Severity severity;
  private final long firedAtMs;
  private final long endsAtMs;
  private final String rule;
  private final boolean suppressed;
  private final byte[] entry;
  private final int from;
  private final int to;
  private Alert whole;

  private LoggedAlert(Alert whole) {
    this.status = whole.getStatus();
    this.fingerprint = whole.getFingerprint();
    this.group = whole.getGroup();
    this.receipt = whole.getReceipt();
    this.severity = whole.getSeverity();
    this.firedAtMs = whole.getFiredAtMs();
    this.endsAtMs = whole.getEndsAtMs();
    this.rule = whole.getRule();
    this.suppressed = whole.getSuppressed();
    this.entry = null;
    this.from = 0;
    this.to = 0;
    this.whole = whole;
  }

  /** Reads the fields in the order of the schema, of which a test sees to it that it is this. */
  LoggedAlert(AlertBytes bytes) {
    this.entry = bytes.array();
    this.from = bytes.at();
    bytes.skipTexts(3); // workspace, source, alertId
    this.status = bytes.constant(AlertBytes.STATUSES);
    this.fingerprint = bytes.key();
    this.group = bytes.key();
    bytes.varint(); // route
    this.receipt = bytes.isPresent() ? bytes.key() : null;
    bytes.skipTexts(2); // title, description
    this.severity = bytes.constant(AlertBytes.SEVERITIES);
    bytes.constant(AlertBytes.TYPES);
    bytes.skipItems(2); // labels
    bytes.skipItems(2); // annotations
    bytes.skipItems(1); // affectedResources
    this.firedAtMs = bytes.varint();
    this.endsAtMs = bytes.varint();
    bytes.varint(); // receivedAtMs
    this.rule = bytes.name();
    this.suppressed = bytes.bool();
    this.to = bytes.at();
  }

  /** One that is read already. */
  public static LoggedAlert of(Alert whole) {
    return new LoggedAlert(whole);
  }

  public AlertStatus status() {
    return status;
  }

  public Key128 fingerprint() {
    return fingerprint;
  }

  public Key128 group() {
    return group;
  }

  /** Null where the edge made the alert id. */
  public Key128 receipt() {
    return receipt;
  }

  public Severity severity() {
    return severity;
  }

  public long firedAtMs() {
    return firedAtMs;
  }

  /** 0 if open. */
  public long endsAtMs() {
    return endsAtMs;
  }

  /** Empty if none matched. */
  public String rule() {
    return rule;
  }

  public boolean suppressed() {
    return suppressed;
  }

  /** All of it. */
  public Alert whole() {
    if (whole == null) {
      try {
        whole = READER.read(null, DecoderFactory.get().binaryDecoder(entry, from, to - from, null));
      } catch (IOException e) {
        throw new IllegalStateException("an alert whose bytes were gone through cannot be read", e);
      }
    }
    return whole;
  }

  private static SpecificDatumReader<Alert> reader() {
    GeneratedClasses.trust();
    SpecificData model = new SpecificData(Alert.class.getClassLoader());
    model.setCustomCoders(true);
    return new SpecificDatumReader<>(Alert.getClassSchema(), Alert.getClassSchema(), model);
  }
}
