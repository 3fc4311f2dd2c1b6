package dev.tocsin.cli;

import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import dev.tocsin.proto.alerts.IncidentType;
import dev.tocsin.proto.alerts.Severity;
import dev.tocsin.proto.incidents.IncidentState;
import java.util.Locale;
import java.util.stream.Collectors;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * Enum values as people write them: {@code P2}, {@code p2}, {@code SEVERITY_P2}, or the number that
 * the .proto file gives it. Converters yield the number, which alerts and incidents share.
 */
final class ProtoNames {
  private ProtoNames() {}

  /** A severity's number. */
  static final class SeverityNumber implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return number(Severity.getDescriptor(), "SEVERITY_", text);
    }
  }

  /** An incident type's number. */
  static final class TypeNumber implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return number(IncidentType.getDescriptor(), "INCIDENT_TYPE_", text);
    }
  }

  /** An incident state's number. */
  static final class StateNumber implements ITypeConverter<Integer> {
    @Override
    public Integer convert(String text) {
      return state(text);
    }
  }

  /** {@code SEVERITY_P2} as {@code P2}; a number where the name is not known here. */
  static String name(dev.tocsin.proto.incidents.Severity severity, int number) {
    return name(severity.name(), "SEVERITY_", number);
  }

  static String name(dev.tocsin.proto.incidents.IncidentType type, int number) {
    return name(type.name(), "INCIDENT_TYPE_", number);
  }

  static String name(IncidentState state, int number) {
    return name(state.name(), "INCIDENT_STATE_", number);
  }

  /** A state's number. */
  static int state(String text) {
    return number(IncidentState.getDescriptor(), "INCIDENT_STATE_", text);
  }

  private static String name(String name, String prefix, int number) {
    String shortName = name.startsWith(prefix) ? name.substring(prefix.length()) : name;
    return switch (shortName) {
      case "UNRECOGNIZED" -> Integer.toString(number);
      case "UNSPECIFIED" -> "-";
      default -> shortName;
    };
  }

  private static int number(EnumDescriptor type, String prefix, String text) {
    String wanted = text.trim().toUpperCase(Locale.ROOT);
    for (EnumValueDescriptor value : type.getValues()) {
      if (value.getName().equals(wanted)
          || value.getName().equals(prefix + wanted)
          || Integer.toString(value.getNumber()).equals(wanted)) {
        return value.getNumber();
      }
    }
    String known =
        type.getValues().stream()
            .filter(value -> value.getNumber() != 0)
            .map(value -> value.getName().substring(prefix.length()) + "|" + value.getNumber())
            .collect(Collectors.joining(", "));
    throw new TypeConversionException("'" + text + "' is none of " + known);
  }
}
