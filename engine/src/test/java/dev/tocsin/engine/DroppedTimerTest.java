package dev.tocsin.engine;

import static dev.tocsin.engine.Log.START_MS;
import static dev.tocsin.engine.Sighting.ended;
import static dev.tocsin.engine.Sighting.firing;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Timers that the engine fails on: what they were to bring about is all that is lost. */
class DroppedTimerTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration WINDOW = Duration.ofMinutes(1);

  private final MemoryStore memory = new MemoryStore();
  private final List<IncidentEvent> events = new ArrayList<>();
  private final Fold good = new Fold(memory, events::add);

  @Test
  void conditions_isSetByItsNextSighting() {
    good.apply(entry(firing("cpu").endsAt(START_MS + 10)), 0, START_MS);
    Fold bad = new Fold(damaged("fingerprint"), events::add);
    Timer timer = failsOn(bad, 1, START_MS + 10);
    assertThat(timer.kind()).isEqualTo(Timer.Kind.CONDITION);
    bad.drop(timer);
    bad.apply(entry(), 1, START_MS + 10);
    assertThat(memory.state().getAppliedOffset()).isEqualTo(2);
    assertThat(events).extracting(IncidentEvent::getType).containsOnly(EventType.CREATED);
    good.apply(entry(firing("cpu").endsAt(START_MS + 30)), 2, START_MS + 20);
    good.apply(entry(), 3, START_MS + 30);
    assertThat(events).extracting(IncidentEvent::getType).endsWith(EventType.RESOLVED);
  }

  @Test
  void tallys_isSetByTheNextRepeat() {
    Log log = new Log();
    log.send(firing("cpu")).send(firing("cpu"));
    log.fold().drop(new Timer(START_MS + SECOND.toMillis(), Timer.Kind.TALLY, log.only().getId()));
    assertThat(log.timers(Timer.Kind.TALLY)).isZero();
    log.send(firing("cpu")).after(SECOND).tick();
    assertThat(log.eventTypes()).containsExactly(EventType.CREATED, EventType.OCCURRED);
    assertThat(log.events.get(1).getOccurrences()).isEqualTo(3);
  }

  @Test
  void flappingIncidents_isSetByTheNextChange() {
    good.apply(LogEntries.of(new RulesActivated(FlappingTest.flapping(2, 3, WINDOW))), 0, START_MS);
    good.apply(entry(firing("cpu"), ended("cpu"), firing("cpu")), 1, START_MS);
    long laterMs = START_MS + WINDOW.toMillis();
    good.drop(new Timer(laterMs, Timer.Kind.FLAPPING, only().getId()));
    good.apply(entry(), 2, laterMs);
    assertThat(only().getFlapping()).as("nothing has ended it").isTrue();
    good.apply(entry(ended("cpu")), 3, laterMs);
    assertThat(only().getFlapping()).isTrue();
    good.apply(entry(), 4, laterMs + WINDOW.toMillis());
    assertThat(only().getFlapping()).isFalse();
    assertThat(only().getState()).isEqualTo(IncidentState.RESOLVED);
  }

  @Test
  void flappingIncidents_isSetByTheNextChangeWhereNoRuleAsksForItAnyMore() {
    good.apply(LogEntries.of(new RulesActivated(FlappingTest.flapping(2, 3, WINDOW))), 0, START_MS);
    good.apply(entry(firing("cpu"), ended("cpu"), firing("cpu")), 1, START_MS);
    good.drop(new Timer(START_MS + WINDOW.toMillis(), Timer.Kind.FLAPPING, only().getId()));
    Rules none = DefaultRules.read();
    none.setVersion(3);
    good.apply(LogEntries.of(new RulesActivated(none)), 2, START_MS);
    good.apply(entry(ended("cpu")), 3, START_MS);
    assertThat(only().getFlapping()).isTrue();
    good.apply(entry(), 4, START_MS + 1);
    assertThat(only().getState()).isEqualTo(IncidentState.RESOLVED);
  }

  private Incident only() {
    assertThat(memory.incidents()).hasSize(1);
    return memory.incidents().iterator().next();
  }

  /** The timer before the entry of that time. */
  private static Timer failsOn(Fold fold, long offset, long timeMs) {
    List<Timer> failed = new ArrayList<>();
    assertThatThrownBy(() -> fold.apply(entry(), offset, timeMs))
        .isInstanceOfSatisfying(
            Fold.EngineFailure.class, failure -> failure.timer().ifPresent(failed::add));
    assertThat(failed).hasSize(1);
    return failed.get(0);
  }

  /** The same store, of which one kind of record cannot be read. */
  private FoldStore damaged(String record) {
    return (FoldStore)
        Proxy.newProxyInstance(
            FoldStore.class.getClassLoader(),
            new Class<?>[] {FoldStore.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals(record)) {
                throw new IllegalStateException("damaged");
              }
              try {
                return method.invoke(memory, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }

  private static LogEntry entry(Sighting... alerts) {
    return LogEntries.of(
        new Alerts(1, Stream.of(alerts).map(each -> each.alert(START_MS)).toList()));
  }
}
