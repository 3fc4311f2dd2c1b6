package dev.tocsin.query;

import com.google.protobuf.ProtocolMessageEnum;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.Position;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.schemas.Key128;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A list request that has been found right. Immutable.
 *
 * @param filter which incidents
 * @param size how many at most, from 1 to 1,000
 * @param skip how many matches come before the page
 * @param below the id below which the page begins; empty for the newest
 * @param minOffsets by partition, what has to be applied before it is read
 */
record ListQuery(
    ListFilter filter, int size, int skip, Optional<Key128> below, Map<Integer, Long> minOffsets) {
  static final int SIZE_DEFAULT = 50;
  static final int SIZE_MAX = 1_000;

  /** As far as page numbers reach, in incidents. */
  static final int SKIP_MAX = 10_000;

  static final int SOURCE_CHARACTERS_MAX = 256;

  /**
   * Reads a request.
   *
   * @param partitions of the log
   * @throws io.grpc.StatusRuntimeException INVALID_ARGUMENT with every violation
   */
  static ListQuery read(ListIncidentsRequest request, String workspace, int partitions) {
    Violations violations = new Violations();
    int size = size(request, violations);
    int skip = skip(request, size, violations);
    ListFilter filter = filter(request, workspace, violations);
    Optional<Key128> below = below(request, filter, violations);
    Map<Integer, Long> minOffsets = minOffsets(request, partitions, violations);
    violations.raise();
    return new ListQuery(filter, size, skip, below, minOffsets);
  }

  private static int size(ListIncidentsRequest request, Violations violations) {
    int size = request.getPageSize();
    if (size < 0) {
      violations.add("page_size", "must not be negative");
    }
    return size <= 0 ? SIZE_DEFAULT : Math.min(size, SIZE_MAX);
  }

  private static int skip(ListIncidentsRequest request, int size, Violations violations) {
    int page = request.getPage();
    if (page < 0) {
      violations.add("page", "must not be negative");
    } else if (page > 0 && !request.getPageToken().isEmpty()) {
      violations.add("page", "must be 0 where page_token is given");
    } else if ((long) page * size > SKIP_MAX) {
      violations.add(
          "page", "page × page_size must be at most 10,000: use page_token to go further");
    }
    return (int) Math.min((long) page * size, SKIP_MAX);
  }

  private static ListFilter filter(
      ListIncidentsRequest request, String workspace, Violations violations) {
    Set<IncidentState> states = EnumSet.noneOf(IncidentState.class);
    List<Integer> stateNumbers = request.getStatesValueList();
    for (int i = 0; i < stateNumbers.size(); i++) {
      take(IncidentState.forNumber(stateNumbers.get(i)), "states", i, states, violations);
    }
    Set<Severity> severities = EnumSet.noneOf(Severity.class);
    List<Integer> severityNumbers = request.getSeveritiesValueList();
    for (int i = 0; i < severityNumbers.size(); i++) {
      take(Severity.forNumber(severityNumbers.get(i)), "severities", i, severities, violations);
    }
    String source = request.getSource();
    if (source.codePointCount(0, source.length()) > SOURCE_CHARACTERS_MAX) {
      violations.add("source", "must be at most 256 characters");
    }
    if (source.indexOf('\0') >= 0) {
      violations.add("source", "must not contain NUL");
    }
    return new ListFilter(workspace, states, severities, source, request.getIncludeSuppressed());
  }

  /** Takes one value of an enum; null is a number that has no name. */
  private static <E extends Enum<E> & ProtocolMessageEnum> void take(
      E value, String field, int index, Set<E> values, Violations violations) {
    if (value == null || value.getNumber() == 0) {
      violations.add(field + "[" + index + "]", "is none of the values that there are");
    } else {
      values.add(value);
    }
  }

  private static Optional<Key128> below(
      ListIncidentsRequest request, ListFilter filter, Violations violations) {
    if (request.getPageToken().isEmpty()) {
      return Optional.empty();
    }
    Optional<PageToken> token = PageToken.parse(request.getPageToken());
    if (token.isEmpty()) {
      violations.add("page_token", "is not a token of a list");
      return Optional.empty();
    }
    // Under a filter that is itself wrong there is nothing to compare with.
    if (violations.none() && !token.get().belongsTo(filter)) {
      violations.add("page_token", "belongs to a list with another filter");
    }
    return token.map(PageToken::below);
  }

  private static Map<Integer, Long> minOffsets(
      ListIncidentsRequest request, int partitions, Violations violations) {
    Map<Integer, Long> offsets = new HashMap<>();
    for (int i = 0; i < request.getMinPositionCount(); i++) {
      Position position = request.getMinPosition(i);
      violations.checkPosition("min_position[" + i + "]", position, partitions);
      offsets.merge(position.getPartition(), position.getOffset(), Math::max);
    }
    return offsets;
  }
}
