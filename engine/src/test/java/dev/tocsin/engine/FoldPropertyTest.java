package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.engine.World.Item;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.AlertsEntry;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.TimelineEntry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** What must hold for any log. */
class FoldPropertyTest {
  private static final int TRIES = 100;
  private static final int SIZE_MAX = 40;
  private static final Long[] CROWDED = {0L, 0L, 0L, 0L, 1L, 300L, 10_000L, 300_001L};
  private static final Codec<LogEntry> ENTRIES = Codec.of(LogEntry.class);
  private static final Key128 NO_ID = new Key128(new byte[16]);

  /** What a fold came to. */
  private record Outcome(BytesStore store, List<IncidentEvent> events) {
    String exact() {
      return store.digest().exact();
    }

    String content() {
      return store.digest().content();
    }

    /** Incidents without what tells where on the log they came from. */
    List<String> unplaced() {
      List<String> found = new ArrayList<>();
      store
          .incidents
          .all()
          .forEach((id, incident) -> found.add(withoutPlace(incident) + " " + store.tally(id)));
      found.sort(null);
      return found;
    }

    List<String> unplacedEvents() {
      return events.stream()
          .map(
              event -> {
                IncidentEvent copy = Copies.of(event);
                copy.setLogOffset(0);
                copy.setIncident(withoutPlace(event.getIncident()));
                return copy.toString();
              })
          .toList();
    }

    PartitionState counts() {
      PartitionState counts = store.state();
      counts.setAppliedOffset(0);
      return counts;
    }
  }

  @Provide
  static Arbitrary<List<Item>> worlds() {
    return ruled(
        Arbitraries.oneOf(
            World.items(SIZE_MAX, World.LONG_AND_SHORT),
            World.steered(SIZE_MAX, World.LONG_AND_SHORT),
            World.hushed(SIZE_MAX, World.LONG_AND_SHORT)));
  }

  /** Half of them under rules that say more than the default ones. */
  private static Arbitrary<List<Item>> ruled(Arbitrary<List<Item>> worlds) {
    return Arbitraries.oneOf(
        worlds,
        worlds.map(world -> World.under(World.hiding(World.twitchy(DefaultRules.read())), world)));
  }

  @Provide
  static Arbitrary<List<Item>> crowdedWorlds() {
    return World.items(SIZE_MAX, CROWDED);
  }

  @Provide
  static Arbitrary<List<Item>> steeredCrowds() {
    return ruled(
        Arbitraries.oneOf(
            World.items(SIZE_MAX, CROWDED),
            World.steered(SIZE_MAX, CROWDED),
            World.hushed(SIZE_MAX, CROWDED)));
  }

  @Property(tries = TRIES)
  void foldingTwice_comesToTheSame(@ForAll("worlds") List<Item> world) {
    Outcome once = fold(world);
    Outcome again = fold(world);
    assertSame(once, again);
    MemoryStore memory = new MemoryStore();
    List<IncidentEvent> events = new ArrayList<>();
    Fold fold = new Fold(memory, events::add);
    for (int offset = 0; offset < world.size(); offset++) {
      Item item = world.get(offset);
      apply(fold, ENTRIES.encode(item.on(memory.incidents())), offset, item.timeMs());
    }
    assertThat(memory.digest().exact()).isEqualTo(once.exact());
    assertThat(events).isEqualTo(once.events());
    assertThat(memory.state()).isEqualTo(once.store().state());
  }

  /**
   * Each entry settles one thing or a few: what holds always holds meanwhile, and all is settled.
   */
  @Property(tries = TRIES)
  void settlingLate_leavesNothing(
      @ForAll("worlds") List<Item> world, @ForAll @IntRange(min = 1, max = 3) int settledMax) {
    BytesStore store = new BytesStore();
    Fold fold = new Fold(store, event -> {}, settledMax, 0);
    LogEntry begins = LogEntries.tick();
    begins.setEngineActivated(Fold.ENGINE_VERSION);
    long offset = 0;
    fold.apply(begins, offset++, Log.START_MS);
    for (Item item : world) {
      fold.apply(item.on(store.incidents.all().values()), offset++, item.timeMs());
      Invariants.check(store);
    }
    long nowMs = store.state().getFoldTimeMs();
    long due = store.timers.stream().filter(timer -> timer.dueMs() <= nowMs).count();
    for (long ticks = 0; fold.dueMs().orElse(Long.MAX_VALUE) <= nowMs; ticks++) {
      assertThat(ticks).isLessThan(10 * due + 10);
      fold.apply(LogEntries.tick(), offset++, nowMs);
      Invariants.check(store);
    }
  }

