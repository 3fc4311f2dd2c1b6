package dev.tocsin.query;

import com.google.protobuf.ProtocolMessageEnum;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A request for a stream that has been found right, but for its token. Immutable.
 *
 * @param token empty for none
 */
record StreamQuery(StreamFilter filter, String token, boolean liveOnly, Duration heartbeat) {
  static final Duration HEARTBEAT_DEFAULT = Duration.ofSeconds(15);
  static final Duration HEARTBEAT_MIN = Duration.ofSeconds(1);
  static final Duration HEARTBEAT_MAX = Duration.ofMinutes(5);

  /**
   * Reads a request.
   *
   * @throws io.grpc.StatusRuntimeException INVALID_ARGUMENT with every violation
   */
  static StreamQuery read(StreamIncidentsRequest request, String workspace) {
    Violations violations = new Violations();
    StreamFilter filter =
        new StreamFilter(
            workspace,
            states(request, violations),
            minSeverity(request, violations),
            source(request, violations),
            request.getIncludeSuppressed());
    Duration heartbeat = heartbeat(request, violations);
    violations.raise();
    return new StreamQuery(filter, request.getResumeToken(), request.getLiveOnly(), heartbeat);
  }

  private static Set<IncidentState> states(StreamIncidentsRequest request, Violations violations) {
    Set<IncidentState> states = EnumSet.noneOf(IncidentState.class);
    List<Integer> numbers = request.getStatesValueList();
    for (int i = 0; i < numbers.size(); i++) {
      IncidentState state = IncidentState.forNumber(numbers.get(i));
      if (named(state, "states", i, violations)) {
        states.add(state);
      }
    }
    return states;
  }

  /** Of several the least bad counts, which lets the most through: it has the highest number. */
  private static Severity minSeverity(StreamIncidentsRequest request, Violations violations) {
    Severity least = Severity.SEVERITY_UNSPECIFIED;
    List<Integer> numbers = request.getMinSeverityValueList();
    for (int i = 0; i < numbers.size(); i++) {
      Severity severity = Severity.forNumber(numbers.get(i));
      if (named(severity, "min_severity", i, violations) && severity.compareTo(least) > 0) {
        least = severity;
      }
    }
    return least;
  }

  private static boolean named(
      ProtocolMessageEnum value, String field, int index, Violations violations) {
    boolean named = value != null && value.getNumber() != 0;
    if (!named) {
      violations.add(field + "[" + index + "]", "is none of the values that there are");
    }
    return named;
  }

  private static String source(StreamIncidentsRequest request, Violations violations) {
    String source = request.getSource();
    if (source.codePointCount(0, source.length()) > ListQuery.SOURCE_CHARACTERS_MAX) {
      violations.add("source", "must be at most 256 characters");
    }
    return source;
  }

  private static Duration heartbeat(StreamIncidentsRequest request, Violations violations) {
    if (!request.hasHeartbeatInterval()) {
      return HEARTBEAT_DEFAULT;
    }
    var given = request.getHeartbeatInterval();
    // Any number of seconds and nanoseconds can be written; not all of them fit together.
    boolean sane = given.getSeconds() >= 0 && given.getSeconds() <= HEARTBEAT_MAX.toSeconds();
    Duration heartbeat =
        sane ? Duration.ofSeconds(given.getSeconds(), given.getNanos()) : Duration.ZERO;
    if (heartbeat.compareTo(HEARTBEAT_MIN) < 0 || heartbeat.compareTo(HEARTBEAT_MAX) > 0) {
      violations.add("heartbeat_interval", "must be from 1 s to 5 min");
    }
    return heartbeat;
  }
}
