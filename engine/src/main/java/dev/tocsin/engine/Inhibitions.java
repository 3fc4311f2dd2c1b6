package dev.tocsin.engine;

import dev.tocsin.engine.IncidentDraft.Cause;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.InhibitionState;
import dev.tocsin.schemas.Key128;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Open incidents that hide others. When one opens or is reopened, the active inhibitions are asked
 * once what it is, by its fields of that moment: a source, a target, or neither. It is kept as
 * such, under the inhibition's name and its equal values, until it is not open any more; other
 * rules change nothing of that. So a mere repeat costs nothing here, and an inhibition that is gone
 * ends with its sources.
 *
 * <p>An incident without alerts lies in a partition of its own making and takes no part.
 */
final class Inhibitions {
  /** Of the sources, and of the targets, under one key. Changing it takes a new engine version. */
  static final int IDS_MAX = 1000;

  private Inhibitions() {}

  /** The draft comes to be open: says what it is, and marks it if something hides it. */
  static void enter(Stage stage, IncidentDraft draft) {
    Incident incident = draft.incident();
    if (stage.inhibitions().isEmpty() || incident.getDistinctAlerts() == 0) {
      return;
    }
    var fields = IncidentMatcher.fields(incident);
    List<Key128> sourceOf = new ArrayList<>();
    List<Key128> targetOf = new ArrayList<>();
    for (ActiveInhibition each : stage.inhibitions()) {
      boolean isSource = each.isSource(fields);
      if (isSource || each.isTarget(fields)) {
        Key128 key = each.key(fields);
        if (add(stage, key, isSource, incident.getId())) {
          (isSource ? sourceOf : targetOf).add(key);
        } else {
          stage.state().setInhibitionsFull(stage.state().getInhibitionsFull() + 1);
        }
      }
    }
    incident.setSourceOf(sourceOf);
    incident.setTargetOf(targetOf);
    Key128 by = oldestSource(stage, targetOf);
    if (by != null) {
      draft.inhibit(by, stage.incident(by).getTitle());
    }
  }

  /** The draft ceases to be open: nothing hides it, and it hides nothing. */
  static void leave(Stage stage, IncidentDraft draft) {
    Incident incident = draft.incident();
    incident.getSourceOf().forEach(key -> remove(stage, key, true, incident.getId()));
    incident.getTargetOf().forEach(key -> remove(stage, key, false, incident.getId()));
    incident.setSourceOf(List.of());
    incident.setTargetOf(List.of());
    incident.setInhibitedBy(null);
  }

  /** A source under these keys has come or gone, and is stored: marks its targets accordingly. */
  static void spread(Stage stage, Cause cause, List<Key128> keys) {
    for (Key128 key : keys) {
      InhibitionState state = stage.inhibition(key);
      if (state != null) {
        state.getTargets().forEach(target -> mark(stage, cause, stage.incident(target)));
      }
    }
  }

  private static void mark(Stage stage, Cause cause, Incident target) {
    Key128 by = target.getInhibitedBy();
    if (by != null && isSource(stage, target.getTargetOf(), by)) {
      return;
    }
    Key128 oldest = oldestSource(stage, target.getTargetOf());
    if (oldest != null) {
      IncidentDraft.of(stage, cause, target)
          .inhibit(oldest, stage.incident(oldest).getTitle())
          .done();
    } else if (by != null) {
      IncidentDraft.of(stage, cause, target).uninhibit().done();
    }
  }

  private static Key128 oldestSource(Stage stage, List<Key128> keys) {
    Key128 oldest = null;
    for (Key128 key : keys) {
      List<Key128> sources = stage.inhibition(key).getSources();
      if (!sources.isEmpty() && (oldest == null || sources.get(0).compareTo(oldest) < 0)) {
        oldest = sources.get(0);
      }
    }
    return oldest;
  }

  private static boolean isSource(Stage stage, List<Key128> keys, Key128 id) {
    return keys.stream()
        .anyMatch(key -> Collections.binarySearch(stage.inhibition(key).getSources(), id) >= 0);
  }

  private static boolean add(Stage stage, Key128 key, boolean source, Key128 id) {
    InhibitionState before = stage.inhibition(key);
    InhibitionState after =
        before == null ? InhibitionState.newBuilder().build() : Copies.of(before);
    List<Key128> ids = new ArrayList<>(source ? after.getSources() : after.getTargets());
    if (ids.size() >= IDS_MAX) {
      return false;
    }
    ids.add(-1 - Collections.binarySearch(ids, id), id);
    put(stage, key, after, source, ids);
    return true;
  }

  private static void remove(Stage stage, Key128 key, boolean source, Key128 id) {
    InhibitionState after = Copies.of(stage.inhibition(key));
    List<Key128> ids = new ArrayList<>(source ? after.getSources() : after.getTargets());
    ids.remove(id);
    put(stage, key, after, source, ids);
  }

  private static void put(
      Stage stage, Key128 key, InhibitionState after, boolean source, List<Key128> ids) {
    if (source) {
      after.setSources(ids);
    } else {
      after.setTargets(ids);
    }
    boolean empty = after.getSources().isEmpty() && after.getTargets().isEmpty();
    stage.put(key, empty ? null : after);
  }
}
