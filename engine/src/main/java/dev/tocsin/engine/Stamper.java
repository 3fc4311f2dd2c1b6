package dev.tocsin.engine;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Stamps alerts with their keys under one version of the rules. The engine takes the stamps as they
 * are, so that a later version of the rules never gives an old entry other keys.
 *
 * <pre>
 * fingerprint  'D' workspace source dedup_key                                         where a dedup_key is given
 *              'F' workspace source type title count (name value)...                  else; labels by name, not the volatile
 * group        'G' workspace (name value)...                                          as groupBy lists them
 * route        'R' workspace (name value)...                                          as routeBy lists them
 * receipt      'S' workspace source alert_id status route
 * </pre>
 *
 * <p>Thread-safe.
 */
public final class Stamper {
  private static final String LABEL_PREFIX = "labels.";
  private static final ThreadLocal<KeyEncoder> ENCODERS = ThreadLocal.withInitial(KeyEncoder::new);

  /** A field that rules may name, and how to read it. */
  private record Field(String name, Function<Alert, String> value) {}

  private final int rulesVersion;
  private final Severity defaultSeverity;
  private final List<Field> groupBy;
  private final List<Field> routeBy;
  private final Set<String> volatileLabels;

  /**
   * A stamper for these rules.
   *
   * @throws IllegalArgumentException naming every fault of theirs
   */
  public Stamper(Rules rules) {
    RulesCheck.require(rules);
    this.rulesVersion = rules.getVersion();
    this.defaultSeverity = rules.getDefaultSeverity();
    this.groupBy = fields(rules.getGroupBy());
    this.routeBy = fields(rules.getRouteBy());
    this.volatileLabels = Set.copyOf(rules.getVolatileLabels());
  }

  /** The version of the rules that it stamps under. */
  public int rulesVersion() {
    return rulesVersion;
  }

  /**
   * Sets fingerprint, group, route and receipt of {@code alert}, and its severity if it is
   * UNSPECIFIED. All its other fields are set already.
   *
   * @param dedupKey the client's own name of the condition; empty if it gave none
   * @param ownId whether the alert id is the client's: one that the edge made gets no receipt
   */
  public void stamp(Alert alert, String dedupKey, boolean ownId) {
    KeyEncoder keys = ENCODERS.get();
    if (alert.getSeverity() == Severity.UNSPECIFIED) {
      alert.setSeverity(defaultSeverity);
    }
    alert.setFingerprint(fingerprint(keys, alert, dedupKey));
    alert.setGroup(by(keys.begin('G'), alert, groupBy).hash128());
    alert.setRoute(by(keys.begin('R'), alert, routeBy).hash64());
    alert.setReceipt(ownId ? receipt(keys, alert) : null);
  }

  private Key128 fingerprint(KeyEncoder keys, Alert alert, String dedupKey) {
    if (!dedupKey.isEmpty()) {
      return keys.begin('D')
          .put(alert.getWorkspace())
          .put(alert.getSource())
          .put(dedupKey)
          .hash128();
    }
    Map<String, String> labels = new TreeMap<>(alert.getLabels());
    labels.keySet().removeAll(volatileLabels);
    keys.begin('F')
        .put(alert.getWorkspace())
        .put(alert.getSource())
        .put(alert.getType().name())
        .put(alert.getTitle());
    keys.putInt(labels.size());
    labels.forEach((name, value) -> keys.put(name).put(value));
    return keys.hash128();
  }

  private static Key128 receipt(KeyEncoder keys, Alert alert) {
    return keys.begin('S')
        .put(alert.getWorkspace())
        .put(alert.getSource())
        .put(alert.getAlertId())
        .put(alert.getStatus().name())
        .putLong(alert.getRoute())
        .hash128();
  }

  private static KeyEncoder by(KeyEncoder keys, Alert alert, List<Field> fields) {
    keys.put(alert.getWorkspace());
    for (Field field : fields) {
      keys.put(field.name()).put(field.value().apply(alert));
    }
    return keys;
  }

  private static List<Field> fields(List<String> names) {
    return names.stream().map(name -> new Field(name, field(name))).toList();
  }

  /** How to read a field that rules may name; null if they may not. */
  static Function<Alert, String> field(String name) {
    if (name.startsWith(LABEL_PREFIX) && name.length() > LABEL_PREFIX.length()) {
      String label = name.substring(LABEL_PREFIX.length());
      return alert -> alert.getLabels().get(label);
    }
    return switch (name) {
      case "source" -> Alert::getSource;
      case "type" -> alert -> alert.getType().name();
      case "title" -> Alert::getTitle;
      default -> null;
    };
  }
}
