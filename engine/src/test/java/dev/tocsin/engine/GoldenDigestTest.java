package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * What each version of the engine makes of one fixed log: {@code golden-digests/VERSION.txt}, one
 * for each version that this software has. A difference means that logs are folded otherwise than
 * they were: that takes a new engine version, and the old one stays as it is.
 */
class GoldenDigestTest {
  private static final long[] JUMPS_MS = {
    0, 0, 0, 1, 400, 1000, 20_000, 240_000, 360_000, 3_000_000, 72_000_000, 90_000_000, -60_000
  };

  @TestFactory
  Stream<DynamicTest> digests_areThoseOfEachEngineVersion() {
    return IntStream.rangeClosed(1, Fold.ENGINE_VERSION)
        .mapToObj(
            version ->
                DynamicTest.dynamicTest(
                    "version " + version,
                    () -> assertThat(digests(version)).isEqualTo(golden(version))));
  }

  @Test
  void versions_areNotMoreThanThisSoftwareHas() {
    assertThat(GoldenDigestTest.class.getResource(file(Fold.ENGINE_VERSION + 1))).isNull();
  }

  /** Of the log when {@code version} is active from its first entry on. */
  private static String digests(int version) {
    MemoryStore store = new MemoryStore();
    DigestSum lives = new DigestSum();
    Fold fold =
        new Fold(
            store,
            event ->
                lives.add(
                    event.getIncident(),
                    Tally.newBuilder()
                        .setOccurrences(event.getOccurrences())
                        .setLastSeenMs(event.getLastSeenMs())
                        .build()));
    Random random = new Random(20251121); // its algorithm is part of Java's specification
    long nowMs = Log.START_MS;
    for (int offset = 0; offset < 1500; offset++) {
      nowMs += JUMPS_MS[random.nextInt(JUMPS_MS.length)];
      LogEntry entry = entry(random, offset, nowMs);
      if (offset == 0 && version > 1) {
        entry.setEngineActivated(version);
        entry.setEngineVersionMin(version);
      }
      fold.apply(entry, offset, nowMs);
    }
    PartitionState counts = store.state();
    DigestSum digest = store.digest();
    return "%d %s %s %d %s %s %d"
        .formatted(
            counts.getEngineVersion(),
            digest.content(),
            digest.exact(),
            digest.incidents(),
            lives.content(),
            lives.exact(),
            lives.incidents());
  }

  private static LogEntry entry(Random random, int offset, long nowMs) {
    if (offset == 0 || offset == 700) {
      return LogEntries.of(new RulesActivated(offset == 0 ? World.brisk(1) : secondRules()));
    } else if (random.nextInt(10) == 0) {
      return LogEntries.tick();
    }
    return LogEntries.of(new Alerts(1, some(random, nowMs)));
  }

  private static Rules secondRules() {
    Rules rules = DefaultRules.read();
    rules.setVersion(2);
    return rules;
  }

  private static List<Alert> some(Random random, long nowMs) {
    List<Alert> alerts = new ArrayList<>();
    for (int left = 1 + random.nextInt(3); left > 0; left--) {
      alerts.add(
          new Sighting(
                  "c" + random.nextInt(4),
                  "g" + random.nextInt(5),
                  random.nextInt(3) == 0 ? AlertStatus.ENDED : AlertStatus.FIRING,
                  List.of(Severity.P0, Severity.P1, Severity.P2, Severity.P3, Severity.P4)
                      .get(random.nextInt(5)),
                  random.nextBoolean() ? "" : "i" + random.nextInt(50),
                  "",
                  nowMs - 1000L * random.nextInt(100),
                  random.nextInt(4) == 0 ? nowMs - 1000 + 1000L * random.nextInt(100_000) : 0)
              .alert(nowMs));
    }
    return alerts;
  }

  private static String file(int version) {
    return "/golden-digests/%d.txt".formatted(version);
  }

  private static String golden(int version) throws IOException {
    return golden(file(version));
  }

  /** The digests that a golden file holds. */
  static String golden(String file) throws IOException {
    try (InputStream in = GoldenDigestTest.class.getResourceAsStream(file)) {
      assertThat(in).as("the golden file %s", file).isNotNull();
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .findFirst()
          .orElseThrow();
    }
  }
}
