package dev.tocsin.processor;

import dev.tocsin.engine.Receipt;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.TimelineEntry;
import dev.tocsin.schemas.TimelineKind;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What came of an alert, and why, in one plain sentence.
 *
 * @param partition of the log
 * @param alert as it stands on the log
 * @param stampedUnder the version of the rules
 * @param rules that are active now
 * @param condition as it is now; empty if it is forgotten
 * @param incident that it went into, as far as that is known
 */
record AlertStory(
    int partition,
    Receipt seen,
    Alert alert,
    int stampedUnder,
    Rules rules,
    Optional<FingerprintState> condition,
    Optional<Incident> incident) {
  static final String EFFECT_NOT_KEPT =
      "this alert, or another with the same hash, was applied by software that kept neither its place nor what came of it";

  static final String NOT_ON_THE_LOG =
      "this alert, or another with the same hash, was applied; its entry is not on the log any more, so nothing else is told of it";

  private static final String LOST =
      "an incident that is not known any more, since its group and its condition have moved on to newer ones";

  String text() {
    return switch (seen.effect()) {
      case OPENED -> "opened %s: its group%s had none that was open".formatted(it(), groupedBy());
      case JOINED ->
          "joined %s, because its group%s had it open%s".formatted(it(), groupedBy(), raised());
      case REPEATED ->
          "counted once more in %s, which knew its condition%s".formatted(it(), raised());
      case REFIRED ->
          "fired again in %s, where its condition had ended%s".formatted(it(), raised());
      case REOPENED ->
          "reopened %s: its group%s had none that was newer, and its alerts had resolved it within the reopen window%s"
              .formatted(it(), groupedBy(), raised());
      case RESOLVED_CONDITION -> resolved();
      case UNMATCHED -> "ended nothing: no such condition was active";
      case SUPPRESSED ->
          "counted and nothing else: rule `%s` suppresses it".formatted(alert.getRule());
      case MUTED -> "counted and nothing else: a person had resolved %s".formatted(muted());
      case STALE -> "opened nothing: %s".formatted(late());
      case UNKNOWN -> EFFECT_NOT_KEPT;
    };
  }

  private String it() {
    return incident.map(this::named).orElse(LOST);
  }

  /** By id, and, if it was not this alert itself, what opened it. */
  private String named(Incident known) {
    String name = "incident " + IncidentId.text(known.getId());
    boolean itself =
        known.getOpenedOffset() == seen.offset() && known.getOpenedIndex() == seen.index();
    return itself
        ? name
        : "%s, opened at %d-%d".formatted(name, partition, known.getOpenedOffset());
  }

  /** The fields, where the active rules are those that it was stamped under. */
  private String groupedBy() {
    if (stampedUnder != rules.getVersion()) {
      return "";
    }
    List<String> fields =
        rules.getRules().stream()
            .filter(rule -> rule.getName().equals(alert.getRule()))
            .findFirst()
            .map(Rule::getGroupBy)
            .filter(own -> !own.isEmpty())
            .orElse(rules.getGroupBy());
    return " (" + String.join(", ", fields) + ")";
  }

  private String raised() {
    return line(TimelineKind.SEVERITY_RAISED)
        .map(raised -> "; it made the severity " + raised.getText())
        .orElse("");
  }

  private String resolved() {
    if (incident.isEmpty()) {
      return "ended its condition; in which incident is not known any more";
    }
    String last =
        line(TimelineKind.RESOLVED).isPresent()
            ? "; it was the last that was active, so the incident was resolved"
            : "";
    return "ended its condition in %s%s".formatted(it(), last);
  }

  private String muted() {
    return incident
        .map(
            known ->
                named(known) + ", while its condition was active, and that had not ended since")
        .orElse("its incident while its condition was active, and that had not ended since");
  }

  private String late() {
    boolean known =
        condition.isPresent()
            && condition.get().getStatus() == AlertStatus.ENDED
            && condition.get().getEndedAtMs() > alert.getFiredAtMs();
    return "it fired at %s, before its condition's end%s"
        .formatted(
            Instant.ofEpochMilli(alert.getFiredAtMs()),
            known ? " at " + Instant.ofEpochMilli(condition.get().getEndedAtMs()) : "");
  }

  /** The line of the incident's history that this alert wrote. */
  private Optional<TimelineEntry> line(TimelineKind kind) {
    return incident.stream()
        .flatMap(known -> known.getTimeline().stream())
        .filter(line -> line.getKind() == kind)
        .filter(line -> line.getOffset() == seen.offset() && line.getIndex() == seen.index())
        .findFirst();
  }
}
