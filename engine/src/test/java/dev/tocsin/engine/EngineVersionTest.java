package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import org.junit.jupiter.api.Test;

/** What a partition is folded by, and what this software can fold. */
class EngineVersionTest {
  private static final int NEWEST = Fold.ENGINE_VERSION;

  private final Log log = new Log();

  @Test
  void log_thatActivatesNothingIsFoldedByVersionOne() {
    log.send(Sighting.firing("cpu")).append(needing(NEWEST));
    assertThat(log.counts().getEngineVersion()).isEqualTo(1);
  }

  @Test
  void activation_isPartOfTheState() {
    log.append(activating(2));
    assertThat(log.counts().getEngineVersion()).isEqualTo(2);
    log.restart();
    log.tick();
    assertThat(log.counts().getEngineVersion()).isEqualTo(2);
  }

  @Test
  void activationOfRules_mayBringAVersionAlong() {
    Rules rules = DefaultRules.read();
    rules.setVersion(2);
    LogEntry entry = LogEntries.of(new RulesActivated(rules));
    entry.setEngineActivated(2);
    log.append(entry);
    assertThat(log.counts().getEngineVersion()).isEqualTo(2);
    assertThat(log.store.rules().getVersion()).isEqualTo(2);
  }

  @Test
  void activation_ofWhatIsNotAboveTheActiveIsIgnored() {
    log.append(activating(2)).append(activating(1)).append(activating(2));
    assertThat(log.counts().getEngineVersion()).isEqualTo(2);
  }

  @Test
  void entry_thatNeedsMoreThanThisSoftwareHasIsRefusedAndNothingHappens() {
    log.send(Sighting.firing("cpu"));
    PartitionState before = log.counts();
    for (LogEntry entry : new LogEntry[] {needing(NEWEST + 1), activating(NEWEST + 1)}) {
      assertThat(Fold.versionNeeded(entry)).isEqualTo(NEWEST + 1);
      assertThatThrownBy(
              () -> log.fold().apply(entry, log.offset(), log.nowMs() + 1_000_000_000_000L))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("needs engine version " + (NEWEST + 1));
      assertThat(log.counts()).isEqualTo(before);
    }
  }

  @Test
  void state_thatNewerSoftwareActivatedIsRefused() {
    MemoryStore store = new MemoryStore();
    store.state().setEngineVersion(NEWEST + 1);
    assertThatThrownBy(() -> new Fold(store, event -> {}))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("folded by engine version " + (NEWEST + 1));
  }

  private static LogEntry needing(int version) {
    LogEntry entry = LogEntries.tick();
    entry.setEngineVersionMin(version);
    return entry;
  }

  private static LogEntry activating(int version) {
    LogEntry entry = LogEntries.tick();
    entry.setEngineActivated(version);
    return entry;
  }
}
