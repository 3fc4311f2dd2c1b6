package dev.tocsin.chaos;

import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.proto.alerts.Position;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Codec.UndecodableException;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.LogEntry;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * One partition of the log, folded once more in the heap, and on the way compared with what acks
 * said of it. Not thread-safe.
 */
final class LogFold {
  private static final Codec<LogEntry> ENTRIES = Codec.of(LogEntry.class);
  private static final Codec<IncidentEvent> EVENTS = Codec.of(IncidentEvent.class);

  /** An acknowledged alert. */
  private record Acked(Group group, Step step) {}

  private final int partition;
  private final MemoryStore store = new MemoryStore();
  private final List<byte[]> events = new ArrayList<>(); // encoded, as they are many
  private final Fold fold = new Fold(store, event -> events.add(EVENTS.encode(event)));
  private final List<Long> undecodable = new ArrayList<>();
  private final Map<Long, List<Acked>> acked = new HashMap<>();
  private final List<String> faults = new ArrayList<>();
  private long applied;

  /** A fold that has read nothing, and expects the alerts of these groups. */
  LogFold(int partition, List<Group> groups) {
    this.partition = partition;
    for (Group group : groups) {
      for (Step step : group.steps()) {
        Position position = step.position();
        if (position != null && position.getPartition() == partition) {
          acked
              .computeIfAbsent(position.getOffset(), any -> new ArrayList<>())
              .add(new Acked(group, step));
        }
      }
    }
  }

  /** Takes the next record. */
  void take(ConsumerRecord<byte[], byte[]> entry) {
    applied = entry.offset() + 1;
    LogEntry decoded;
    try {
      decoded = ENTRIES.decode(entry.value());
    } catch (UndecodableException e) {
      undecodable.add(entry.offset());
      fold.skip(entry.offset(), entry.timestamp());
      return;
    }
    fold.apply(decoded, entry.offset(), entry.timestamp());
    List<Acked> here = acked.remove(entry.offset());
    if (here != null) {
      here.forEach(each -> compare(each, decoded));
    }
  }

  private void compare(Acked acknowledged, LogEntry entry) {
    Step step = acknowledged.step();
    int index = step.position().getIndex();
    List<Alert> alerts =
        entry.getPayload() instanceof Alerts payload ? payload.getAlerts() : List.of();
    AlertStatus status = step.kind() == Step.Kind.RESOLVED ? AlertStatus.ENDED : AlertStatus.FIRING;
    if (index >= alerts.size()
        || !alerts.get(index).getAlertId().equals(step.id())
        || !alerts.get(index).getSource().equals(acknowledged.group().source())
        || alerts.get(index).getStatus() != status) {
      faults.add("the log does not hold %s where its ack says".formatted(step));
    }
  }

  /** Once all is read: what was acknowledged and is not there, or is something else. */
  List<String> faults() {
    List<String> all = new ArrayList<>(faults);
    acked.values().stream()
        .flatMap(List::stream)
        .map(each -> "%s was acknowledged and is not on the log".formatted(each.step()))
        .forEach(all::add);
    return all;
  }

  int partition() {
    return partition;
  }

  /** The first offset that was not read. */
  long applied() {
    return applied;
  }

  MemoryStore store() {
    return store;
  }

  /** Offsets of what nobody can read, in order. */
  List<Long> undecodable() {
    return undecodable;
  }

  int eventCount() {
    return events.size();
  }

  IncidentEvent event(int i) {
    return EVENTS.decode(events.get(i));
  }
}
