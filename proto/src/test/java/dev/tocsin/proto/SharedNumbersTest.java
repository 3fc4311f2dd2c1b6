package dev.tocsin.proto;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What alerts.proto and incidents.proto both declare is the same, and is what clients know. */
class SharedNumbersTest {
  private static final List<String> SEVERITIES =
      List.of("UNSPECIFIED", "P0", "P1", "P2", "P3", "P4");
  private static final List<String> TYPES =
      List.of(
          "UNSPECIFIED",
          "INFRASTRUCTURE",
          "APPLICATION",
          "SECURITY",
          "DATA",
          "PERFORMANCE",
          "AVAILABILITY",
          "COMPLIANCE");
  private static final List<String> STATES =
      List.of(
          "UNSPECIFIED",
          "DETECTED",
          "TRIAGED",
          "INVESTIGATING",
          "REMEDIATING",
          "RESOLVED",
          "CLOSED");

  @Test
  void severity_isTheSameInBothFiles() {
    assertThat(numbers(dev.tocsin.proto.alerts.Severity.getDescriptor()))
        .isEqualTo(numbers(dev.tocsin.proto.incidents.Severity.getDescriptor()));
  }

  @Test
  void incidentType_isTheSameInBothFiles() {
    assertThat(numbers(dev.tocsin.proto.alerts.IncidentType.getDescriptor()))
        .isEqualTo(numbers(dev.tocsin.proto.incidents.IncidentType.getDescriptor()));
  }

  @Test
  void position_isTheSameInBothFiles() {
    assertThat(fields(dev.tocsin.proto.alerts.Position.getDescriptor()))
        .isEqualTo(fields(dev.tocsin.proto.incidents.Position.getDescriptor()))
        .containsOnlyKeys("partition", "offset", "index");
  }

  @Test
  void enums_haveTheNumbersThatClientsKnow() {
    assertThat(numbers(dev.tocsin.proto.alerts.Severity.getDescriptor()))
        .isEqualTo(known("SEVERITY_", SEVERITIES));
    assertThat(numbers(dev.tocsin.proto.alerts.IncidentType.getDescriptor()))
        .isEqualTo(known("INCIDENT_TYPE_", TYPES));
    assertThat(numbers(dev.tocsin.proto.incidents.IncidentState.getDescriptor()))
        .isEqualTo(known("INCIDENT_STATE_", STATES));
  }

  private static Map<String, Integer> known(String prefix, List<String> names) {
    Map<String, Integer> numbers = new LinkedHashMap<>();
    names.forEach(name -> numbers.put(prefix + name, numbers.size()));
    return numbers;
  }

  private static Map<String, Integer> numbers(EnumDescriptor type) {
    Map<String, Integer> numbers = new LinkedHashMap<>();
    type.getValues().forEach(value -> numbers.put(value.getName(), value.getNumber()));
    return numbers;
  }

  private static Map<String, String> fields(Descriptor type) {
    Map<String, String> fields = new LinkedHashMap<>();
    type.getFields()
        .forEach(field -> fields.put(field.getName(), field.getNumber() + " " + field.getType()));
    return fields;
  }
}
