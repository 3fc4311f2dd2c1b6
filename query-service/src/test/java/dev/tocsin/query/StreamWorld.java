package dev.tocsin.query;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.state.SnapshotIncidentsResponse;
import dev.tocsin.runtime.IncidentMapper;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.GeneratedClasses;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Everything around a stream, simulated and stepped by a test in any order: owners whose state runs
 * ahead of what they have committed, the events topic with its retention and its offsets that are
 * no events, the tail, the catch-up readers, and threads that run when they are told to.
 */
final class StreamWorld {
  static final int PARTITIONS = 2;
  static final String WORKSPACE = "default";

  static {
    GeneratedClasses.trust();
  }

  private static final Codec<IncidentEvent> EVENTS = Codec.of(IncidentEvent.class);

  private static final List<Severity> SEVERITIES =
      List.of(Severity.P0, Severity.P1, Severity.P2, Severity.P3, Severity.P4);
  private static final List<IncidentState> STATES =
      List.of(
          IncidentState.DETECTED,
          IncidentState.TRIAGED,
          IncidentState.INVESTIGATING,
          IncidentState.REMEDIATING,
          IncidentState.RESOLVED,
          IncidentState.CLOSED);

  /** What an owner's state is at one moment. */
  record Owned(long applied, long sequence, Map<Key128, dev.tocsin.schemas.Incident> incidents) {}

  /** One log partition: its owner's state, and what of it has been published. */
  final class Partition {
    final int number;
    final Map<Key128, dev.tocsin.schemas.Incident> incidents = new TreeMap<>();
    final List<byte[]> uncommitted = new ArrayList<>();

    /** By offset; null is no event, but a transaction's end. */
    final List<byte[]> topic = new ArrayList<>();

    long begin;
    long sequence;
    long applied;

    /** Its owner before, which was cut off and has not noticed; null if there is none. */
    Owned zombie;

    Partition(int number) {
      this.number = number;
    }

    void change(int which, int how) {
      Key128 id = IncidentId.of(1_000 + which, number, which);
      dev.tocsin.schemas.Incident before = incidents.get(id);
      applied++;
      if (before != null && how % 7 == 0) {
        incidents.remove(id);
        publish(EventType.REMOVED, before, before);
        return;
      }
      dev.tocsin.schemas.Incident after = incident(id, which, how);
      incidents.put(id, after);
      publish(before == null ? EventType.CREATED : EventType.UPDATED, before, after);
    }

    private dev.tocsin.schemas.Incident incident(Key128 id, int which, int how) {
      return dev.tocsin.schemas.Incident.newBuilder()
          .setId(id)
          .setWorkspace(which % 5 == 4 ? "another" : WORKSPACE)
          .setGroup(id)
          .setRoute(number)
          .setTitle("t" + applied)
          .setSeverity(SEVERITIES.get(how % 5))
          .setType(IncidentType.APPLICATION)
          .setState(STATES.get(how % 6))
          .setSource(which % 2 == 0 ? "even" : "odd")
          .setCreatedAtMs(1_000)
          .setUpdatedAtMs(1_000 + applied)
          .setOpenedOffset(0)
          .setOpenedIndex(0)
          .setRulesVersion(1)
          .setRevision(applied)
          .setDistinctAlerts(1)
          .setActiveAlerts(1)
          .setInhibitedBy(how % 7 == 3 ? id : null)
          .build();
    }

    private void publish(
        EventType type, dev.tocsin.schemas.Incident before, dev.tocsin.schemas.Incident after) {
      sequence++;
      uncommitted.add(
          EVENTS.encode(
              IncidentEvent.newBuilder()
                  .setType(type)
                  .setLogOffset(applied)
                  .setSequence(sequence)
                  .setAtMs(1_000 + applied)
                  .setIncident(after)
                  .setOccurrences(1)
                  .setLastSeenMs(1)
                  .setStateBefore(before == null ? IncidentState.NONE : before.getState())
                  .setSeverityBefore(before == null ? Severity.UNSPECIFIED : before.getSeverity())
                  .setSuppressedBefore(before != null && before.getInhibitedBy() != null)
                  .build()));
    }

