package dev.tocsin.processor;

import dev.tocsin.engine.Outcomes;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.proto.state.ReadOutcomeResponse.Code;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Outcome;
import dev.tocsin.schemas.OutcomeCode;
import java.util.Optional;

/** What became of a command whose entry is applied. */
final class OutcomeReader {
  private OutcomeReader() {}

  /**
   * The outcome of its request, and the incident as it is now. The store's outcome may be of
   * another command under the same request id: that is told, and nothing about the other one. A
   * request without an outcome was refused, if this owner has noted that; else nobody knows.
   */
  static ReadOutcomeResponse read(PartitionView view, ReadOutcomeRequest request) {
    ReadOutcomeResponse.Builder response =
        ReadOutcomeResponse.newBuilder().setAppliedOffset(view.appliedOffset());
    Key128 key = Outcomes.key(request.getWorkspace(), request.getRequestId());
    Optional<Outcome> found = view.store().readOutcome(key);
    if (found.isEmpty()) {
      return view.refused().contains(key)
          ? response
              .setFound(true)
              .setCode(Code.RESOURCE_EXHAUSTED)
              .setMessage("too many outcomes were kept already; nothing was done")
              .build()
          : response.build();
    }
    Outcome outcome = found.get();
    response.setFound(true);
    if (!outcome.getContent().equals(new Key128(request.getContent().toByteArray()))) {
      return response
          .setCode(Code.CONFLICT)
          .setMessage("the request id was used for something else")
          .build();
    }
    if (outcome.getIncident() != null) {
      view.store()
          .read(outcome.getIncident())
          .ifPresent(incident -> response.setIncident(incident.toProto(view.partition())));
    }
    return response.setCode(code(outcome.getCode())).setMessage(outcome.getMessage()).build();
  }

  static Code code(OutcomeCode code) {
    return switch (code) {
      case DONE -> Code.DONE;
      case NOT_FOUND -> Code.NOT_FOUND;
      case FAILED_PRECONDITION -> Code.FAILED_PRECONDITION;
      case ABORTED -> Code.ABORTED;
      case CONFLICT -> Code.CONFLICT;
      case RESOURCE_EXHAUSTED -> Code.RESOURCE_EXHAUSTED;
      case OTHER -> Code.CODE_UNSPECIFIED;
    };
  }
}
