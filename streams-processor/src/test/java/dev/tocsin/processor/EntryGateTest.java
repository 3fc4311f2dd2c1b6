package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.Fold;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Which entries wait, and which go to the fold. */
class EntryGateTest {
  private static final byte[] PLAIN = TestLog.entry(TestLog.alert("a", "checkout", "slow"));

  private final NewerWriter newer = new NewerWriter("origin");
  private final Codec<LogEntry> codec = Codec.of(LogEntry.class);
  private final EntryGate gate = new EntryGate(codec, Set.of(new ProcessorConfig.Skip(2, 70)));

  @Test
  void entries_ofTodayGo() {
    assertThat(gate.holds(1, 5, PLAIN)).isEmpty();
    assertThat(gate.holds(1, 5, codec.encode(LogEntries.tick()))).isEmpty();
    assertThat(gate.holds(1, 5, needing(Fold.ENGINE_VERSION))).isEmpty();
  }

  @Test
  void whatCanNeverBeRead_goesAndIsDeadLetteredBehind() {
    assertThat(gate.holds(1, 5, null)).isEmpty();
    assertThat(gate.holds(1, 5, new byte[0])).isEmpty();
    assertThat(gate.holds(1, 5, Arrays.copyOf(PLAIN, 8))).isEmpty();
    assertThat(gate.holds(1, 5, Arrays.copyOf(PLAIN, PLAIN.length - 1))).isEmpty();
    byte[] magic = PLAIN.clone();
    magic[1] = 7;
    assertThat(gate.holds(1, 5, magic)).isEmpty();
  }

  @Test
  void unknownSchema_waitsUntilItIsLearned() {
    byte[] entry = newer.encode(PLAIN);
    assertThat(gate.holds(1, 5, entry))
        .hasValueSatisfying(
            pause -> {
              assertThat(pause.reason()).isEqualTo(Pause.Reason.UNKNOWN_SCHEMA);
              assertThat(pause.toString())
                  .contains("partition 1", "offset 5", "%016x".formatted(newer.fingerprint()));
            });
    int before = gate.learned();
    assertThat(gate.learn(newer.key(), new NewerWriter("other").json())).isPresent();
    assertThat(gate.learned()).isEqualTo(before);
    assertThat(gate.learn(newer.key(), newer.json())).isEmpty();
    assertThat(gate.learned()).isNotEqualTo(before);
    assertThat(gate.holds(1, 5, entry)).isEmpty();
  }

  @Test
  void damagedFingerprint_waitsAsANewerWritersDoes() {
    Random random = new Random(3);
    for (int i = 0; i < 50; i++) {
      byte[] entry = PLAIN.clone();
      ByteBuffer.wrap(entry, 2, Long.BYTES).putLong(random.nextLong());
      assertThat(gate.holds(1, 5, entry)).isPresent();
    }
  }

  @Test
  void newerEngine_waitsAlsoBehindASchemaThatWasLearned() {
    for (int version : new int[] {Fold.ENGINE_VERSION + 1, 128, 100_000}) {
      assertThat(gate.holds(1, 5, needing(version)))
          .hasValueSatisfying(
              pause -> {
                assertThat(pause.reason()).isEqualTo(Pause.Reason.NEWER_ENGINE);
                assertThat(pause.why()).contains("engine version " + version);
              });
    }
    LogEntry activation = LogEntries.tick();
    activation.setEngineActivated(Fold.ENGINE_VERSION + 1);
    assertThat(gate.holds(1, 5, codec.encode(activation))).isPresent();
    LogEntry alerts = codec.decode(PLAIN);
    alerts.setEngineVersionMin(Fold.ENGINE_VERSION + 1);
    assertThat(gate.holds(1, 5, codec.encode(alerts))).isPresent();
    assertThat(gate.learn(newer.key(), newer.json())).isEmpty();
    assertThat(gate.holds(1, 5, newer.encode(alerts)))
        .map(Pause::reason)
        .contains(Pause.Reason.NEWER_ENGINE);
  }

  @Test
  void skippedEntry_goesWhereItWouldWait() {
    assertThat(gate.holds(2, 70, newer.encode(PLAIN))).isEmpty();
    assertThat(gate.waits(2, 70, newer.encode(PLAIN))).isPresent();
    assertThat(gate.holds(2, 71, newer.encode(PLAIN))).isPresent();
    assertThat(gate.holds(1, 70, newer.encode(PLAIN))).isPresent();
  }

  private byte[] needing(int version) {
    LogEntry entry = LogEntries.tick();
    entry.setEngineVersionMin(version);
    return codec.encode(entry);
  }
}
