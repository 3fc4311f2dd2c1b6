package dev.tocsin.query;

import com.google.protobuf.MessageLite;
import dev.tocsin.ops.SilenceMatchers;
import dev.tocsin.proto.incidents.Silence;
import dev.tocsin.proto.incidents.SilenceState;
import dev.tocsin.proto.state.KeptSilence;
import dev.tocsin.proto.state.ReadSilencesResponse;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What all partitions keep of a workspace's silences: each once, as the partition has it that is
 * furthest, with how many have it. Immutable.
 */
final class KeptSilences {
  /** Of a list's ended ones and the others together; those are less than a gRPC message may be. */
  private static final int BYTES_MAX = 3 << 20;

  private static final Comparator<Silence> NEWEST_FIRST =
      Comparator.<Silence>comparingLong(each -> SilenceReader.ms(each.getCreatedAt()))
          .thenComparing(Silence::getId)
          .reversed();

  private final List<ReadSilencesResponse> parts;
  private final Map<String, Silence> byId = new TreeMap<>();

  /** As the partitions tell of them, one part each. */
  KeptSilences(List<ReadSilencesResponse> parts) {
    this.parts = List.copyOf(parts);
    for (ReadSilencesResponse part : parts) {
      for (KeptSilence kept : part.getSilencesList()) {
        Silence one = kept.getSilence().toBuilder().setPartitions(1).build();
        byId.merge(one.getId(), one, KeptSilences::both);
      }
    }
  }

  /** One that some partition tells of, with what was asked for. */
  Optional<KeptSilence> first() {
    return parts.stream().flatMap(part -> part.getSilencesList().stream()).findFirst();
  }

  /** The silence of that id. */
  Optional<Silence> find(Key128 id) {
    return Optional.ofNullable(byId.get(IncidentId.text(id)));
  }

  /** Whether some partition has no room for another one. */
  boolean isFull() {
    return parts.stream().anyMatch(part -> part.getLasting() >= SilenceMatchers.LASTING_MAX);
  }

  /** What the expressions of those that have not ended may cost an incident, where it is most. */
  long steps() {
    return parts.stream().mapToLong(ReadSilencesResponse::getLastingSteps).max().orElse(0);
  }

  /** Newest first: those that have not ended, and of the others as many as have room. */
  List<Silence> list(boolean alsoEnded) {
    Map<Boolean, List<Silence>> byEnd =
        byId.values().stream()
            .sorted(NEWEST_FIRST)
            .collect(Collectors.partitioningBy(KeptSilences::hasEnded));
    List<Silence> told = new ArrayList<>(byEnd.get(false));
    int bytes = told.stream().mapToInt(MessageLite::getSerializedSize).sum();
    for (Silence each : byEnd.get(true)) {
      bytes += each.getSerializedSize();
      if (alsoEnded && bytes <= BYTES_MAX) {
        told.add(each);
      }
    }
    told.sort(NEWEST_FIRST);
    return told;
  }

  static boolean hasEnded(Silence silence) {
    return silence.getState() == SilenceState.SILENCE_STATE_ENDED;
  }

  private static Silence both(Silence one, Silence other) {
    Silence further = one.getStateValue() >= other.getStateValue() ? one : other;
    return further.toBuilder().setPartitions(one.getPartitions() + other.getPartitions()).build();
  }
}
