package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Alerts;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Command;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentEvent;
import dev.tocsin.schemas.IncidentState;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.RulesActivated;
import dev.tocsin.schemas.Severity;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * The largest incident that valid alerts and commands can make, under the largest rules: its event
 * must fit everywhere, or the fold of its partition ends for good.
 */
class IncidentSizeTest {
  /** What an edge and a query-service take at most, in characters, of which each may be 4 bytes. */
  private static final int ALERT_ID_MAX = 256;

  private static final int TITLE_MAX = 1024;
  private static final int DESCRIPTION_MAX = 16_384;
  private static final int NAME_MAX = 256;
  private static final int LABELS_MAX = 64;
  private static final int KEY_MAX = 128;
  private static final int LABEL_VALUE_MAX = 1024;
  private static final int ANNOTATION_VALUE_MAX = 8192;
  private static final int RESOURCE_MAX = 512;
  private static final int NOTE_MAX = 4096;

  /** Of one alert on the log, and of one command. */
  private static final int ENTRY_BYTES_MAX = 256 << 10;

  private static final int EVENT_BYTES_MAX = 1 << 20;
  private static final int LARGEST = 1000; // of what RulesCheck takes for lists

  private final MemoryStore store = new MemoryStore();
  private final Fold fold = new Fold(store, this::published);
  private long offset;
  private int largest;
  private IncidentEvent last;

  @Test
  void largestIncident_fitsIntoEveryTopic_andItsCountsAreExact() {
    begin(2);
    send(alert(0, full()));
    for (int i = 1; i <= 300; i++) {
      send(alert(i, Map.of()));
    }
    Incident incident = only();
    edit();
    for (int i = 0; i < 300; i++) {
      ask(Ask.note("n" + i, incident, longText(NOTE_MAX, i)));
    }
    for (int i = 0; i < 200; i++) {
      int number = i;
      ask(
          Ask.update(
              "r" + i,
              incident,
              asked -> {
                asked.setState(IncidentState.RESOLVED);
                asked.setResolution(longText(NOTE_MAX, number));
              }));
      ask(Ask.move("o" + i, incident, IncidentState.INVESTIGATING));
    }
    assertThat(only().getLabels()).hasSize(LABELS_MAX);
    assertThat(only().getDistinctAlerts()).isEqualTo(301);
    assertThat(only().getNotesAdded()).isEqualTo(300);
    assertThat(only().getTimelineDropped() + only().getTimeline().size())
        .as("each line was written or dropped")
        .isEqualTo(301 + 4 + 300 + 400);
    assertThat(only().getNotes()).hasSizeBetween(2, 300);
    assertThat(only().getNotes().get(only().getNotes().size() - 1).getText())
        .isEqualTo(longText(NOTE_MAX, 299));
    assertThat(only().getAlerts()).hasSizeBetween(20, 300);
    assertThat(largest).isGreaterThan(EVENT_BYTES_MAX / 2).isLessThan(EVENT_BYTES_MAX);
  }

  @Test
  void version1_keepsWhatTheRulesSay() {
    begin(1);
    for (int i = 0; i <= 100; i++) {
      send(alert(i, Map.of()));
    }
    assertThat(only().getAlerts()).hasSize(101);
  }

  @Test
  void shortItems_areBoundedInNumberAlone() {
    begin(2);
    for (int i = 0; i < 1100; i++) {
      Alert alert = Sighting.firing("c" + i).alert(Log.START_MS);
      alert.setRule("largest");
      send(alert);
    }
    assertThat(only().getTimeline()).hasSize(LARGEST);
    assertThat(only().getAlerts()).hasSize(LARGEST);
  }

  private void published(IncidentEvent event) {
    last = event;
    largest = Math.max(largest, Codec.of(IncidentEvent.class).encode(event).length);
  }

  private void begin(int engine) {
    Rule rule =
        Rule.newBuilder()
            .setName("largest")
            .setTimelineMax(LARGEST)
            .setAlertsMax(LARGEST)
            .setNotesMax(LARGEST)
            .build();
    Rules rules = DefaultRules.read();
    rules.setRules(List.of(rule));
    assertThat(RulesCheck.faults(rules)).isEmpty();
    LogEntry first = LogEntries.of(new RulesActivated(rules));
    first.setEngineActivated(engine);
    fold.apply(first, offset++, Log.START_MS);
  }

  /** Annotations that fill an alert up to what the log takes. */
  private static Map<String, String> full() {
    Map<String, String> full = new HashMap<>();
    for (int i = 0; i < 7; i++) {
      full.put(longText(KEY_MAX, i), longText(ANNOTATION_VALUE_MAX, i));
    }
    return full;
  }

  private static Alert alert(int number, Map<String, String> annotations) {
    Alert alert = Sighting.firing("c" + number).alert(Log.START_MS);
    alert.setRule("largest");
    alert.setSource(longText(NAME_MAX, 's'));
    alert.setAlertId(longText(ALERT_ID_MAX, number));
    alert.setTitle(longText(TITLE_MAX, number));
    alert.setSeverity(Severity.P4);
    alert.setLabels(Map.of());
    alert.setAffectedResources(List.of(longText(RESOURCE_MAX, number)));
    alert.setAnnotations(annotations);
    return alert;
  }

  private void send(Alert alert) {
    append(LogEntries.of(new Alerts(1, List.of(alert))));
  }

  private void ask(Command command) {
    command.setActor(longText(NAME_MAX, 'a'));
    append(LogEntries.of(command));
  }

  private void edit() {
    Map<String, String> some = new HashMap<>();
    ask(
        Ask.update(
            "text",
            only(),
            asked -> {
              asked.setTitle(longText(TITLE_MAX, 'u'));
              asked.setDescription(longText(DESCRIPTION_MAX, 'u'));
              asked.setAssignee(longText(NAME_MAX, 'b'));
            }));
    for (int i = 0; i < LABELS_MAX; i++) {
      some.put(longText(KEY_MAX, i), longText(LABEL_VALUE_MAX, i));
      if (some.size() == LABELS_MAX / 2) { // as much as one command takes
        Map<String, String> half = Map.copyOf(some);
        ask(Ask.update("labels " + i, only(), asked -> asked.setSetLabels(half)));
        some.clear();
      }
    }
  }

  private void append(LogEntry entry) {
    assertThat(Codec.of(LogEntry.class).encode(entry).length).isLessThan(ENTRY_BYTES_MAX);
    fold.apply(entry, offset++, Log.START_MS + offset);
  }

  private Incident only() {
    assertThat(store.incidents()).hasSize(1);
    return last.getIncident();
  }

  /** So many characters of 4 bytes each, the first of them another one for each number. */
  private static String longText(int characters, int number) {
    return Character.toString(0x10000 + number) + "😀".repeat(characters - 1);
  }
}
