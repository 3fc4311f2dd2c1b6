package dev.tocsin.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.schemas.Codec.UndecodableException;
import dev.tocsin.schemas.Codec.UnknownSchemaException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.avro.specific.SpecificRecordBase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class CodecTest {
  private static final Codec<LogEntry> CODEC = Codec.of(LogEntry.class);
  private static final byte[] HEADER = Codec.header(LogEntry.getClassSchema());

  static Stream<Class<? extends SpecificRecordBase>> types() {
    return SchemaHistory.RECORDS.stream().map(Samples::type);
  }

  @ParameterizedTest
  @MethodSource("types")
  void decode_readsWhatEncodeWrote(Class<? extends SpecificRecordBase> type) {
    roundTrips(type);
  }

  private static <T extends SpecificRecordBase> void roundTrips(Class<T> type) {
    Codec<T> codec = Codec.of(type);
    for (long seed = 0; seed < 50; seed++) {
      T value = Samples.random(type, seed);
      assertThat(codec.decode(codec.encode(value))).isEqualTo(value);
    }
  }

  @Test
  void encode_startsWithMarkerAndFingerprint() {
    byte[] bytes = CODEC.encode(LogEntries.tick());
    assertThat(bytes).startsWith(0xC3, 0x01).startsWith(HEADER).hasSize(HEADER.length + 6);
  }

  @Test
  void decode_refusesNull() {
    assertThatThrownBy(() -> CODEC.decode(null)).isInstanceOf(UndecodableException.class);
  }

  @Test
  void decode_refusesAnotherMarker() {
    byte[] bytes = CODEC.encode(LogEntries.tick());
    bytes[1] = 2;
    assertThatThrownBy(() -> CODEC.decode(bytes))
        .isInstanceOf(UndecodableException.class)
        .hasMessageContaining("LogEntry")
        .hasMessageContaining("C3 01");
  }

  @Test
  void decode_refusesEveryTruncation() {
    byte[] bytes = CODEC.encode(entry(3));
    for (int length = 0; length < bytes.length; length++) {
      byte[] cut = Arrays.copyOf(bytes, length);
      assertThatThrownBy(() -> CODEC.decode(cut)).isInstanceOf(UndecodableException.class);
    }
  }

  @Test
  void decode_refusesBytesLeftOver() {
    byte[] bytes = CODEC.encode(entry(1));
    byte[] longer = Arrays.copyOf(bytes, bytes.length + 1);
    assertThatThrownBy(() -> CODEC.decode(longer))
        .isInstanceOf(UndecodableException.class)
        .hasMessageContaining("left over");
  }

  @Test
  void decode_namesAnUnknownSchema() {
    byte[] bytes = CODEC.encode(LogEntries.tick());
    ByteBuffer.wrap(bytes).putLong(2, 0x0102030405060708L);
    assertThatThrownBy(() -> CODEC.decode(bytes))
        .isInstanceOf(UnknownSchemaException.class)
        .hasMessageContaining("LogEntry")
        .hasMessageContaining("0807060504030201");
  }

  @Test
  void decode_goesOnAfterARefusal() {
    LogEntry entry = entry(2);
    byte[] bytes = CODEC.encode(entry);
    byte[] cut = Arrays.copyOf(bytes, bytes.length - 5);
    for (int i = 0; i < 3; i++) {
      assertThatThrownBy(() -> CODEC.decode(cut)).isInstanceOf(UndecodableException.class);
      assertThat(CODEC.decode(bytes)).isEqualTo(entry);
    }
  }

  static Stream<List<byte[]>> claims() {
    byte[] two31 = varint(1L << 31);
    byte[] max = varint(Long.MAX_VALUE);
    byte[] below16MiB = varint((16 << 20) - 1);
    byte[] items = varint(1 << 20);
    byte[] version = {2};
    byte[] one = {2};
    byte[] alerts = {0};
    return Stream.of(
        List.of(alerts, version, two31), // so many alerts
        List.of(alerts, version, max),
        List.of(alerts, version, items),
        List.of(alerts, version, varint(-(1L << 31)), varint(1)), // with the block's size
        List.of(alerts, version, varint(Long.MIN_VALUE), varint(1)),
        List.of(alerts, version, one, two31), // a workspace so long
        List.of(alerts, version, one, max),
        List.of(alerts, version, one, varint(-5)),
        List.of(alerts, version, one, below16MiB),
        List.of(max)); // a branch that is none
  }

  @ParameterizedTest
  @MethodSource("claims")
  void decode_refusesLengthsThatAreNotThere_withoutAllocatingThem(List<byte[]> parts) {
    byte[] bytes = entryOf(parts);
    long before = allocatedBytes();
    assertThatThrownBy(() -> CODEC.decode(bytes)).isInstanceOf(UndecodableException.class);
    assertThat(allocatedBytes() - before).isLessThan(32 << 20);
  }

  @Property(tries = 2000)
  void decode_throwsOnlyItsOwn_forRandomBodies(@ForAll @Size(max = 200) byte[] body) {
    refusesOrReads(entryOf(List.of(body)));
  }

  @Property(tries = 500)
  void decode_throwsOnlyItsOwn_forRandomBytes(@ForAll @Size(max = 60) byte[] bytes) {
    refusesOrReads(bytes);
  }

  @Property(tries = 2000)
  void decode_throwsOnlyItsOwn_forDamagedEntries(
      @ForAll long seed, @ForAll int where, @ForAll byte what) {
    byte[] bytes = CODEC.encode(Samples.random(LogEntry.class, seed));
    bytes[Math.floorMod(where, bytes.length)] ^= what;
    refusesOrReads(bytes);
  }

  private static void refusesOrReads(byte[] bytes) {
    try {
      assertThat(CODEC.decode(bytes)).isNotNull();
    } catch (UndecodableException | UnknownSchemaException expected) {
      assertThat(expected).hasMessageContaining("LogEntry");
    }
  }

  @ParameterizedTest
  @MethodSource("types")
  void decode_readsWhatEachPastVersionWrote(Class<? extends SpecificRecordBase> type)
      throws IOException {
    List<Schema> past = SchemaHistory.bundled().versions(type.getSimpleName());
    for (Schema written : past) {
      for (long seed = 0; seed < 20; seed++) {
        SpecificRecordBase value = Samples.random(type, seed);
        byte[] old = rewritten(encoded(value), value.getSchema(), written);
        SpecificRecordBase read = Codec.of(type).decode(old);
        byte[] again = rewritten(encoded(read), read.getSchema(), written);
        var decoder = new BinaryMessageDecoder<Object>(GenericData.get(), written);
        assertThat(decoder.decode(again)).isEqualTo(decoder.decode(old));
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends SpecificRecordBase> byte[] encoded(T value) {
    return ((Codec<T>) Codec.of(value.getClass())).encode(value);
  }

  /** A record as software with another schema would have written it. */
  private static byte[] rewritten(byte[] bytes, Schema from, Schema to) throws IOException {
    var reader = new BinaryMessageDecoder<Object>(GenericData.get(), to);
    reader.addSchema(from);
    ByteBuffer buffer =
        new BinaryMessageEncoder<Object>(GenericData.get(), to).encode(reader.decode(bytes));
    byte[] result = new byte[buffer.remaining()];
    buffer.get(result);
    return result;
  }

  @Test
  void decode_readsAnOlderVersion() throws IOException {
    Schema older = without(Tally.getClassSchema(), "lastSeenMs");
    Codec<Tally> codec = Codec.of(Tally.class, List.of(older));
    var old = new GenericData.Record(older);
    Tally.getClassSchema().getFields().stream()
        .filter(field -> older.getField(field.name()) != null && field.hasDefaultValue())
        .forEach(field -> old.put(field.name(), GenericData.get().getDefaultValue(field)));
    old.put("occurrences", 7L);
    // Fields without a default cannot be added: that such a version is refused is part of it.
    assertThatThrownBy(() -> codec.decode(bytes(older, old)))
        .isInstanceOf(UndecodableException.class);

    Schema state = without(PartitionState.getClassSchema(), "stale", "engineVersion");
    var oldState = new GenericData.Record(state);
    state.getFields().forEach(field -> oldState.put(field.name(), 5L));
    PartitionState read =
        Codec.of(PartitionState.class, List.of(state)).decode(bytes(state, oldState));
    assertThat(read.getAppliedOffset()).isEqualTo(5);
    assertThat(read.getDeadLettered()).isEqualTo(5);
    assertThat(read.getStale()).isZero();
    assertThat(read.getEngineVersion()).isEqualTo(1);
  }

  @Test
  void decode_readsANewerVersionThatIsKnown() throws IOException {
    Schema newer =
        new Schema.Parser()
            .parse(
                PartitionState.getClassSchema()
                    .toString()
                    .replace(
                        "\"fields\":[",
                        "\"fields\":[{\"name\":\"more\",\"type\":\"string\",\"default\":\"\"},"));
    PartitionState value = Samples.random(PartitionState.class, 1);
    var written = new GenericData.Record(newer);
    written.put("more", "than is known");
    for (Schema.Field field : PartitionState.getClassSchema().getFields()) {
      written.put(field.name(), value.get(field.name()));
    }
    assertThat(Codec.of(PartitionState.class, List.of(newer)).decode(bytes(newer, written)))
        .isEqualTo(value);
    assertThatThrownBy(() -> Codec.of(PartitionState.class).decode(bytes(newer, written)))
        .isInstanceOf(UnknownSchemaException.class);
  }

  private static LogEntry entry(int alerts) {
    List<Alert> all =
        Stream.iterate(1L, seed -> seed + 1)
            .limit(alerts)
            .map(seed -> Samples.random(Alert.class, seed))
            .toList();
    return LogEntries.of(new Alerts(1, all));
  }

  private static byte[] bytes(Schema schema, Object value) throws IOException {
    byte[] header = Codec.header(schema);
    byte[] body = Samples.body(schema, value);
    byte[] bytes = Arrays.copyOf(header, header.length + body.length);
    System.arraycopy(body, 0, bytes, header.length, body.length);
    return bytes;
  }

  private static byte[] entryOf(List<byte[]> parts) {
    ByteBuffer bytes = ByteBuffer.allocate(1024).put(HEADER);
    parts.forEach(bytes::put);
    return Arrays.copyOf(bytes.array(), bytes.position());
  }

  /** Avro's long. */
  private static byte[] varint(long value) {
    ByteBuffer bytes = ByteBuffer.allocate(10);
    long rest = (value << 1) ^ (value >> 63);
    while ((rest & ~0x7FL) != 0) {
      bytes.put((byte) (rest & 0x7F | 0x80));
      rest >>>= 7;
    }
    bytes.put((byte) rest);
    return Arrays.copyOf(bytes.array(), bytes.position());
  }

  private static long allocatedBytes() {
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    return threads.getCurrentThreadAllocatedBytes();
  }

  private static Schema without(Schema schema, String... fields) {
    List<Schema.Field> kept =
        schema.getFields().stream()
            .filter(field -> !Arrays.asList(fields).contains(field.name()))
            .map(field -> new Schema.Field(field, field.schema()))
            .toList();
    return Schema.createRecord(schema.getName(), null, schema.getNamespace(), false, kept);
  }
}
