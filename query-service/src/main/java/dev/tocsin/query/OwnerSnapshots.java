package dev.tocsin.query;

import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.SnapshotIncidentsRequest;
import dev.tocsin.proto.state.SnapshotIncidentsResponse;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Status;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** Snapshots from the partitions' owners. No thread waits. Thread-safe. */
final class OwnerSnapshots implements Snapshots {
  /** A little longer than an owner lets one be open. */
  private static final Duration OPEN_MAX = Duration.ofSeconds(65);

  private static final int PART_BYTES_MAX = 32 << 20;

  private final OwnerDirectory directory;
  private final OwnerChannels channels;
  private final QueryMetrics metrics;

  OwnerSnapshots(OwnerDirectory directory, OwnerChannels channels, QueryMetrics metrics) {
    this.directory = directory;
    this.channels = channels;
    this.metrics = metrics;
  }

  @Override
  public Reading open(int partition, StreamFilter filter, Taker taker) {
    Optional<ManagedChannel> channel = directory.current().owner(partition).flatMap(channels::to);
    if (channel.isEmpty()) {
      taker.ended(Status.UNAVAILABLE.withDescription("it has no owner"));
      return new Nothing();
    }
    CallOptions options =
        CallOptions.DEFAULT
            .withExecutor(Runnable::run) // what is told is only put aside
            .withMaxInboundMessageSize(PART_BYTES_MAX)
            .withDeadlineAfter(OPEN_MAX.toMillis(), TimeUnit.MILLISECONDS);
    Call call =
        new Call(
            channel.get().newCall(IncidentStateGrpc.getSnapshotIncidentsMethod(), options), taker);
    call.start(
        SnapshotIncidentsRequest.newBuilder()
            .setPartition(partition)
            .setWorkspace(filter.workspace())
            .addAllStates(filter.states())
            .setMinSeverity(filter.minSeverity())
            .setSource(filter.source())
            .setIncludeSuppressed(filter.includeSuppressed())
            .build());
    return call;
  }

  private static final class Nothing implements Reading {
    @Override
    public void next() {}

    @Override
    public void cancel() {}
  }

  private final class Call extends ClientCall.Listener<SnapshotIncidentsResponse>
      implements Reading {
    private final ClientCall<SnapshotIncidentsRequest, SnapshotIncidentsResponse> call;
    private final Taker taker;

    Call(ClientCall<SnapshotIncidentsRequest, SnapshotIncidentsResponse> call, Taker taker) {
      this.call = call;
      this.taker = taker;
    }

    void start(SnapshotIncidentsRequest request) {
      call.start(this, new Metadata());
      call.request(1);
      call.sendMessage(request);
      call.halfClose();
    }

    @Override
    public void next() {
      call.request(1);
    }

    @Override
    public void cancel() {
      call.cancel("nobody takes it any more", null);
    }

    @Override
    public void onMessage(SnapshotIncidentsResponse part) {
      taker.part(part);
    }

    @Override
    public void onClose(Status status, Metadata trailers) {
      metrics.asked(QueryMetrics.Asked.SNAPSHOT_INCIDENTS, status.getCode());
      taker.ended(status);
    }
  }
}
