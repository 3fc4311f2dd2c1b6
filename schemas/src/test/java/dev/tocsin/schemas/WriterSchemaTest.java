package dev.tocsin.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;

/** What a codec learns from published schemas, and what it refuses. */
class WriterSchemaTest {
  private static final String CURRENT = LogEntry.getClassSchema().toString();
  private static final LogEntry ENTRY = Samples.random(LogEntry.class, 7);

  private final Codec<LogEntry> codec = Codec.of(LogEntry.class);

  @Test
  void of_isTheFingerprintAndItsCanonicalForm() {
    WriterSchema schema = WriterSchema.of(LogEntry.class);
    byte[] littleEndian = new byte[8];
    for (int i = 0; i < 8; i++) {
      littleEndian[i] = schema.key()[7 - i];
    }
    assertThat(codec.encode(ENTRY)).startsWith(0xC3, 0x01).containsSequence(littleEndian);
    assertThat(codec.learn(schema.key(), schema.json())).isEmpty();
    assertThat(schema.json()).hasSizeLessThan(10 << 10);
  }

  @Test
  void learn_makesAnEntryOfANewerWriterReadable() {
    byte[] bytes = NewerEntry.encode(ENTRY, "origin");
    assertThat(codec.unknownWriter(bytes))
        .hasValue(ByteBuffer.wrap(NewerEntry.key("origin")).getLong());
    assertThat(codec.learn(NewerEntry.key("origin"), NewerEntry.json("origin"))).isEmpty();
    assertThat(codec.unknownWriter(bytes)).isEmpty();
    assertThat(codec.decode(bytes)).isEqualTo(ENTRY);
    assertThat(codec.learn(NewerEntry.key("origin"), NewerEntry.json("origin")))
        .as("again")
        .isEmpty();
  }

  @Test
  void unknownWriter_isNoneOfWhatNoSchemaCouldRead() {
    byte[] bytes = NewerEntry.encode(ENTRY, "origin");
    bytes[0] = 0;
    assertThat(codec.unknownWriter(bytes)).isEmpty();
    assertThat(codec.unknownWriter(new byte[] {(byte) 0xC3, 0x01, 5})).isEmpty();
    assertThat(codec.unknownWriter(null)).isEmpty();
    assertThat(codec.unknownWriter(codec.encode(ENTRY))).isEmpty();
  }

  @Test
  void learn_refusesWhatIsNoRecordOfTheTopic() {
    refused(null, NewerEntry.json("a"), SchemaRefusal.MALFORMED);
    refused(new byte[7], NewerEntry.json("a"), SchemaRefusal.MALFORMED);
    refused(NewerEntry.key("a"), null, SchemaRefusal.MALFORMED);
    refused(NewerEntry.key("a"), new byte[0], SchemaRefusal.UNREADABLE);
    refused(NewerEntry.key("a"), utf8("{\"type\":"), SchemaRefusal.UNREADABLE);
    refused(NewerEntry.key("a"), utf8("{\"type\":\"record\"}"), SchemaRefusal.UNREADABLE);
    refused(NewerEntry.key("a"), new byte[] {(byte) 0xFF, 0, 1}, SchemaRefusal.UNREADABLE);
  }

  @Test
  void learn_refusesAnotherFingerprint() {
    refused(NewerEntry.key("a"), NewerEntry.json("b"), SchemaRefusal.OTHER_FINGERPRINT);
  }

  @Test
  void learn_refusesAnotherRecord() {
    WriterSchema other = WriterSchema.of(Rules.class);
    refused(other.key(), other.json(), SchemaRefusal.OTHER_RECORD);
    refused(CURRENT.replace("\"LogEntry\"", "\"LogEntri\""), SchemaRefusal.OTHER_RECORD);
    refused("\"string\"", SchemaRefusal.OTHER_RECORD);
  }

  @Test
  void learn_refusesWhatCannotBeReadAsTheRecord() {
    String array = "\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Alert\"";
    assertThat(CURRENT).contains(array);
    refused(
        CURRENT.replace(array, array.replace("array\",\"items", "map\",\"values")),
        SchemaRefusal.INCOMPATIBLE);
    refused(record("{\"name\":\"other\",\"type\":\"long\"}"), SchemaRefusal.INCOMPATIBLE);
  }

  @Test
  void learn_refusesTenMegabytesBeforeItLooksAtThem() {
    String doc = "x".repeat(10 << 20);
    refused(
        NewerEntry.key("a"),
        utf8(CURRENT.replaceFirst("\\{", "{\"doc\":\"" + doc + "\",")),
        SchemaRefusal.TOO_LARGE);
  }

  @Test
  void learn_refusesDeepNesting() {
    String deep = "{\"type\":\"array\",\"items\":".repeat(1_000) + "\"int\"" + "}".repeat(1_000);
    refused(record("{\"name\":\"x\",\"type\":" + deep + "}"), SchemaRefusal.TOO_COMPLEX, null);
    refused(NewerEntry.key("a"), utf8("[".repeat(60_000)), SchemaRefusal.TOO_COMPLEX);
    String quoted =
        record("{\"name\":\"x\",\"doc\":\"" + "[{".repeat(100) + "\\\"[\",\"type\":\"int\"}");
    refused(quoted, SchemaRefusal.INCOMPATIBLE); // what is quoted nests nothing
  }

