package dev.tocsin.processor;

import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.FingerprintState;
import dev.tocsin.schemas.GroupState;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.InhibitionState;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.PartitionState;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.SchemaRefusal;
import dev.tocsin.schemas.SilenceState;
import dev.tocsin.schemas.Tally;
import dev.tocsin.schemas.WorkspaceSilences;
import java.util.List;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * How the records of the stores are written and read, those of newer owners too once their schemas
 * are known. Thread-safe.
 */
final class StateCodecs {
  /** What this software writes into stores. */
  static final List<Class<? extends SpecificRecordBase>> WRITTEN =
      List.of(
          FingerprintState.class,
          GroupState.class,
          Incident.class,
          Tally.class,
          Outcome.class,
          InhibitionState.class,
          SilenceState.class,
          WorkspaceSilences.class,
          PartitionState.class,
          Rules.class);

  private final Codec<FingerprintState> fingerprints = Codec.of(FingerprintState.class);
  private final Codec<GroupState> groups = Codec.of(GroupState.class);
  private final Codec<Incident> incidents = Codec.of(Incident.class);
  private final Codec<Tally> tallies = Codec.of(Tally.class);
  private final Codec<Outcome> outcomes = Codec.of(Outcome.class);
  private final Codec<InhibitionState> inhibitions = Codec.of(InhibitionState.class);
  private final Codec<SilenceState> silences = Codec.of(SilenceState.class);
  private final Codec<WorkspaceSilences> workspaceSilences = Codec.of(WorkspaceSilences.class);
  private final Codec<PartitionState> states = Codec.of(PartitionState.class);
  private final Codec<Rules> rules = Codec.of(Rules.class);

  /**
   * Takes what a record of the schemas' topic holds; {@link SchemaRefusal#OTHER_RECORD} if it is of
   * no record of the stores.
   */
  Optional<SchemaRefusal> learn(byte[] key, byte[] json) {
    for (Codec<?> codec :
        List.of(
            fingerprints,
            groups,
            incidents,
            tallies,
            outcomes,
            inhibitions,
            silences,
            workspaceSilences,
            states,
            rules)) {
      Optional<SchemaRefusal> refusal = codec.learn(key, json);
      if (refusal.isEmpty() || refusal.get() != SchemaRefusal.OTHER_RECORD) {
        return refusal;
      }
    }
    return Optional.of(SchemaRefusal.OTHER_RECORD);
  }

  Codec<FingerprintState> fingerprints() {
    return fingerprints;
  }

  Codec<GroupState> groups() {
    return groups;
  }

  Codec<Incident> incidents() {
    return incidents;
  }

  Codec<Tally> tallies() {
    return tallies;
  }

  Codec<Outcome> outcomes() {
    return outcomes;
  }

  Codec<InhibitionState> inhibitions() {
    return inhibitions;
  }

  Codec<SilenceState> silences() {
    return silences;
  }

  Codec<WorkspaceSilences> workspaceSilences() {
    return workspaceSilences;
  }

  Codec<PartitionState> states() {
    return states;
  }

  Codec<Rules> rules() {
    return rules;
  }
}