    /** One entry that changes several incidents at once. */
    void changeAlike(int count, int how) {
      for (int i = 0; i < count; i++) {
        change(i, how);
        applied--;
      }
      applied++;
    }

    void commit() {
      if (!uncommitted.isEmpty()) {
        topic.addAll(uncommitted);
        topic.add(null);
        uncommitted.clear();
      }
    }

    /**
     * Retention takes what is before; an owner that was cut off does not last as long as events.
     */
    void cut(long offset) {
      begin = Math.max(begin, offset);
      if (seed(Integer.MAX_VALUE).newest() == null) {
        zombie = null;
      }
    }

    Owned owned() {
      return new Owned(applied, sequence, new TreeMap<>(incidents));
    }

    /** What a service that starts finds before its end; at least the newest event. */
    EventSeed seed(int offsets) {
      long end = topic.size();
      long from = Math.max(begin, end - offsets);
      while (from > begin
          && topic.subList((int) from, (int) end).stream().allMatch(e -> e == null)) {
        from--;
      }
      List<EventItem> items = new ArrayList<>();
      for (long at = from; at < end; at++) {
        if (topic.get((int) at) != null) {
          items.add(new EventItem(number, at, topic.get((int) at)));
        }
      }
      EventItem newest = items.isEmpty() ? null : items.get(items.size() - 1);
      return new EventSeed(number, from, items, end, newest);
    }

    /** The tail reads some more. */
    void tail(int atMost) {
      EventRing ring = rings.of(number);
      long at = ring.end();
      for (int i = 0; i < atMost && at < topic.size(); i++, at++) {
        if (topic.get((int) at) != null) {
          rings.add(new EventItem(number, at, topic.get((int) at)));
        }
        ring.advance(at + 1);
      }
    }
  }

  final List<Partition> partitions = new ArrayList<>();
  EventRings rings;
  private final long ringWeightMax;

  /** Tasks of streams' threads, and what takes its time elsewhere. */
  final Deque<Runnable> tasks = new ArrayDeque<>();

  final Deque<Runnable> elsewhere = new ArrayDeque<>();
  boolean ownersAway;
  boolean kafkaAway;

