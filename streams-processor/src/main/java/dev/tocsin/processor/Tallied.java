package dev.tocsin.processor;

import dev.tocsin.runtime.IncidentMapper;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.Tally;

/** An incident and what repeats have made of it. */
record Tallied(Incident incident, Tally tally) {
  /** As callers see it. */
  dev.tocsin.proto.incidents.Incident toProto(int partition) {
    return IncidentMapper.toProto(incident, tally, partition);
  }
}
