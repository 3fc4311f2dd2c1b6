package dev.tocsin.engine;

import static dev.tocsin.engine.Log.START_MS;
import static dev.tocsin.engine.Sighting.firing;
import static java.util.Comparator.comparing;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.LoggedAlert;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.SilencePhase;
import dev.tocsin.schemas.TimelineKind;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** More is due at once than is settled before one entry. */
class SettlingTest {
  private static final int INCIDENTS = 1_300;

  /** Each timer changes an incident: of what may be settled it takes two. */
  private static final int SETTLED = Fold.SETTLED_MAX / 2;

  private static final long HOUR_MS = 3_600_000;
  private static final long END_MS = START_MS + 60_000;

  private final MemoryStore store = new MemoryStore();
  private final Fold fold = new Fold(store, event -> {});
  private long offset;

  @Test
  void whatIsLeft_isSettledByTheEntriesThatFollow_atTheirOwnTime() {
    open(3, END_MS);
    apply(alerts(firing("late").in("late")), HOUR_MS);
    assertThat(in(IncidentState.RESOLVED)).isEqualTo(SETTLED + Fold.SETTLED_PER_ALERT / 2);
    assertThat(resolvedAt(END_MS)).isEqualTo(in(IncidentState.RESOLVED));
    assertThat(store.state().getFoldTimeMs()).isEqualTo(START_MS + HOUR_MS);
    assertThat(incident("late").getCreatedAtMs()).isEqualTo(START_MS + HOUR_MS);
    apply(LogEntries.tick(), HOUR_MS + 10);
    assertThat(resolvedAt(START_MS + HOUR_MS)).isEqualTo(SETTLED);
    assertThat(fold.dueMs()).hasValue(END_MS);
    apply(LogEntries.tick(), HOUR_MS + 20);
    assertThat(in(IncidentState.RESOLVED)).isEqualTo(INCIDENTS);
    assertThat(fold.dueMs().orElseThrow()).isGreaterThan(START_MS + HOUR_MS + 20);
  }

  @Test
  void condition_thatWasLeftAndIsSeenAgain_goesOn() {
    open(3, END_MS);
    apply(LogEntries.tick(), HOUR_MS);
    int last = IntStream.range(0, INCIDENTS).boxed().max(comparing(this::timer)).orElseThrow();
    Incident left = incident("g" + last);
    apply(alerts(firing("c" + last).in("g" + last)), HOUR_MS);
    for (int i = 0; i < 5; i++) {
      apply(LogEntries.tick(), HOUR_MS + 10);
    }
    assertThat(store.incident(left.getId()).getState()).isEqualTo(IncidentState.DETECTED);
    assertThat(in(IncidentState.RESOLVED)).isEqualTo(INCIDENTS - 1);
  }

  @Test
  void mutedCondition_whoseEndWasLeft_opensANewIncident() {
    open(3, END_MS);
    int last = IntStream.range(0, INCIDENTS).boxed().max(comparing(this::timer)).orElseThrow();
    Sighting alert = firing("c" + last).in("g" + last);
    Incident resolved = incident("g" + last);
    apply(LogEntries.of(Ask.move("r1", resolved, IncidentState.RESOLVED)), 1_000);
    apply(alerts(alert.firedAt(START_MS + HOUR_MS)), HOUR_MS);
    Incident next = incident("g" + last);
    assertThat(next.getId()).isNotEqualTo(resolved.getId());
    assertThat(next.getState()).isEqualTo(IncidentState.DETECTED);
    assertThat(store.state().getMuted()).isZero();
    assertThat(Log.timeline(store.incident(resolved.getId())))
        .endsWith(TimelineKind.ALERT_RESOLVED);
  }

