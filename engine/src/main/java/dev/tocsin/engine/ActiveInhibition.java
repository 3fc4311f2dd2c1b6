package dev.tocsin.engine;

import dev.tocsin.engine.AlertStamping.Field;
import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.Inhibition;
import dev.tocsin.schemas.Key128;
import java.util.List;

/** An inhibition of the active rules, ready to be asked about incidents. Immutable. */
final class ActiveInhibition {
  private final String name;
  private final IncidentMatcher source;
  private final IncidentMatcher target;
  private final List<Field> equal;

  ActiveInhibition(Inhibition inhibition) {
    name = inhibition.getName();
    source = new IncidentMatcher(inhibition.getSource());
    target = new IncidentMatcher(inhibition.getTarget());
    equal =
        AlertStamping.fields(
            inhibition.getEqual().stream()
                .filter(field -> AlertField.ofKey(field) != null)
                .toList());
  }

  /** Whether it hides others. */
  boolean isSource(Alert incident) {
    return source.test(incident);
  }

  /** Whether others hide it. What is a source is no target: two would hide each other. */
  boolean isTarget(Alert incident) {
    return target.test(incident) && !source.test(incident);
  }

  /** Under what the incidents are kept that hide, or are hidden by, one with these fields. */
  Key128 key(Alert incident) {
    KeyEncoder key = new KeyEncoder().begin('I').put(incident.getWorkspace()).put(name);
    for (Field field : equal) {
      key.putPart(field.name()).put(field.value().apply(incident));
    }
    return key.hash128();
  }
}
