package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.LoggedAlert;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Tally;
import dev.tocsin.schemas.TimelineEntry;
import dev.tocsin.schemas.TimelineKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * A partition of the log with the fold behind it, for tests: appends entries at a time that the
 * test moves, and holds the invariants after each.
 */
final class Log {
  /** The first entry's time: Fri 21 Nov 2025, 00:00 UTC. */
  static final long START_MS = 1_763_683_200_000L;

  final List<IncidentEvent> events = new ArrayList<>();
  BytesStore store = new BytesStore();
  private Fold fold = new Fold(store, events::add);
  private long offset;
  private long nowMs = START_MS;

  /** One that begins with version 1 of the default rules. */
  Log() {
    this(DefaultRules.read());
  }

  Log(Rules rules) {
    append(LogEntries.of(new RulesActivated(rules)));
  }

  long nowMs() {
    return nowMs;
  }

  /** The next entry's offset. */
  long offset() {
    return offset;
  }

  Log after(Duration more) {
    return at(nowMs + more.toMillis());
  }

  Log at(long ms) {
    nowMs = ms;
    return this;
  }

  /** One entry with these alerts. */
  Log send(Sighting... alerts) {
    return append(
        LogEntries.of(new Alerts(1, Stream.of(alerts).map(each -> each.alert(nowMs)).toList())));
  }

  Log sendRaw(Alert... alerts) {
    return append(LogEntries.of(new Alerts(1, List.of(alerts))));
  }

  Log tick() {
    return append(LogEntries.tick());
  }

  Log append(LogEntry entry) {
    fold.apply(entry, offset++, nowMs);
    Invariants.check(store);
    return this;
  }

  /** One entry with this command. */
  Log ask(Command command) {
    return append(LogEntries.of(command));
  }

  /** The outcome of a request of the workspace "w"; null if there is none. */
  Outcome outcome(String requestId) {
    return store.outcome(Outcomes.key("w", requestId));
  }

  /** From here on a partition of this version of the engine. */
  Log engine(int version) {
    LogEntry entry = LogEntries.tick();
    entry.setEngineActivated(version);
    return append(entry);
  }

  Log skip() {
    fold.skip(offset++, nowMs);
    Invariants.check(store);
    return this;
  }

  Fold fold() {
    return fold;
  }

  /** Ends, and goes on from what is left on disk. */
  Log restart() {
    store = store.restarted();
    fold = new Fold(store, events::add);
    return this;
  }

  PartitionState counts() {
    return store.state();
  }

  List<Incident> incidents() {
    return List.copyOf(store.incidents.all().values());
  }

  Incident only() {
    assertThat(store.incidents.size()).as("incidents").isEqualTo(1);
    return incidents().get(0);
  }

  /** The newest incident of a group. */
  Incident newest(String group) {
    return store.incident(store.group(Sighting.key(group)).getIncident());
  }

  Tally tally() {
    return store.tally(only().getId());
  }

  FingerprintState condition(String name) {
    return store.fingerprint(Conditions.key(LoggedAlert.of(Sighting.firing(name).alert(0))));
  }

  static List<TimelineKind> timeline(Incident incident) {
    return incident.getTimeline().stream().map(TimelineEntry::getKind).toList();
  }

  List<EventType> eventTypes() {
    return events.stream().map(IncidentEvent::getType).toList();
  }

  long timers(Timer.Kind kind) {
    return store.timers.stream().filter(timer -> timer.kind() == kind).count();
  }
}