  @Property(tries = TRIES)
  void cuttingIntoEntries_changesNothingButPlaces(
      @ForAll("steeredCrowds") List<Item> world, @ForAll Random random) {
    Outcome single = fold(world);
    Outcome cut = fold(cut(world, random));
    assertThat(cut.content()).isEqualTo(single.content());
    assertSameButPlaces(cut, single);
  }

  @Property(tries = TRIES)
  void orderAmongGroups_changesNoContent(
      @ForAll("crowdedWorlds") List<Item> world, @ForAll boolean twitchy, @ForAll Random random) {
    Rules rules = twitchy ? World.twitchy(DefaultRules.read()) : DefaultRules.read();
    Outcome ordered = fold(World.under(rules, world));
    Outcome shuffled = fold(World.under(rules, interleaved(world, random)));
    assertThat(shuffled.content()).isEqualTo(ordered.content());
    assertThat(shuffled.unplaced()).isEqualTo(ordered.unplaced());
    assertThat(shuffled.counts()).isEqualTo(ordered.counts());
  }

  @Property(tries = TRIES)
  void redelivery_changesNoIncident(@ForAll("worlds") List<Item> world, @ForAll Random random) {
    List<Item> ticked = new ArrayList<>();
    Map<Integer, Integer> again = new HashMap<>(); // where a tick is, and what could be there
    Map<Object, Integer> first = new LinkedHashMap<>();
    for (Item item : World.monotonic(world)) {
      Object request = request(item);
      Integer known = request == null ? null : first.get(request);
      if (request != null && (known == null || !within(ticked.get(known), item))) {
        first.put(request, ticked.size());
      }
      ticked.add(item);
      for (int earlier : first.values()) {
        if (within(ticked.get(earlier), item) && random.nextInt(3) == 0) {
          again.put(ticked.size(), earlier);
          ticked.add(Item.tick(item.timeMs()));
        }
      }
    }
    List<LogEntry> appended = new ArrayList<>();
    Outcome without = fold(ticked, appended);
    List<Item> redelivered = new ArrayList<>();
    for (int at = 0; at < ticked.size(); at++) {
      redelivered.add(new Item(ticked.get(at).timeMs(), appended.get(again.getOrDefault(at, at))));
    }
    Outcome with = fold(redelivered);
    long count = again.values().stream().filter(at -> ticked.get(at).isAlert()).count();
    assertThat(with.exact()).isEqualTo(without.exact());
    assertThat(with.events()).isEqualTo(without.events());
    assertThat(with.store().outcomes.all()).isEqualTo(without.store().outcomes.all());
    assertThat(with.store().state().getRedelivered())
        .isEqualTo(without.store().state().getRedelivered() + count);
  }

  /** What a redelivery of it is recognized by; null if nothing. */
  private static Object request(Item item) {
    if (item.isAlert()) {
      return item.alert().getReceipt();
    }
    Command command = item.entry().getCommand();
    return command == null ? null : Outcomes.key(command.getWorkspace(), command.getRequestId());
  }

  private static boolean within(Item first, Item later) {
    Rules rules = DefaultRules.read();
    long windowMs = first.isAlert() ? rules.getReceiptWindowMs() : rules.getOutcomeWindowMs();
    return later.timeMs() - first.timeMs() < windowMs;
  }

