package dev.tocsin.cli;

import dev.tocsin.proto.incidents.IncidentState;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;
import picocli.CommandLine.TypeConversionException;

/** The flags by which both a list and a stream of incidents are narrowed. */
final class IncidentFilter {
  private static final List<IncidentState> OPEN =
      List.of(
          IncidentState.INCIDENT_STATE_DETECTED,
          IncidentState.INCIDENT_STATE_TRIAGED,
          IncidentState.INCIDENT_STATE_INVESTIGATING,
          IncidentState.INCIDENT_STATE_REMEDIATING);

  @Spec(Target.MIXEE)
  CommandSpec command;

  @Option(
      names = "--state",
      split = ",",
      paramLabel = "STATE",
      description =
          "Only these: DETECTED, TRIAGED, INVESTIGATING, REMEDIATING, RESOLVED, CLOSED; open is the first four.")
  private List<String> states = List.of();

  @Option(names = "--source", description = "Only what this source sent.")
  String source = "";

  @Option(
      names = "--include-suppressed",
      description = "Also what is hidden: silenced, or inhibited by another one.")
  boolean includeSuppressed;

  /** States' numbers; {@code open} stands for four of them. */
  List<Integer> stateNumbers() {
    List<Integer> numbers = new ArrayList<>();
    for (String state : states) {
      if (state.trim().toLowerCase(Locale.ROOT).equals("open")) {
        OPEN.forEach(open -> numbers.add(open.getNumber()));
      } else {
        try {
          numbers.add(ProtoNames.state(state));
        } catch (TypeConversionException e) {
          throw new ParameterException(
              command.commandLine(), "--state: " + e.getMessage() + ", open", e);
        }
      }
    }
    return numbers;
  }
}
