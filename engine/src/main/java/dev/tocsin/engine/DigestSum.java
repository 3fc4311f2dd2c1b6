package dev.tocsin.engine;

import com.dynatrace.hash4j.hashing.HashStream128;
import com.dynatrace.hash4j.hashing.HashValue128;
import com.dynatrace.hash4j.hashing.Hashing;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentAlert;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Note;
import dev.tocsin.schemas.Tally;
import dev.tocsin.schemas.TimelineEntry;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Two digests over any number of incidents: the sum, modulo 2^128, of each one's XXH3-128 over a
 * canonical form. The order does not matter, and partitions' digests add up.
 *
 * <ul>
 *   <li><i>content</i>: what the incidents say. Equal whenever the same alerts, in the same order
 *       within each group, came to the same incidents, whenever and wherever they were logged.
 *   <li><i>exact</i>: that, and ids, times, positions and versions. Equal for any fold of one log.
 * </ul>
 *
 * <p>Not thread-safe.
 */
public final class DigestSum {
  private long contentHigh;
  private long contentLow;
  private long exactHigh;
  private long exactLow;
  private long incidents;

  /** Adds an incident. */
  public void add(Incident incident, Tally tally) {
    HashStream128 stream = Hashing.xxh3_128().hashStream();
    content(stream, incident, tally);
    HashValue128 content = stream.get();
    exact(stream, incident, tally);
    HashValue128 exact = stream.get();
    contentHigh +=
        content.getMostSignificantBits() + carry(contentLow, content.getLeastSignificantBits());
    contentLow += content.getLeastSignificantBits();
    exactHigh += exact.getMostSignificantBits() + carry(exactLow, exact.getLeastSignificantBits());
    exactLow += exact.getLeastSignificantBits();
    incidents++;
  }

  /** How many incidents were added. */
  public long incidents() {
    return incidents;
  }

  /** 32 hexadecimal digits. */
  public String content() {
    return String.format(Locale.ROOT, "%016x%016x", contentHigh, contentLow);
  }

  /** 32 hexadecimal digits. */
  public String exact() {
    return String.format(Locale.ROOT, "%016x%016x", exactHigh, exactLow);
  }

  private static void content(HashStream128 to, Incident incident, Tally tally) {
    text(to, incident.getWorkspace());
    key(to, incident.getGroup());
    text(to, incident.getTitle());
    text(to, incident.getDescription());
    text(to, incident.getSeverity().name());
    text(to, incident.getType().name());
    text(to, incident.getState().name());
    text(to, incident.getResolvedBy().name());
    text(to, incident.getSource());
    map(to, incident.getLabels());
    map(to, incident.getMetadata());
    texts(to, incident.getAffectedResources());
    text(to, incident.getAssignee());
    to.putLong(tally.getOccurrences());
    to.putLong(incident.getDistinctAlerts());
    to.putLong(incident.getActiveAlerts());
    to.putLong(incident.getReopened());
    to.putLong(incident.getRevision());
    List<IncidentAlert> alerts = incident.getAlerts();
    to.putInt(alerts.size());
    for (IncidentAlert alert : alerts) {
      key(to, alert.getFingerprint());
      text(to, alert.getAlertId());
      text(to, alert.getTitle());
      text(to, alert.getSeverity().name());
    }
    to.putInt(incident.getTimeline().size());
    for (TimelineEntry entry : incident.getTimeline()) {
      text(to, entry.getKind().name());
      text(to, entry.getText());
    }
    to.putLong(incident.getTimelineDropped());
    people(to, incident);
  }

  /**
   * What incidents did not have in the first version of the engine. It counts only where it says
   * something, each part under its name, so that the digests of older logs stay theirs.
   */
  private static void people(HashStream128 to, Incident incident) {
    if (incident.getNotesAdded() != 0 || !incident.getNotes().isEmpty()) {
      text(to, "notes");
      to.putLong(incident.getNotesAdded());
      to.putInt(incident.getNotes().size());
      for (Note note : incident.getNotes()) {
        text(to, note.getAuthor());
        text(to, note.getText());
      }
    }
    List<TimelineEntry> timeline = incident.getTimeline();
    for (int line = 0; line < timeline.size(); line++) {
      if (!timeline.get(line).getActor().isEmpty()) {
        text(to, "actor");
        to.putInt(line);
        text(to, timeline.get(line).getActor());
      }
    }
    if (!incident.getRule().isEmpty()) {
      text(to, "rule");
      text(to, incident.getRule());
    }
    if (incident.getFlapping()) {
      text(to, "flapping");
    }
    if (incident.getInhibitedBy() != null) {
      text(to, "inhibited");
    }
    if (incident.getSilencedBy() != null) {
      text(to, "silenced");
      key(to, incident.getSilencedBy());
    }
    if (incident.getMergedInto() != null) {
      text(to, "merged");
    }
    if (!incident.getMergedFrom().isEmpty()) {
      text(to, "merged from");
      to.putInt(incident.getMergedFrom().size());
    }
    keys(to, "source of", incident.getSourceOf());
    keys(to, "target of", incident.getTargetOf());
  }

  private static void exact(HashStream128 to, Incident incident, Tally tally) {
    key(to, incident.getId());
    to.putLong(incident.getRoute());
    to.putLong(incident.getCreatedAtMs());
    to.putLong(incident.getUpdatedAtMs());
    to.putLong(incident.getResolvedAtMs());
    to.putLong(incident.getClosedAtMs());
    to.putLong(incident.getOpenedOffset());
    to.putInt(incident.getOpenedIndex());
    to.putInt(incident.getRulesVersion());
    to.putLong(tally.getLastSeenMs());
    for (IncidentAlert alert : incident.getAlerts()) {
      to.putLong(alert.getJoinedAtMs());
    }
    for (TimelineEntry entry : incident.getTimeline()) {
      to.putLong(entry.getAtMs());
      to.putLong(entry.getOffset());
      to.putInt(entry.getIndex());
    }
    for (Note note : incident.getNotes()) {
      to.putLong(note.getAtMs());
    }
    if (incident.getInhibitedBy() != null) {
      text(to, "inhibited by");
      key(to, incident.getInhibitedBy());
    }
    if (incident.getMergedInto() != null) {
      text(to, "merged into");
      key(to, incident.getMergedInto());
    }
    keys(to, "merged from", incident.getMergedFrom());
    if (incident.getSilencedUntilMs() != 0) {
      text(to, "silenced until");
      to.putLong(incident.getSilencedUntilMs());
    }
  }

  private static void keys(HashStream128 to, String what, List<Key128> keys) {
    if (!keys.isEmpty()) {
      text(to, what);
      to.putInt(keys.size());
      keys.forEach(key -> key(to, key));
    }
  }

  private static void text(HashStream128 to, String text) {
    to.putString(text); // chars, then their number: parts stay apart
  }

  private static void key(HashStream128 to, Key128 key) {
    to.putBytes(key.bytes());
  }

  private static void texts(HashStream128 to, Collection<String> texts) {
    to.putInt(texts.size());
    texts.forEach(each -> text(to, each));
  }

  private static void map(HashStream128 to, Map<String, String> map) {
    to.putInt(map.size());
    new TreeMap<>(map)
        .forEach(
            (name, value) -> {
              text(to, name);
              text(to, value);
            });
  }

  private static long carry(long low, long add) {
    return Long.compareUnsigned(low + add, low) < 0 ? 1 : 0;
  }
}