  @Property(tries = TRIES)
  void ticks_changeNothingButPlaces(@ForAll("worlds") List<Item> world, @ForAll Random random) {
    List<Item> steered = tickBeforeCommands(world);
    List<Item> ticked = new ArrayList<>();
    long foldMs = 0;
    for (Item item : World.monotonic(steered)) {
      while (random.nextBoolean()) {
        long tickMs = foldMs + (long) (random.nextDouble() * (item.timeMs() - foldMs));
        ticked.add(Item.tick(random.nextInt(5) == 0 ? tickMs - 100_000 : tickMs));
        foldMs = Math.max(foldMs, tickMs);
      }
      ticked.add(item);
      foldMs = item.timeMs();
    }
    assertSameButPlaces(fold(ticked), fold(steered));
  }

  /**
   * Which incident a command is about depends on which there are when it is appended: what is due
   * by then has to have gone, with other ticks as well as without.
   */
  private static List<Item> tickBeforeCommands(List<Item> world) {
    List<Item> steered = new ArrayList<>();
    for (Item item : world) {
      if (!item.isAlert()) {
        steered.add(Item.tick(item.timeMs()));
      }
      steered.add(item);
    }
    return steered;
  }

  @Property(tries = TRIES)
  void stoppingAndGoingOn_changesNothing(
      @ForAll("worlds") List<Item> world, @ForAll Random random) {
    Log stopping = new Log();
    Log steady = new Log();
    for (Item item : world) {
      if (random.nextInt(3) == 0) {
        stopping.restart();
      }
      stopping.at(item.timeMs()).append(item.on(stopping.incidents()));
      steady.at(item.timeMs()).append(item.on(steady.incidents()));
    }
    assertSame(
        new Outcome(stopping.store, stopping.events), new Outcome(steady.store, steady.events));
  }

  @Property(tries = TRIES)
  void newRules_inBetween_areHeldToo(@ForAll("worlds") List<Item> world, @ForAll Random random) {
    List<Item> items = new ArrayList<>();
    int version = 0;
    for (Item item : world) {
      if (random.nextInt(6) == 0) {
        var rules = random.nextBoolean() ? World.brisk(++version) : DefaultRules.read();
        rules.setVersion(version);
        items.add(Item.rules(item.timeMs(), rules));
      }
      items.add(item);
    }
    Outcome once = fold(items);
    assertSame(once, fold(items));
    assertThat(once.counts().getAlerts()).isEqualTo(alerts(world));
    long lastMs = World.monotonic(world).get(world.size() - 1).timeMs();
    var roomy = DefaultRules.read();
    roomy.setVersion(version + 1);
    items.add(Item.rules(lastMs, roomy));
    items.addAll(World.resolveAll(lastMs, world.size()));
    items.add(Item.tick(lastMs + FAR_MS));
    BytesStore end = fold(items).store();
    assertThat(end.timers).isEmpty();
    assertThat(end.incidents.size() + end.conditions.size() + end.groups.size()).isZero();
    assertThat(end.outcomes.size()).isZero();
  }

  private static final long FAR_MS = 400L * 24 * 3600 * 1000;

  @Property(tries = TRIES)
  void invariants_holdAfterEveryEntry_andAllLeavesInTheEnd(
      @ForAll("worlds") List<Item> world, @ForAll boolean brisk, @ForAll boolean twitchy) {
    Rules rules = brisk ? World.brisk(1) : DefaultRules.read();
    Log log = new Log(twitchy ? World.hiding(World.twitchy(rules)) : rules).engine(2);
    world.forEach(item -> log.at(item.timeMs()).append(item.on(log.incidents())));
    assertThat(log.counts().getAlerts()).isEqualTo(alerts(world));
    log.at(log.counts().getFoldTimeMs() + 5000).tick();
    log.store
        .tallies
        .all()
        .values()
        .forEach(
            tally ->
                assertThat(tally.getPublishedOccurrences())
                    .as("the last value is published")
                    .isEqualTo(tally.getOccurrences()));
    if (log.counts().getOutcomes() > 0) {
      log.at(log.counts().getFoldTimeMs() + 3_600_000).tick();
    }
    World.resolveAll(log.counts().getFoldTimeMs(), world.size()).stream()
        .limit(log.store.rules().getOutcomesMax())
        .forEach(item -> log.append(item.on(log.incidents())));
    log.at(log.counts().getFoldTimeMs() + FAR_MS).tick();
    assertThat(log.store.timers).isEmpty();
    assertThat(log.counts().getOutcomes()).isZero();
    assertThat(log.incidents()).isEmpty();
    assertThat(log.store.conditions.size() + log.store.groups.size()).isZero();
    assertThat(log.store.inhibitions.size()).isZero();
    events(log.events);
  }

