package dev.tocsin.schemas;

import java.util.List;

/**
 * The alerts of one entry of the log.
 *
 * @param rulesVersion under which all of them were stamped
 * @param alerts at least one; not thread-safe
 */
public record LoggedAlerts(int rulesVersion, List<LoggedAlert> alerts) {
  /** Those of an entry that is read already. */
  public static LoggedAlerts of(Alerts alerts) {
    return new LoggedAlerts(
        alerts.getRulesVersion(), alerts.getAlerts().stream().map(LoggedAlert::of).toList());
  }
}