  @Test
  void silence_thatShouldHaveBegun_hidesWhatOpens_andOneThatShouldHaveEndedDoesNot() {
    open(3, END_MS);
    Matcher source = Hush.source("s-late");
    apply(LogEntries.of(Hush.silence("r1", START_MS, END_MS + 1, source)), 0);
    apply(LogEntries.of(Hush.silence("r2", END_MS + 1, START_MS + 2 * HOUR_MS, source)), 0);
    apply(alerts(firing("late").in("late")), HOUR_MS);
    assertThat(store.silence(Hush.id("r1")).getPhase()).isEqualTo(SilencePhase.ACTIVE);
    assertThat(store.silence(Hush.id("r2")).getPhase()).isEqualTo(SilencePhase.PENDING);
    assertThat(incident("late").getSilencedBy()).isEqualTo(Hush.id("r2"));
    for (int i = 1; i <= 5; i++) {
      apply(LogEntries.tick(), HOUR_MS + i);
    }
    assertThat(store.silence(Hush.id("r1")).getPhase()).isEqualTo(SilencePhase.ENDED);
    assertThat(store.silence(Hush.id("r2")).getPhase()).isEqualTo(SilencePhase.ACTIVE);
    assertThat(incident("late").getSilencedBy()).isEqualTo(Hush.id("r2"));
    apply(LogEntries.tick(), 2 * HOUR_MS);
    assertThat(incident("late").getSilencedBy()).isNull();
  }

  @Test
  void alert_thatComesWhileSomethingIsLeft_isKnownForAsLongAsEver() {
    open(3, END_MS);
    Sighting late = firing("late").in("late").id("a1");
    apply(alerts(late), HOUR_MS);
    apply(LogEntries.tick(), HOUR_MS + 10);
    apply(alerts(late), 2 * HOUR_MS - 1);
    assertThat(store.state().getRedelivered()).isEqualTo(1);
  }

  @Test
  void entry_thatCannotBeAppliedSettlesAsMuch() {
    open(3, END_MS);
    fold.skip(offset++, START_MS + HOUR_MS);
    assertThat(in(IncidentState.RESOLVED)).isEqualTo(SETTLED);
    assertThat(store.state().getAppliedOffset()).isEqualTo(offset);
  }

  @Test
  void partition_ofTheEngineBefore_settlesAllAtOnce() {
    open(2, END_MS);
    apply(LogEntries.tick(), HOUR_MS);
    assertThat(in(IncidentState.RESOLVED)).isEqualTo(INCIDENTS);
    assertThat(store.state().getFoldTimeMs()).isEqualTo(START_MS + HOUR_MS);
  }

  /** A step looks at 500, which is 50, and changes as many. */
  @Test
  void silence_isWalkedAsFarAsItMayChange() {
    open(3, 0);
    long endMs = START_MS + 9 * HOUR_MS;
    Matcher all = Hush.source("s-g.*");
    apply(LogEntries.of(Hush.silence("r1", START_MS + 1_000, endMs, all)), 0);
    apply(LogEntries.tick(), HOUR_MS);
    assertThat(silenced()).isEqualTo(2 * Silences.STEP);
    apply(alerts(firing("new").in("g-new")), HOUR_MS + 1);
    assertThat(silenced()).isEqualTo(INCIDENTS + 1);
    assertThat(store.silence(Hush.id("r1")).getWalking()).isFalse();
  }

  private void open(int engineVersion, long endsAtMs) {
    LogEntry begins = LogEntries.of(new RulesActivated(DefaultRules.read()));
    begins.setEngineActivated(engineVersion);
    apply(begins, 0);
    Sighting[] alerts = new Sighting[INCIDENTS];
    for (int i = 0; i < INCIDENTS; i++) {
      alerts[i] = firing("c" + i).in("g" + i).endsAt(endsAtMs);
    }
    apply(alerts(alerts), 0);
    assertThat(in(IncidentState.DETECTED)).isEqualTo(INCIDENTS);
  }

  private static LogEntry alerts(Sighting... alerts) {
    return LogEntries.of(
        new Alerts(1, Stream.of(alerts).map(each -> each.alert(START_MS)).toList()));
  }

  private Timer timer(int number) {
    Sighting alert = firing("c" + number).in("g" + number);
    return new Timer(
        END_MS, Timer.Kind.CONDITION, Conditions.key(LoggedAlert.of(alert.alert(START_MS))));
  }

  private Incident incident(String group) {
    return store.incident(store.group(Sighting.key(group)).getIncident());
  }

  private long resolvedAt(long ms) {
    return store.incidents().stream().filter(each -> each.getResolvedAtMs() == ms).count();
  }

  private long silenced() {
    return store.incidents().stream().filter(each -> each.getSilencedBy() != null).count();
  }

  private void apply(LogEntry entry, long laterMs) {
    fold.apply(entry, offset++, START_MS + laterMs);
  }

  private long in(IncidentState state) {
    return store.incidents().stream().filter(incident -> incident.getState() == state).count();
  }
}
