package dev.tocsin.processor;

import dev.tocsin.engine.Fold;
import dev.tocsin.engine.MemoryStore;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Partitions;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Silence;
import dev.tocsin.schemas.Topics;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * A log that is written as the system lives: what {@link World} makes up goes to the partitions
 * where edges and query-services would append it, at the broker's time, and people's commands are
 * about the incidents that have come of it. Not thread-safe.
 */
final class LiveLog implements AutoCloseable {
  private static final List<IncidentState> STATES = List.of(IncidentState.values());
  private static final List<Severity> SEVERITIES = List.of(Severity.values());
  private static final int COMMAND_IN = 5;

  /** What has come of one partition, so that commands can be about it. */
  private record Model(MemoryStore store, Fold fold) {
    static Model empty() {
      MemoryStore store = new MemoryStore();
      return new Model(store, new Fold(store, event -> {}));
    }
  }

  private final World world;
  private final Random random;
  private final TestLog log;
  private final List<Model> models = new ArrayList<>();
  private long requests;

  LiveLog(Topics topics, int partitions, long seed) {
    this.world = new World(seed);
    this.random = new Random(seed);
    this.log = new TestLog(topics, RunningProcessor.KAFKA);
    for (int i = 0; i < partitions; i++) {
      models.add(Model.empty());
    }
  }

  /** Appends what comes next, to whom it concerns. */
  void step() throws Exception {
    LogEntry entry = world.next().entry();
    if (entry.getPayload() instanceof RulesActivated rules) {
      toAll(LogEntries.of(new RulesActivated(hasty(rules.getRules()))));
    } else if (entry.getSilence() != null) {
      toAll(LogEntries.of(lasting(entry.getSilence())));
    } else if (entry.getSilenceExpired() != null) {
      toAll(entry);
    } else if (entry.getPayload() instanceof Alerts alerts) {
      Map<Integer, List<Alert>> routed =
          alerts.getAlerts().stream()
              .collect(
                  Collectors.groupingBy(alert -> Partitions.of(alert.getRoute(), models.size())));
      for (var part : routed.entrySet()) {
        append(part.getKey(), LogEntries.of(new Alerts(1, part.getValue())));
      }
      meddle();
    }
  }

  /** As {@link World#quick}, for a log of seconds; what is closed stays. */
  private static Rules hasty(Rules rules) {
    rules.setVersion(rules.getVersion() + 1); // the log begins with rules of its own
    rules.setReceiptWindowMs(6_000L);
    rules.setReopenWindowMs(500L);
    rules.setAutoResolveAfterMs(2_000L);
    rules.setCloseAfterMs(1_000L);
    rules.setRetentionMs(3_600_000L);
    rules.setOutcomeWindowMs(3_000L);
    return rules;
  }

  /** From when it is applied, for some seconds. */
  private Silence lasting(Silence silence) {
    silence.setStartMs(0);
    silence.setEndMs(System.currentTimeMillis() + 2_000 + random.nextInt(8_000));
    return silence;
  }

  private void meddle() throws Exception {
    if (random.nextInt(COMMAND_IN) > 0) {
      return;
    }
    int partition = random.nextInt(models.size());
    List<Incident> kept = List.copyOf(models.get(partition).store().incidents());
    if (kept.isEmpty()) {
      return;
    }
    Incident incident = kept.get(random.nextInt(kept.size()));
    String request = "request " + (random.nextInt(10) == 0 ? requests : ++requests);
    append(
        partition,
        LogEntries.of(
            switch (random.nextInt(4)) {
              case 0 -> Commands.note(request, incident, "note of " + request);
              case 1 ->
                  Commands.rate(
                      request, incident, SEVERITIES.get(random.nextInt(SEVERITIES.size())));
              default ->
                  Commands.move(request, incident, STATES.get(random.nextInt(STATES.size())));
            }));
  }

  private void toAll(LogEntry entry) throws Exception {
    for (int partition = 0; partition < models.size(); partition++) {
      append(partition, entry);
    }
  }

  private void append(int partition, LogEntry entry) throws Exception {
    Future<RecordMetadata> sent = log.send(partition, Codec.of(LogEntry.class).encode(entry));
    models.get(partition).fold().apply(entry, sent.get().offset(), sent.get().timestamp());
  }

  @Override
  public void close() {
    log.close();
  }
}