  /** Runs what it is given when the test says so. */
  final ScheduledThreadPoolExecutor timer =
      new ScheduledThreadPoolExecutor(0) {
        @Override
        public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
          if (Duration.ofNanos(unit.toNanos(delay)).compareTo(SnapshotWalk.PAUSE) <= 0) {
            elsewhere.add(task);
          }
          return super.schedule(() -> {}, 1, TimeUnit.NANOSECONDS);
        }
      };

  StreamWorld(long ringWeightMax) {
    for (int i = 0; i < PARTITIONS; i++) {
      partitions.add(new Partition(i));
    }
    this.ringWeightMax = ringWeightMax;
    rings = new EventRings(new long[PARTITIONS], ringWeightMax);
  }

  /** Another instance of the service starts, and reads so much of each partition. */
  void restart(int offsets) {
    rings =
        EventRings.of(partitions.stream().map(each -> each.seed(offsets)).toList(), ringWeightMax);
  }

  OlderEvents older() {
    return new OlderEvents() {
      @Override
      public void read(int partition, long offset, Consumer<Answer> answer) {
        elsewhere.add(() -> answer.accept(older(partitions.get(partition), offset)));
      }

      @Override
      public void find(int partition, EventPosition told, Consumer<Answer> answer) {
        elsewhere.add(() -> answer.accept(search(partitions.get(partition), told)));
      }
    };
  }

  /** Step by step what the readers search for. */
  private OlderEvents.Answer search(Partition partition, EventPosition told) {
    if (kafkaAway) {
      return new OlderEvents.Answer.Away("simulated");
    }
    List<EventItem> items = partition.seed(Integer.MAX_VALUE).items();
    int before = 0;
    while (before < items.size()
        && items.get(before).event().orElseThrow().logOffset() < told.logOffset()) {
      before++;
    }
    long at = before == 0 ? partition.begin : items.get(before - 1).offset() + 1;
    return EventSearch.position(told, at, before > 0, items.subList(before, items.size()))
        .<OlderEvents.Answer>map(OlderEvents.Answer.At::new)
        .orElseGet(OlderEvents.Answer.Gone::new);
  }

  private OlderEvents.Answer older(Partition partition, long offset) {
    if (kafkaAway) {
      return new OlderEvents.Answer.Away("simulated");
    }
    if (offset < partition.begin || offset > partition.topic.size()) {
      return new OlderEvents.Answer.Gone();
    }
    List<EventItem> items = new ArrayList<>();
    long at = offset;
    for (; at < partition.topic.size() && items.size() < 3; at++) {
      if (partition.topic.get((int) at) != null) {
        items.add(new EventItem(partition.number, at, partition.topic.get((int) at)));
      }
    }
    return new OlderEvents.Answer.Found(items, at);
  }

  Snapshots.Reading open(int number, StreamFilter filter, Snapshots.Taker taker) {
    if (ownersAway) {
      taker.ended(Status.UNAVAILABLE);
      return new Reading(taker, new ArrayDeque<>(), Status.UNAVAILABLE);
    }
    Partition partition = partitions.get(number);
    Owned owned = partition.zombie == null ? partition.owned() : partition.zombie;
    Deque<SnapshotIncidentsResponse> parts = new ArrayDeque<>();
    SnapshotIncidentsResponse.Builder head =
        SnapshotIncidentsResponse.newBuilder()
            .setAppliedOffset(owned.applied() + 1)
            .setSequence(owned.sequence());
    parts.add(head.build());
    for (Incident each : list(number, owned, filter)) {
      parts.add(head.clone().addIncidents(each).build());
    }
    Reading reading = new Reading(taker, parts, Status.OK);
    reading.next();
    return reading;
  }

  private final class Reading implements Snapshots.Reading {
    private final Snapshots.Taker taker;
    private final Deque<SnapshotIncidentsResponse> parts;
    private Status end;

    Reading(Snapshots.Taker taker, Deque<SnapshotIncidentsResponse> parts, Status end) {
      this.taker = taker;
      this.parts = parts;
      this.end = end;
    }

    @Override
    public void next() {
      elsewhere.add(
          () -> {
            if (end == null) {
              return;
            }
            if (ownersAway) {
              taker.ended(Status.UNAVAILABLE);
              end = null;
              return;
            }
            if (!parts.isEmpty()) {
              taker.part(parts.poll());
            }
            if (parts.isEmpty()) {
              taker.ended(end);
              end = null;
            }
          });
    }

    @Override
    public void cancel() {
      end = null;
    }
  }

  /** What a list of everything shows. */
  Map<String, Incident> list(StreamFilter filter) {
    Map<String, Incident> all = new TreeMap<>();
    for (Partition partition : partitions) {
      list(partition.number, partition.owned(), filter)
          .forEach(each -> all.put(each.getId(), each));
    }
    return all;
  }

  private static List<Incident> list(int number, Owned owned, StreamFilter filter) {
    return owned.incidents().values().stream()
        .filter(each -> each.getWorkspace().equals(filter.workspace()))
        .map(
            each ->
                IncidentMapper.toProto(
                    each, Tally.newBuilder().setOccurrences(1).setLastSeenMs(1).build(), number))
        .filter(each -> matches(filter, each))
        .toList();
  }

  /** Written anew, so that the filter itself is tested. */
  private static boolean matches(StreamFilter filter, Incident each) {
    int least = filter.minSeverity().getNumber();
    boolean hidden = !each.getInhibitedBy().isEmpty() || !each.getSilencedBy().isEmpty();
    return (filter.includeSuppressed() || !hidden)
        && (filter.states().isEmpty() || filter.states().contains(each.getState()))
        && (least == 0 || each.getSeverity().getNumber() <= least)
        && (filter.source().isEmpty() || filter.source().equals(each.getSource()));
  }

  /** Runs one step of whatever waits; false if nothing does. */
  boolean step(boolean threadsFirst) {
    Deque<Runnable> first = threadsFirst ? tasks : elsewhere;
    Deque<Runnable> second = threadsFirst ? elsewhere : tasks;
    Optional<Runnable> next = Optional.ofNullable(first.isEmpty() ? second.poll() : first.poll());
    next.ifPresent(Runnable::run);
    return next.isPresent();
  }
}
