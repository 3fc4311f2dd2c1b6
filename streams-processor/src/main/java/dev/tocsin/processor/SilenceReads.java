package dev.tocsin.processor;

import com.google.protobuf.ByteString;
import dev.tocsin.engine.IncidentMatcher;
import dev.tocsin.engine.MatcherText;
import dev.tocsin.proto.incidents.Silence;
import dev.tocsin.proto.incidents.SilenceState;
import dev.tocsin.proto.state.KeptSilence;
import dev.tocsin.proto.state.PreviewSilenceRequest;
import dev.tocsin.proto.state.PreviewSilenceResponse;
import dev.tocsin.proto.state.ReadSilencesRequest;
import dev.tocsin.proto.state.ReadSilencesResponse;
import dev.tocsin.runtime.IncidentMapper;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.SilencePhase;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/** What a partition tells of silences: those that it keeps, and what one would hide. */
final class SilenceReads {
  /** Index entries that a preview looks at. */
  static final int BUDGET = IncidentScan.BUDGET;

  private static final int CANCEL_CHECK = 256;

  private SilenceReads() {}

  /** The silences of a workspace, or one of them. */
  static ReadSilencesResponse read(PartitionView view, ReadSilencesRequest request) {
    ReadSilencesResponse.Builder response =
        ReadSilencesResponse.newBuilder().setAppliedOffset(view.state().getAppliedOffset());
    Optional<Key128> id =
        request.getId().isEmpty()
            ? Optional.empty()
            : Optional.of(new Key128(request.getId().toByteArray()));
    for (dev.tocsin.schemas.SilenceState each : view.store().readSilences(request.getWorkspace())) {
      if (each.getPhase() != SilencePhase.ENDED) {
        response.setLasting(response.getLasting() + 1);
        id.ifPresent(
            any ->
                response.setLastingSteps(
                    response.getLastingSteps()
                        + IncidentMatcher.steps(each.getSilence().getMatchers())));
      }
      if (id.isEmpty() || id.get().equals(each.getSilence().getId())) {
        response.addSilences(
            KeptSilence.newBuilder()
                .setSilence(toProto(each))
                .setContent(ByteString.copyFrom(each.getSilence().getContent().bytes())));
      }
    }
    return response.build();
  }

  /**
   * The open incidents that the matchers match.
   *
   * @throws CancellationException if nobody waits for it any longer
   */
  static PreviewSilenceResponse preview(
      PartitionView view, PreviewSilenceRequest request, BooleanSupplier cancelled) {
    IncidentMatcher matcher =
        new IncidentMatcher(request.getMatchersList().stream().map(MatcherText::read).toList());
    PreviewSilenceResponse.Builder response = PreviewSilenceResponse.newBuilder();
    int bytes = 0;
    try (IndexWalk walk = view.walk(request.getWorkspace(), true, false, null)) {
      Key128 id = walk.next();
      for (int walked = 0; id != null && walked < BUDGET; walked++) {
        Optional<Tallied> found = view.read(id);
        if (found.isPresent() && matcher.matches(found.get().incident())) {
          response.setCount(response.getCount() + 1);
          if (response.getIncidentsCount() < request.getLimit() && bytes < IncidentScan.BYTES_MAX) {
            response.addIncidents(found.get().toProto(view.partition()));
            bytes += response.getIncidents(response.getIncidentsCount() - 1).getSerializedSize();
          }
        }
        if (walked % CANCEL_CHECK == 0 && cancelled.getAsBoolean()) {
          throw new CancellationException();
        }
        id = walk.next();
      }
      return response.setMore(id != null).build();
    }
  }

  private static Silence toProto(dev.tocsin.schemas.SilenceState state) {
    dev.tocsin.schemas.Silence silence = state.getSilence();
    Silence.Builder to =
        Silence.newBuilder()
            .setId(IncidentId.text(silence.getId()))
            .setStart(IncidentMapper.time(silence.getStartMs()))
            .setEnd(IncidentMapper.time(state.getEndMs()))
            .setAuthor(silence.getAuthor())
            .setComment(silence.getComment())
            .setCreatedAt(IncidentMapper.time(silence.getCreatedAtMs()))
            .setState(
                switch (state.getPhase()) {
                  case PENDING -> SilenceState.SILENCE_STATE_PENDING;
                  case ACTIVE -> SilenceState.SILENCE_STATE_ACTIVE;
                  case ENDED -> SilenceState.SILENCE_STATE_ENDED;
                  case OTHER -> SilenceState.SILENCE_STATE_UNSPECIFIED;
                })
            .setExpiredBy(state.getExpiredBy());
    silence.getMatchers().forEach(each -> to.addMatchers(MatcherText.of(each)));
    return to.build();
  }
}