  private static long alerts(List<Item> world) {
    return world.stream().filter(Item::isAlert).count();
  }

  /** Each incident's events are a life: one revision on at each change, repeats not too often. */
  private static void events(List<IncidentEvent> events) {
    Map<Key128, IncidentEvent> last = new HashMap<>();
    Map<Key128, Long> repeatedAt = new HashMap<>();
    Set<Key128> closed = new HashSet<>();
    Map<Key128, Incident> whole = new HashMap<>();
    Set<Key128> removed = new HashSet<>();
    long sequence = 0;
    long timeMs = 0;
    for (IncidentEvent event : events) {
      Key128 id = event.getIncident().getId();
      assertThat(event.getSequence()).isEqualTo(++sequence);
      assertThat(event.getAtMs()).isGreaterThanOrEqualTo(timeMs);
      timeMs = event.getAtMs();
      IncidentEvent before = last.put(id, event);
      assertThat(before == null).isEqualTo(event.getType() == EventType.CREATED);
      assertThat(removed).as("nothing comes after it has left").doesNotContain(id);
      if (closed.contains(id)) {
        assertThat(event.getIncident().getState()).isEqualTo(IncidentState.CLOSED);
      }
      assertThat(event.getStateBefore())
          .isEqualTo(before == null ? IncidentState.NONE : before.getIncident().getState());
      assertThat(event.getSeverityBefore())
          .isEqualTo(before == null ? Severity.UNSPECIFIED : before.getIncident().getSeverity());
      assertThat(event.getSuppressedBefore())
          .isEqualTo(before != null && Lifecycle.isSuppressed(before.getIncident()));
      long revision = before == null ? 0 : before.getIncident().getRevision();
      if (event.getType() == EventType.OCCURRED) {
        if (event.getIncident().getFlapping()) {
          assertThat(withoutAlerts(event.getIncident())).isEqualTo(withoutAlerts(whole.get(id)));
          assertThat(event.getOccurrences()).isGreaterThanOrEqualTo(before.getOccurrences());
        } else {
          assertThat(event.getIncident().getRevision()).isEqualTo(revision);
          assertThat(event.getOccurrences()).isGreaterThan(before.getOccurrences());
        }
        Long earlier = repeatedAt.put(id, timeMs);
        assertThat(earlier == null || timeMs - earlier >= 1000).isTrue();
      } else if (event.getType() == EventType.REMOVED) {
        assertThat(event.getIncident()).isEqualTo(whole.get(id));
        removed.add(id);
      } else {
        assertThat(event.getIncident().getRevision()).isEqualTo(revision + 1);
        if (event.getType() == EventType.CLOSED) {
          closed.add(id);
        }
        whole.put(id, event.getIncident());
      }
    }
    assertThat(closed).as("each is closed in the end").isEqualTo(last.keySet());
    assertThat(removed).as("and leaves").isEqualTo(closed);
  }

  private static Incident withoutAlerts(Incident incident) {
    Incident copy = Copies.of(incident);
    copy.setActiveAlerts(0);
    copy.setDistinctAlerts(0);
    copy.setAlerts(List.of());
    return copy;
  }

  private static Outcome fold(List<Item> items) {
    return fold(items, new ArrayList<>());
  }

  /** As it comes from the log: of alerts, no more is read than they are asked for. */
  private static void apply(Fold fold, byte[] entry, long offset, long timeMs) {
    AlertsEntry.read(entry)
        .ifPresentOrElse(
            alerts -> fold.apply(alerts, offset, timeMs),
            () -> fold.apply(ENTRIES.decode(entry), offset, timeMs));
  }

  /** Folds, and tells what was appended. */
  private static Outcome fold(List<Item> items, List<LogEntry> appended) {
    BytesStore store = new BytesStore();
    List<IncidentEvent> events = new ArrayList<>();
    Fold fold = new Fold(store, events::add);
    for (int offset = 0; offset < items.size(); offset++) {
      appended.add(items.get(offset).on(store.incidents.all().values()));
      fold.apply(appended.get(offset), offset, items.get(offset).timeMs());
    }
    return new Outcome(store, events);
  }

