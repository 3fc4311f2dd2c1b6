package dev.tocsin.engine;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Matcher;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Matchers of which all have to match, asked of incidents. What was taken when it was checked may
 * be no expression any more for a later library: it then matches nothing, for a fold goes on in any
 * case. Immutable.
 */
public final class IncidentMatcher {
  /** Of one silence's expressions together, as {@link RulesCheck} counts them. */
  private static final long STEPS_MAX = 1_000_000;

  private final List<Predicate<Alert>> matchers;

  /** One for these matchers, whatever {@link #faults} says of them. */
  public IncidentMatcher(List<Matcher> matchers) {
    this.matchers = matchers.stream().map(IncidentMatcher::compiled).toList();
  }

  /**
   * What is wrong with the matchers of a silence.
   *
   * @return the path of each fault begins with {@code matchers}
   */
  public static List<RulesCheck.Fault> faults(List<Matcher> matchers) {
    List<RulesCheck.Fault> faults = new ArrayList<>();
    MatchersCheck check = new MatchersCheck(faults, STEPS_MAX);
    if (matchers.isEmpty()) {
      faults.add(new RulesCheck.Fault("matchers", "must have at least one matcher"));
    }
    check.check("matchers", matchers);
    if (check.tooCostly()) {
      faults.add(
          new RulesCheck.Fault(
              "matchers",
              RulesCheck.text(
                  "have expressions that are too costly, taken together: at most %d steps, the size"
                      + " of each expression times the longest text of its field",
                  STEPS_MAX)));
    }
    return faults;
  }

  /** What the expressions may cost an incident: the size of each times its field's longest text. */
  public static long steps(List<Matcher> matchers) {
    MatchersCheck check = new MatchersCheck(new ArrayList<>(), Long.MAX_VALUE);
    check.check("matchers", matchers);
    return check.steps();
  }

  /** Whether all of them match it, as it is now. Without matchers it matches nothing. */
  public boolean matches(Incident incident) {
    return test(fields(incident));
  }

  /** The same of an incident's {@link #fields}. */
  boolean test(Alert incident) {
    for (Predicate<Alert> matcher : matchers) {
      if (!matcher.test(incident)) {
        return false;
      }
    }
    return !matchers.isEmpty();
  }

  /** What can be matched of an incident, where matchers look for it. */
  static Alert fields(Incident incident) {
    Alert fields = new Alert();
    fields.setWorkspace(incident.getWorkspace());
    fields.setSource(incident.getSource());
    fields.setType(incident.getType());
    fields.setTitle(incident.getTitle());
    fields.setDescription(incident.getDescription());
    fields.setSeverity(incident.getSeverity());
    fields.setLabels(incident.getLabels());
    return fields;
  }

  private static Predicate<Alert> compiled(Matcher matcher) {
    if (AlertField.ofMatcher(matcher.getField()) == null) {
      return nothing -> false;
    }
    try {
      return new AlertMatcher(matcher);
    } catch (IllegalArgumentException | com.google.re2j.PatternSyntaxException e) {
      return nothing -> false;
    }
  }
}
