package dev.tocsin.engine;

import static dev.tocsin.engine.Log.START_MS;
import static dev.tocsin.engine.Sighting.firing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.RulesActivated;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** More is due at once than is settled before one entry. */
class SettlingTest {
  private static final int INCIDENTS = 2 * Fold.SETTLED_MAX - 100;
  private static final long HOUR_MS = 3_600_000;
  private static final long END_MS = START_MS + 60_000;

  private final MemoryStore store = new MemoryStore();
  private final Fold fold = new Fold(store, event -> {});
  private long offset;

  @Test
  void whatIsDue_isSettledByTheEntriesThatCome_andTimeWaitsForIt() {
    open(3, END_MS);
    apply(LogEntries.of(new Alerts(1, List.of(firing("late").in("late").alert(0)))), HOUR_MS);
    assertThat(in(IncidentState.RESOLVED)).isEqualTo(Fold.SETTLED_MAX + Fold.SETTLED_PER_ALERT);
    assertThat(store.state().getFoldTimeMs()).isEqualTo(END_MS);
    Incident late = store.incident(store.group(Sighting.key("late")).getIncident());
    assertThat(late.getCreatedAtMs()).as("applied at the time that was reached").isEqualTo(END_MS);
    apply(LogEntries.tick(), HOUR_MS);
    assertThat(in(IncidentState.RESOLVED)).isEqualTo(INCIDENTS);
    assertThat(store.incidents())
        .filteredOn(incident -> incident.getState() == IncidentState.RESOLVED)
        .allMatch(incident -> incident.getResolvedAtMs() == END_MS);
    assertThat(store.state().getFoldTimeMs()).isEqualTo(START_MS + HOUR_MS);
  }

  @Test
  void entry_thatCannotBeAppliedSettlesAsMuch() {
    open(3, END_MS);
    fold.skip(offset++, START_MS + HOUR_MS);
    assertThat(in(IncidentState.RESOLVED)).isEqualTo(Fold.SETTLED_MAX);
    assertThat(store.state().getFoldTimeMs()).isEqualTo(END_MS);
    assertThat(store.state().getAppliedOffset()).isEqualTo(offset);
  }

  @Test
  void partition_ofTheEngineBefore_settlesAllAtOnce() {
    open(2, END_MS);
    apply(LogEntries.tick(), HOUR_MS);
    assertThat(in(IncidentState.RESOLVED)).isEqualTo(INCIDENTS);
    assertThat(store.state().getFoldTimeMs()).isEqualTo(START_MS + HOUR_MS);
  }

  @Test
  void silence_countsWhatItLooksAt() {
    open(3, 0);
    apply(
        LogEntries.of(
            Hush.silence("r1", START_MS + 1_000, START_MS + 9 * HOUR_MS, Hush.source("s-g1"))),
        0);
    apply(LogEntries.tick(), HOUR_MS);
    assertThat(store.silence(Hush.id("r1")).getWalking()).isTrue();
    assertThat(store.state().getFoldTimeMs()).isEqualTo(START_MS + 1_000);
    apply(LogEntries.tick(), HOUR_MS);
    assertThat(store.silence(Hush.id("r1")).getWalking()).isFalse();
    assertThat(store.state().getFoldTimeMs()).isEqualTo(START_MS + HOUR_MS);
  }

  private void open(int engineVersion, long endsAtMs) {
    LogEntry begins = LogEntries.of(new RulesActivated(DefaultRules.read()));
    begins.setEngineActivated(engineVersion);
    apply(begins, 0);
    List<Alert> alerts = new ArrayList<>();
    for (int i = 0; i < INCIDENTS; i++) {
      alerts.add(firing("c" + i).in("g" + i).endsAt(endsAtMs).alert(START_MS));
    }
    apply(LogEntries.of(new Alerts(1, alerts)), 0);
    assertThat(in(IncidentState.DETECTED)).isEqualTo(INCIDENTS);
  }

  private void apply(LogEntry entry, long laterMs) {
    fold.apply(entry, offset++, START_MS + laterMs);
  }

  private long in(IncidentState state) {
    return store.incidents().stream().filter(incident -> incident.getState() == state).count();
  }
}
