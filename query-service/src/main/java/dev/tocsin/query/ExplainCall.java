package dev.tocsin.query;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.AlertSighting;
import dev.tocsin.proto.incidents.ExplainAlertRequest;
import dev.tocsin.proto.incidents.ExplainAlertResponse;
import dev.tocsin.proto.state.ReadSightingsRequest;
import dev.tocsin.proto.state.ReadSightingsResponse;
import dev.tocsin.runtime.Errors;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * One ExplainAlert call: asks the owners of all partitions at once, since what an alert was routed
 * by is not known, and answers when all have. One that does not answer fails it all. Thread-safe:
 * answers come in any thread.
 */
final class ExplainCall {
  /** Of more sightings the newest are told. */
  static final int SIGHTINGS_MAX = 100;

  private static final Comparator<AlertSighting> NEWEST_FIRST =
      Comparator.comparing(
              AlertSighting::getLoggedAt,
              Comparator.comparingLong(Timestamp::getSeconds).thenComparingInt(Timestamp::getNanos))
          .thenComparingLong(sighting -> sighting.getPosition().getOffset())
          .thenComparingInt(sighting -> sighting.getPosition().getIndex())
          .reversed();

  private final ExplainAlertRequest asked;
  private final String workspace;
  private final int partitions;
  private final CallTime time;
  private final OwnerCalls owners;
  private final Reply<ExplainAlertResponse> reply;
  private final List<AlertSighting> sightings = new ArrayList<>(); // of the lock, as what follows
  private int answers;
  private long leftOut;
  private long windowMs;

  ExplainCall(
      ExplainAlertRequest asked,
      String workspace,
      int partitions,
      CallTime time,
      OwnerCalls owners,
      Reply<ExplainAlertResponse> reply) {
    this.asked = asked;
    this.workspace = workspace;
    this.partitions = partitions;
    this.time = time;
    this.owners = owners;
    this.reply = reply;
  }

  /** Asks. Returns at once. */
  void start() {
    for (int partition = 0; partition < partitions; partition++) {
      owners.sightings(
          request(partition),
          time,
          new OwnerCalls.Answer<>() {
            @Override
            public void is(ReadSightingsResponse response) {
              take(response);
            }

            @Override
            public void failed(StatusRuntimeException error) {
              reply.fail(error);
            }
          });
    }
  }

  private ReadSightingsRequest request(int partition) {
    ReadSightingsRequest.Builder request =
        ReadSightingsRequest.newBuilder()
            .setPartition(partition)
            .setWorkspace(workspace)
            .setSource(asked.getSource())
            .setAlertId(asked.getAlertId());
    if (asked.hasMinPosition() && asked.getMinPosition().getPartition() == partition) {
      request.setMinOffset(asked.getMinPosition().getOffset());
    }
    return request.build();
  }

  private synchronized void take(ReadSightingsResponse response) {
    sightings.addAll(response.getSightingsList());
    leftOut += response.getLeftOut();
    windowMs = Math.max(windowMs, response.getReceiptWindowMs());
    answers++;
    if (answers == partitions) {
      finish();
    }
  }

  private void finish() {
    if (sightings.isEmpty()) {
      reply.fail(nothing());
      return;
    }
    sightings.sort(NEWEST_FIRST);
    int told = Math.min(sightings.size(), SIGHTINGS_MAX);
    reply.send(
        ExplainAlertResponse.newBuilder()
            .addAllSightings(sightings.subList(0, told))
            .setSightingsLeftOut(leftOut + sightings.size() - told)
            .build());
  }

  private StatusRuntimeException nothing() {
    return Errors.notFound(
        ("no alert %s of source %s is remembered here: it was applied longer ago than the receipt window (%s),"
                + " was never acknowledged, or its id was made by the edge, because its source gave it none")
            .formatted(asked.getAlertId(), asked.getSource(), Duration.ofMillis(windowMs)));
  }
}