  @Test
  void learn_refusesNamesThatWouldExpandWithoutBound() {
    // Each of fifty records holds the one before twice: 2^50 parts where all is written out.
    String doubling =
        IntStream.range(0, 50)
            .mapToObj(i -> "{\"name\":\"f%d\",\"type\":%s}".formatted(i, doubled(i)))
            .collect(Collectors.joining(","));
    Assertions.assertTimeoutPreemptively(
        Duration.ofSeconds(10), () -> refused(record(doubling), SchemaRefusal.TOO_COMPLEX));
    String chain =
        IntStream.range(0, 500)
            .mapToObj(i -> "{\"name\":\"f%d\",\"type\":%s}".formatted(i, chained(i)))
            .collect(Collectors.joining(","));
    refused(record(chain), SchemaRefusal.TOO_COMPLEX);
  }

  @Test
  void learn_refusesASchemaThatContainsItself() {
    refused(
        record("{\"name\":\"next\",\"type\":[\"null\",\"LogEntry\"]}"), SchemaRefusal.TOO_COMPLEX);
  }

  @Test
  void learn_isBounded() {
    AtomicInteger taken = new AtomicInteger();
    for (int i = 0; i < Codec.LEARNED_MAX; i++) {
      codec
          .learn(NewerEntry.key("f" + i), NewerEntry.json("f" + i))
          .ifPresentOrElse(refusal -> {}, taken::incrementAndGet);
    }
    assertThat(taken).hasValue(Codec.LEARNED_MAX);
    refused(NewerEntry.key("more"), NewerEntry.json("more"), SchemaRefusal.TOO_MANY);
    assertThat(codec.learn(NewerEntry.key("f0"), NewerEntry.json("f0"))).isEmpty();
  }

  @Test
  void learn_takesNothingButTheCanonicalForm() {
    // Its fingerprint does not cover properties: anyone could add some to a schema that is known.
    String dressed =
        NewerEntry.schema("a")
            .toString()
            .replace("\"avro.java.string\":\"String\"", "\"java-class\":\"java.net.URL\"");
    assertThat(dressed).contains("java.net.URL");
    byte[] bytes = NewerEntry.encode(ENTRY, "a");
    assertThat(codec.learn(NewerEntry.key("a"), utf8(dressed))).isEmpty();
    assertThat(codec.decode(bytes)).isEqualTo(ENTRY);
  }

  @Test
  void isPlain_isTrueOfJoinedAlertsAndOfNothingThatNeedsMore() {
    Alert alert = Samples.random(Alert.class, 3);
    byte[] joined = AlertsEntry.join(1, List.of(AlertsEntry.encode(alert)));
    assertThat(AlertsEntry.isPlain(joined)).isTrue();
    LogEntry entry = codec.decode(joined);
    for (int version : new int[] {2, 3, 128, 16_384}) {
      entry.setEngineVersionMin(version);
      assertThat(AlertsEntry.isPlain(codec.encode(entry))).as("needs %d", version).isFalse();
    }
    entry.setEngineVersionMin(1);
    entry.setEngineActivated(2);
    assertThat(AlertsEntry.isPlain(codec.encode(entry))).isFalse();
    assertThat(AlertsEntry.isPlain(codec.encode(LogEntries.tick()))).isFalse();
    assertThat(AlertsEntry.isPlain(NewerEntry.encode(codec.decode(joined), "a"))).isFalse();
    assertThat(AlertsEntry.isPlain(new byte[3])).isFalse();
  }

  private void refused(String schema, SchemaRefusal why) {
    refused(
        schema, why, SchemaNormalization.parsingFingerprint64(new Schema.Parser().parse(schema)));
  }

  private void refused(String schema, SchemaRefusal why, Long fingerprint) {
    byte[] key = ByteBuffer.allocate(8).putLong(fingerprint == null ? 0 : fingerprint).array();
    refused(key, utf8(schema), why);
  }

  private void refused(byte[] key, byte[] json, SchemaRefusal why) {
    assertThat(codec.learn(key, json)).contains(why);
    assertThat(codec.unknownWriter(NewerEntry.encode(ENTRY, "a"))).as("stays unknown").isPresent();
  }

  /** A record of the entry's name with these fields. */
  private static String record(String fields) {
    return "{\"type\":\"record\",\"name\":\"LogEntry\",\"namespace\":\"dev.tocsin.schemas\",\"fields\":["
        + fields
        + "]}";
  }

  private static String doubled(int i) {
    String field = i == 0 ? "\"long\"" : "\"R" + (i - 1) + "\"";
    return "{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\",\"type\":%s},{\"name\":\"b\",\"type\":%s}]}"
        .formatted(i, field, field);
  }

  private static String chained(int i) {
    String field = i == 0 ? "\"long\"" : "\"R" + (i - 1) + "\"";
    return "{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\",\"type\":%s}]}"
        .formatted(i, field);
  }

  private static byte[] utf8(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
