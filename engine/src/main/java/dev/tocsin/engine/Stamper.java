package dev.tocsin.engine;

import dev.tocsin.engine.AlertStamping.Field;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Rules;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * Stamps alerts with their keys under one version of the rules: the first rule that matches, or
 * what holds where none does. The engine takes the stamps as they are, so that a later version of
 * the rules never gives an old entry other keys.
 *
 * <pre>
 * fingerprint  'D' workspace source dedup_key                                         where a dedup_key is given
 *              'B' workspace count (name value)...                                    where the rule has a fingerprintBy, as it lists them
 *              'F' workspace source type title count (name value)...                  else; labels by name, not the volatile
 * group        'G' workspace (name value)...                                          as groupBy lists them
 * route        'R' workspace (name value)...                                          as routeBy lists them
 * receipt      'S' workspace source alert_id status route                             its first 96 bits
 *              'A' workspace source alert_id                                          its last 32 bits, of a hash of 64
 * </pre>
 *
 * <p>Thread-safe.
 */
public final class Stamper {
  private static final ThreadLocal<KeyEncoder> ENCODERS = ThreadLocal.withInitial(KeyEncoder::new);
  private static final Map<IncidentType, byte[]> TYPES = names(IncidentType.class);
  private static final Map<AlertStatus, byte[]> STATUSES = names(AlertStatus.class);

  private final int rulesVersion;
  private final AlertStamping[] rules;
  private final AlertStamping byNone;

  /**
   * A stamper for these rules.
   *
   * @throws IllegalArgumentException naming every fault of theirs
   */
  public Stamper(Rules rules) {
    RulesCheck.require(rules);
    this.rulesVersion = rules.getVersion();
    this.rules =
        rules.getRules().stream()
            .map(rule -> AlertStamping.under(rules, rule))
            .toArray(AlertStamping[]::new);
    this.byNone = AlertStamping.underNone(rules);
  }

  /** The version of the rules that it stamps under. */
  public int rulesVersion() {
    return rulesVersion;
  }

  /**
   * Sets fingerprint, group, route and receipt of {@code alert}, the rule's name and whether it is
   * suppressed, and its severity where the rule maps it or the alert has none. All its other fields
   * are set already.
   *
   * @param dedupKey the client's own name of the condition; empty if it gave none
   * @param ownId whether the alert id is the client's: one that the edge made gets no receipt
   */
  public void stamp(Alert alert, String dedupKey, boolean ownId) {
    KeyEncoder keys = ENCODERS.get();
    AlertStamping by = first(alert);
    alert.setRule(by.rule);
    alert.setSuppressed(by.suppress);
    alert.setSeverity(by.severity(alert));
    alert.setFingerprint(fingerprint(keys, alert, dedupKey, by));
    alert.setGroup(by(keys.begin('G'), alert, by.groupBy).hash128());
    alert.setRoute(
        by.routeIsGroup ? keys.as('R').hash64() : by(keys.begin('R'), alert, by.routeBy).hash64());
    alert.setReceipt(ownId ? receipt(keys, alert) : null);
  }

  private AlertStamping first(Alert alert) {
    for (AlertStamping rule : rules) {
      if (rule.matches(alert)) {
        return rule;
      }
    }
    return byNone;
  }

  private static Key128 fingerprint(
      KeyEncoder keys, Alert alert, String dedupKey, AlertStamping by) {
    if (!dedupKey.isEmpty()) {
      return keys.begin('D')
          .put(alert.getWorkspace())
          .put(alert.getSource())
          .put(dedupKey)
          .hash128();
    }
    if (!by.fingerprintBy.isEmpty()) {
      keys.begin('B').put(alert.getWorkspace()).putInt(by.fingerprintBy.size());
      return values(keys, alert, by.fingerprintBy).hash128();
    }
    Map<String, String> labels = alert.getLabels();
    String[] names = by.lastingLabels(labels);
    keys.begin('F')
        .put(alert.getWorkspace())
        .put(alert.getSource())
        .putPart(TYPES.get(alert.getType()))
        .put(alert.getTitle());
    keys.putInt(names.length);
    for (String name : names) {
      keys.put(name).put(labels.get(name));
    }
    return keys.hash128();
  }

  /** What the receipts of one alert id have in common, whatever its status and route. */
  public static int receiptAlert(String workspace, String source, String alertId) {
    return alert(ENCODERS.get(), workspace, source, alertId);
  }

  private static int alert(KeyEncoder keys, String workspace, String source, String alertId) {
    return (int) keys.begin('A').put(workspace).put(source).put(alertId).hash64();
  }

  private static Key128 receipt(KeyEncoder keys, Alert alert) {
    int id = alert(keys, alert.getWorkspace(), alert.getSource(), alert.getAlertId());
    Key128 sighting =
        keys.as('S').putPart(STATUSES.get(alert.getStatus())).putLong(alert.getRoute()).hash128();
    return Receipt.key(sighting, id);
  }

  private static KeyEncoder by(KeyEncoder keys, Alert alert, List<Field> fields) {
    return values(keys.put(alert.getWorkspace()), alert, fields);
  }

  private static KeyEncoder values(KeyEncoder keys, Alert alert, List<Field> fields) {
    for (Field field : fields) {
      keys.putPart(field.name()).put(field.value().apply(alert));
    }
    return keys;
  }

  private static <E extends Enum<E>> Map<E, byte[]> names(Class<E> type) {
    Map<E, byte[]> names = new EnumMap<>(type);
    for (E value : type.getEnumConstants()) {
      names.put(value, KeyEncoder.part(value.name()));
    }
    return names;
  }
}