  private static void assertSame(Outcome one, Outcome other) {
    assertThat(one.exact()).isEqualTo(other.exact());
    assertThat(one.content()).isEqualTo(other.content());
    assertThat(one.events()).isEqualTo(other.events());
    assertThat(one.store().state()).isEqualTo(other.store().state());
    assertThat(one.store().timers).isEqualTo(other.store().timers);
    assertThat(one.store().conditions.all()).isEqualTo(other.store().conditions.all());
    assertThat(one.store().outcomes.all()).isEqualTo(other.store().outcomes.all());
    assertThat(one.store().inhibitions.all()).isEqualTo(other.store().inhibitions.all());
    assertThat(one.store().silences.all()).isEqualTo(other.store().silences.all());
  }

  private static void assertSameButPlaces(Outcome one, Outcome other) {
    assertThat(one.unplaced()).isEqualTo(other.unplaced());
    assertThat(one.unplacedEvents()).isEqualTo(other.unplacedEvents());
    assertThat(one.counts()).isEqualTo(other.counts());
  }

  private static Incident withoutPlace(Incident incident) {
    Incident copy = Copies.of(incident);
    copy.setId(NO_ID);
    copy.setOpenedOffset(0);
    copy.setOpenedIndex(0);
    copy.setInhibitedBy(incident.getInhibitedBy() == null ? null : NO_ID);
    copy.setMergedInto(incident.getMergedInto() == null ? null : NO_ID);
    copy.setMergedFrom(incident.getMergedFrom().stream().map(any -> NO_ID).toList());
    copy.setTimeline(
        incident.getTimeline().stream()
            .map(
                line ->
                    new TimelineEntry(
                        line.getAtMs(),
                        line.getKind(),
                        line.getOffset() < 0 ? -1L : 0L,
                        0,
                        line.getText(),
                        line.getActor()))
            .toList());
    return copy;
  }

  /**
   * The same alerts at the same times, some that follow one another at one time in one entry.
   * Commands stay where they are.
   */
  private static List<Item> cut(List<Item> world, Random random) {
    List<Item> entries = new ArrayList<>();
    List<Alert> open = new ArrayList<>();
    for (int i = 0; i < world.size(); i++) {
      if (!world.get(i).isAlert()) {
        entries.add(world.get(i));
        continue;
      }
      open.add(world.get(i).alert());
      boolean last =
          i + 1 == world.size()
              || world.get(i + 1).timeMs() != world.get(i).timeMs()
              || !world.get(i + 1).isAlert();
      if (last || random.nextInt(3) == 0) {
        entries.add(Item.of(world.get(i).timeMs(), List.copyOf(open)));
        open.clear();
      }
    }
    return entries;
  }

  /** The same entries, each at its time, those of one time and different groups in any order. */
  private static List<Item> interleaved(List<Item> world, Random random) {
    List<Item> left = new ArrayList<>(world);
    List<Item> result = new ArrayList<>();
    while (!left.isEmpty()) {
      List<Integer> next = new ArrayList<>();
      Set<Key128> groups = new HashSet<>();
      for (int i = 0; i < left.size() && left.get(i).timeMs() == left.get(0).timeMs(); i++) {
        if (groups.add(left.get(i).alert().getGroup())) {
          next.add(i);
        }
      }
      result.add(left.remove((int) next.get(random.nextInt(next.size()))));
    }
    return result;
  }

  @Property(tries = 20)
  void entriesCut_holdTheSameAlerts(
      @ForAll("crowdedWorlds") List<Item> world, @ForAll Random random) {
    List<Alert> cut =
        cut(world, random).stream()
            .flatMap(item -> ((Alerts) item.entry().getPayload()).getAlerts().stream())
            .toList();
    assertThat(cut).isEqualTo(world.stream().map(Item::alert).toList());
    assertThat(interleaved(world, random)).containsExactlyInAnyOrderElementsOf(world);
  }
}
