package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.DigestSum;
import dev.tocsin.engine.Fold;
import dev.tocsin.engine.FoldStore;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.engine.Timer;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.RulesActivated;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a fold may rely on, whatever its store is: nothing that it does tells one from another. */
interface FoldStoreContract {
  /** The store under test, as it is now. */
  FoldStore store();

  /** Ends it, and opens another over what it left. */
  void reopen();

  /** Writes what waits in memory, where there is such a thing. */
  void flush();

  /** Over all that it holds. */
  DigestSum digest();

  @Test
  default void store_beginsEmpty() {
    assertThat(store().firstTimer()).isEmpty();
    assertThat(store().state()).isEqualTo(new MemoryStore().state());
    assertThat(store().rules()).isEqualTo(new MemoryStore().rules());
    assertThat(digest().incidents()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"11, 1", "13, 2", "17, 3", "18, 3"})
  default void fold_comesToTheSameAsInTheHeap(long seed, int engineVersion) {
    World world = new World(seed, engineVersion);
    Random random = new Random(seed);
    MemoryStore model = new MemoryStore();
    List<IncidentEvent> expected = new ArrayList<>();
    List<IncidentEvent> events = new ArrayList<>();
    int hidden = 0;
    int flapping = 0;
    int silenced = 0;
    Fold modelFold = new Fold(model, expected::add);
    Fold fold = new Fold(store(), events::add);
    int outcomesMax = 0;
    for (int offset = 0; offset < 1_000; offset++) {
      World.Entry next = world.next();
      modelFold.apply(next.entry(), offset, next.atMs());
      fold.apply(next.entry(), offset, next.atMs());
      int what = random.nextInt(100);
      if (what < 5) {
        flush();
      } else if (what < 7) {
        flush();
        reopen();
        fold = new Fold(store(), events::add);
      }
      assertThat(store().firstTimer()).isEqualTo(model.firstTimer());
      assertThat(store().state()).isEqualTo(model.state());
      if (offset % 250 == 0) {
        assertSame(model);
      }
      if (offset % 10 == 0) {
        assertSameOutcomes(world, model);
        outcomesMax = Math.max(outcomesMax, model.state().getOutcomes());
        for (Incident incident : model.incidents()) {
          hidden += incident.getInhibitedBy() != null ? 1 : 0;
          flapping += incident.getFlapping() ? 1 : 0;
          silenced += incident.getSilencedBy() != null ? 1 : 0;
          assertThat(store().openIncidents("w", incident.getId(), 3))
              .isEqualTo(model.openIncidents("w", incident.getId(), 3));
        }
      }
    }
    assertSame(model);
    assertThat(outcomesMax).as("the world has outcomes, up to their bound").isEqualTo(12);
    assertThat(events).isEqualTo(expected);
    assertThat(model.state().getRedelivered()).as("the world has redeliveries").isPositive();
    assertThat(model.state().getMuted()).as("and muted alerts").isPositive();
    assertThat(hidden).as("and hidden incidents").isPositive();
    assertThat(flapping).as("and flapping ones").isPositive();
    assertThat(silenced).as("and silenced ones").isPositive();
    assertThat(model.state().getOpened()).isGreaterThan(model.incidents().size());
  }

  /** More timers of conditions and of tallies at once than an entry settles: it stops in either. */
  @Test
  default void fold_thatStopsInTheMidstOfAMoment_goesOnFromThere() {
    int incidents = 900;
    long momentMs = World.START_MS + 1_000;
    LogEntry begins = LogEntries.of(new RulesActivated(DefaultRules.read()));
    begins.setEngineActivated(3);
    MemoryStore model = new MemoryStore();
    List<IncidentEvent> expected = new ArrayList<>();
    List<IncidentEvent> events = new ArrayList<>();
    List<Timer.Kind> left = new ArrayList<>();
    Fold modelFold = new Fold(model, expected::add);
    List<World.Entry> entries =
        List.of(
            new World.Entry(begins, World.START_MS),
            new World.Entry(endingAt(momentMs, "first", incidents), World.START_MS),
            new World.Entry(endingAt(momentMs, "again", incidents), World.START_MS + 1),
            new World.Entry(LogEntries.tick(), momentMs + 60_000),
            new World.Entry(LogEntries.tick(), momentMs + 61_000),
            new World.Entry(LogEntries.tick(), momentMs + 62_000));
    for (int offset = 0; offset < entries.size(); offset++) {
      World.Entry next = entries.get(offset);
      modelFold.apply(next.entry(), offset, next.atMs());
      new Fold(store(), events::add).apply(next.entry(), offset, next.atMs());
      flush();
      reopen();
      assertThat(store().firstTimer()).isEqualTo(model.firstTimer());
      assertThat(store().state()).isEqualTo(model.state());
      model.firstTimer().filter(due(next)).ifPresent(timer -> left.add(timer.kind()));
    }
    assertThat(left).containsExactly(Timer.Kind.CONDITION, Timer.Kind.TALLY);
    assertThat(model.firstTimer().orElseThrow().dueMs()).isGreaterThan(momentMs + 62_000);
    assertThat(events).isEqualTo(expected);
    assertThat(digest().exact()).isEqualTo(model.digest().exact());
  }

  private static Predicate<Timer> due(World.Entry entry) {
    return timer -> timer.dueMs() <= entry.atMs();
  }

  private static LogEntry endingAt(long endsAtMs, String ids, int incidents) {
    List<Alert> alerts = new ArrayList<>();
    for (int i = 0; i < incidents; i++) {
      Alert alert = TestLog.alert(ids + i, "service-" + i, "down");
      alert.setFiredAtMs(World.START_MS);
      alert.setEndsAtMs(endsAtMs);
      alerts.add(alert);
    }
    return LogEntries.of(new Alerts(1, alerts));
  }

  private void assertSameOutcomes(World world, MemoryStore model) {
    for (Key128 request : world.requests()) {
      assertThat(store().outcome(request)).isEqualTo(model.outcome(request));
    }
  }

  private void assertSame(MemoryStore model) {
    DigestSum digest = digest();
    assertThat(digest.incidents()).isEqualTo(model.digest().incidents());
    assertThat(digest.content()).isEqualTo(model.digest().content());
    assertThat(digest.exact()).isEqualTo(model.digest().exact());
    assertThat(store().rules()).isEqualTo(model.rules());
    model
        .incidents()
        .forEach(
            incident -> {
              assertThat(store().incident(incident.getId())).isEqualTo(incident);
              assertThat(store().tally(incident.getId())).isEqualTo(model.tally(incident.getId()));
              assertThat(store().group(incident.getGroup()))
                  .isEqualTo(model.group(incident.getGroup()));
            });
  }
}
