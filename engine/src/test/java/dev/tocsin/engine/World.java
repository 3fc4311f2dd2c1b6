package dev.tocsin.engine;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/**
 * Small worlds for properties: three groups, three conditions, a handful of ids, so that everything
 * meets everything; and times that stand still, jump by milliseconds to weeks, or go back.
 */
final class World {
  /** An entry of the log. */
  record Item(long timeMs, LogEntry entry) {
    static Item of(long timeMs, List<Alert> alerts) {
      return new Item(timeMs, LogEntries.of(new Alerts(1, alerts)));
    }

    static Item tick(long timeMs) {
      return new Item(timeMs, LogEntries.tick());
    }

    static Item rules(long timeMs, Rules rules) {
      return new Item(timeMs, LogEntries.of(new RulesActivated(rules)));
    }

    Alert alert() {
      return ((Alerts) entry.getPayload()).getAlerts().get(0);
    }
  }

  /** An alert, so long after the one before it; 0 for ends means open-ended. */
  record Step(long afterMs, Sighting alert, long firedBeforeMs, long endsInMs) {
    Item at(long nowMs) {
      Sighting timed = alert.firedAt(nowMs - firedBeforeMs);
      return Item.of(
          nowMs, List.of((endsInMs == 0 ? timed : timed.endsAt(nowMs + endsInMs)).alert(nowMs)));
    }
  }

  private static final long SECOND = 1000;
  private static final long MINUTE = 60 * SECOND;
  private static final long HOUR = 60 * MINUTE;
  private static final long DAY = 24 * HOUR;

  static final Long[] LONG_AND_SHORT = {
    0L,
    0L,
    0L,
    1L,
    300L,
    SECOND,
    20 * SECOND,
    4 * MINUTE,
    6 * MINUTE,
    50 * MINUTE,
    20 * HOUR,
    DAY,
    8 * DAY,
    35 * DAY,
    -1L,
    -MINUTE,
    -2 * DAY
  };

  private World() {}

  /** Worlds of up to {@code sizeMax} alerts, one an entry; times move by one of {@code jumps}. */
  static Arbitrary<List<Item>> items(int sizeMax, Long... jumps) {
    return step(jumps).list().ofMinSize(1).ofMaxSize(sizeMax).map(World::items);
  }

  private static Arbitrary<Step> step(Long... jumps) {
    Arbitrary<Sighting> alert =
        Combinators.combine(
                Arbitraries.of("a", "b", "c"),
                Arbitraries.of("g1", "g2", "g3"),
                Arbitraries.of(AlertStatus.FIRING, AlertStatus.FIRING, AlertStatus.ENDED),
                Arbitraries.of(Severity.P0, Severity.P2, Severity.P3, Severity.P4),
                Arbitraries.of("", "", "i1", "i2", "i3", "i4"))
            .as(
                (condition, group, status, severity, id) ->
                    new Sighting(condition, group, status, severity, id, "", -1, 0));
    return Combinators.combine(
            Arbitraries.of(jumps),
            alert,
            Arbitraries.of(0L, 0L, SECOND, MINUTE, HOUR, -HOUR),
            Arbitraries.of(0L, 0L, 0L, 10 * SECOND, 10 * MINUTE, 2 * DAY, -SECOND))
        .as(Step::new);
  }

  private static List<Item> items(List<Step> steps) {
    List<Item> items = new ArrayList<>();
    long nowMs = Log.START_MS;
    for (Step step : steps) {
      nowMs += step.afterMs();
      items.add(step.at(nowMs));
    }
    return items;
  }

  /** The same with the time of each no less than of the one before: as the fold takes them. */
  static List<Item> monotonic(List<Item> items) {
    List<Item> result = new ArrayList<>();
    long nowMs = 0;
    for (Item item : items) {
      nowMs = Math.max(nowMs, item.timeMs());
      result.add(new Item(nowMs, item.entry()));
    }
    return result;
  }

  /** Rules under which a lot happens in a minute. */
  static Rules brisk(int version) {
    Rules rules = DefaultRules.read();
    rules.setVersion(version);
    rules.setReopenWindowMs(Duration.ofSeconds(30).toMillis());
    rules.setAutoResolveAfterMs(Duration.ofMinutes(10).toMillis());
    rules.setReceiptWindowMs(Duration.ofMinutes(10).toMillis());
    rules.setCloseAfterMs(Duration.ofMinutes(5).toMillis());
    rules.setRetentionMs(Duration.ofMinutes(30).toMillis());
    rules.setTimelineMax(4);
    rules.setAlertsMax(2);
    return rules;
  }
}
