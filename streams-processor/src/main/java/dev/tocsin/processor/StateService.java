package dev.tocsin.processor;

import dev.tocsin.engine.DigestSum;
import dev.tocsin.engine.Receipts;
import dev.tocsin.processor.PartitionView.TooManyWaitersException;
import dev.tocsin.proto.admin.PartitionProgress;
import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.Owners;
import dev.tocsin.proto.state.PreviewSilenceRequest;
import dev.tocsin.proto.state.PreviewSilenceResponse;
import dev.tocsin.proto.state.ReadDigestRequest;
import dev.tocsin.proto.state.ReadDigestResponse;
import dev.tocsin.proto.state.ReadIncidentRequest;
import dev.tocsin.proto.state.ReadIncidentResponse;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.proto.state.ReadProgressRequest;
import dev.tocsin.proto.state.ReadProgressResponse;
import dev.tocsin.proto.state.ReadSightingsRequest;
import dev.tocsin.proto.state.ReadSightingsResponse;
import dev.tocsin.proto.state.ReadSilencesRequest;
import dev.tocsin.proto.state.ReadSilencesResponse;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.proto.state.ScanIncidentsResponse;
import dev.tocsin.proto.state.SnapshotIncidentsRequest;
import dev.tocsin.proto.state.SnapshotIncidentsResponse;
import dev.tocsin.proto.state.WatchOwnersRequest;
import dev.tocsin.runtime.Errors;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.Codec.UnknownSchemaException;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.PartitionState;
import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.apache.kafka.streams.errors.InvalidStateStoreException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The internal API: reads from the stores of the partitions that this instance owns, and, where the
 * caller allows it, from the copies that it keeps of others. Reads of RocksDB may block, so it runs
 * on a pool; a read that waits for a position holds no thread.
 */
final class StateService extends IncidentStateGrpc.IncidentStateImplBase {
  private static final Logger LOG = LoggerFactory.getLogger(StateService.class);
  private static final Duration RETRY_AFTER = Duration.ofMillis(200);
  private static final int ID_BYTES = 16;

  private final PartitionViews views;
  private final OwnerFeed owners;
  private final PositionWait positions;
  private final Standbys standbys;
  private final SnapshotCalls snapshots;
  private final EntryReader log;
  private final Codec<LogEntry> entries;

  /**
   * A service over these.
   *
   * @param log where an entry is read again
   * @param entries reads what is found there
   */
  StateService(
      PartitionViews views,
      OwnerFeed owners,
      PositionWait positions,
      Standbys standbys,
      SnapshotCalls snapshots,
      EntryReader log,
      Codec<LogEntry> entries) {
    this.log = log;
    this.entries = entries;
    this.standbys = standbys;
    this.views = views;
    this.owners = owners;
    this.positions = positions;
    this.snapshots = snapshots;
  }

  @Override
  public void watchOwners(WatchOwnersRequest request, StreamObserver<Owners> reply) {
    owners.watch((ServerCallStreamObserver<Owners>) reply);
  }

  @Override
  public void readIncident(
      ReadIncidentRequest request, StreamObserver<ReadIncidentResponse> reply) {
    if (request.getId().size() != ID_BYTES) {
      reply.onError(Errors.invalid("id", "must be 16 bytes"));
      return;
    }
    long minOffset = request.hasMinOffset() ? request.getMinOffset() : -1;
    answer(
        request.getPartition(),
        minOffset,
        request.getAllowStandby(),
        reply,
        view -> read(view, request));
  }

  @Override
  public void scanIncidents(
      ScanIncidentsRequest request, StreamObserver<ScanIncidentsResponse> reply) {
    int before = request.getBeforeId().size();
    if (request.getLimit() < 1 || (before != 0 && before != ID_BYTES)) {
      reply.onError(
          Errors.invalid(
              "limit, before_id", "limit must be positive, before_id absent or 16 bytes"));
      return;
    }
    long minOffset = request.hasMinOffset() ? request.getMinOffset() : -1;
    Context call = Context.current();
    answer(
        request.getPartition(),
        minOffset,
        request.getAllowStandby(),
        reply,
        view -> new IncidentScan(view, request).run(call::isCancelled));
  }

  @Override
  public void readOutcome(ReadOutcomeRequest request, StreamObserver<ReadOutcomeResponse> reply) {
    if (request.getContent().size() != ID_BYTES) {
      reply.onError(Errors.invalid("content", "must be 16 bytes"));
      return;
    }
    answerAsOwner(
        request.getPartition(),
        request.getMinOffset(),
        reply,
        view -> OutcomeReader.read(view, request));
  }

  @Override
  public void readSightings(
      ReadSightingsRequest request, StreamObserver<ReadSightingsResponse> reply) {
    PartitionView view = views.answering(request.getPartition()).orElse(null);
    if (view == null) {
      reply.onError(unavailable(request.getPartition()));
      return;
    }
    if (reply instanceof ServerCallStreamObserver<?> observer) {
      // Else an answer to a caller who has gone would end the thread that reads for all of them.
      observer.setOnCancelHandler(() -> {});
    }
    Context call = Context.current();
    long minOffset = request.hasMinOffset() ? request.getMinOffset() : -1;
    whenApplied(view, minOffset, reply, () -> readSightings(view, request, call, reply));
  }

  private void readSightings(
      PartitionView view,
      ReadSightingsRequest request,
      Context call,
      StreamObserver<ReadSightingsResponse> reply) {
    Receipts.Found found = SightingReader.find(view, request);
    if (found.newest().isEmpty()) {
      finish(view, reply, SightingReader::nothing);
      return;
    }
    log.ask(
        call.getDeadline(),
        new EntryReader.Question() {
          @Override
          public void ask(EntryReader.Entries log) {
            finish(
                view,
                reply,
                each -> {
                  if (call.isCancelled()) {
                    throw new CancellationException();
                  }
                  return SightingReader.read(entries, each, request, found, log);
                });
          }

          @Override
          public void refused(StatusRuntimeException why) {
            reply.onError(why);
          }
        });
  }

  @Override
  public void readSilences(
      ReadSilencesRequest request, StreamObserver<ReadSilencesResponse> reply) {
    if (!request.getId().isEmpty() && request.getId().size() != ID_BYTES) {
      reply.onError(Errors.invalid("id", "must be absent or 16 bytes"));
      return;
    }
    answerAsOwner(
        request.getPartition(),
        request.hasMinOffset() ? request.getMinOffset() : -1,
        reply,
        view -> SilenceReads.read(view, request));
  }

  @Override
  public void previewSilence(
      PreviewSilenceRequest request, StreamObserver<PreviewSilenceResponse> reply) {
    Context call = Context.current();
    answerAsOwner(
        request.getPartition(),
        -1,
        reply,
        view -> SilenceReads.preview(view, request, call::isCancelled));
  }

  @Override
  public void readProgress(
      ReadProgressRequest request, StreamObserver<ReadProgressResponse> reply) {
    ReadProgressResponse.Builder response = ReadProgressResponse.newBuilder();
    views.owned().forEach(view -> response.addPartitions(progress(view)));
    reply.onNext(response.build());
    reply.onCompleted();
  }

  @Override
  public void snapshotIncidents(
      SnapshotIncidentsRequest request, StreamObserver<SnapshotIncidentsResponse> reply) {
    PartitionView view = views.answering(request.getPartition()).orElse(null);
    if (view == null) {
      reply.onError(unavailable(request.getPartition()));
      return;
    }
    snapshots.open(
        view,
        IncidentFilter.of(request),
        (ServerCallStreamObserver<SnapshotIncidentsResponse>) reply);
  }

  @Override
  public void readDigest(ReadDigestRequest request, StreamObserver<ReadDigestResponse> reply) {
    Context call = Context.current();
    answerAsOwner(request.getPartition(), -1, reply, view -> digest(view, call));
  }

  /**
   * Answers from the partition's view, once the entry at {@code minOffset} is applied, or says why
   * not.
   */
  private <R> void answer(
      int partition,
      long minOffset,
      boolean allowStandby,
      StreamObserver<R> reply,
      Function<IncidentView, R> read) {
    PartitionView view = views.answering(partition).orElse(null);
    if (view == null) {
      if (allowStandby && minOffset < 0) {
        answerFromCopy(partition, reply, read);
      } else {
        reply.onError(unavailable(partition));
      }
      return;
    }
    answer(view, minOffset, reply, read);
  }

  private <R> void answer(
      PartitionView view,
      long minOffset,
      StreamObserver<R> reply,
      Function<? super PartitionView, R> read) {
    whenApplied(view, minOffset, reply, () -> finish(view, reply, read));
  }

  private void whenApplied(
      PartitionView view, long minOffset, StreamObserver<?> reply, Runnable answer) {
    if (view.appliedOffset() > minOffset) {
      answer.run();
      return;
    }
    Deadline deadline = Context.current().getDeadline();
    try {
      CompletableFuture<Void> unused =
          positions
              .until(view, minOffset, deadline)
              .whenComplete(
                  (done, failure) -> {
                    if (failure == null) {
                      answer.run();
                    } else {
                      reply.onError(failed(view.partition(), failure));
                    }
                  });
    } catch (TooManyWaitersException e) {
      reply.onError(Errors.unavailable(e.getMessage(), RETRY_AFTER));
    }
  }

  /** As owner only. */
  private <R> void answerAsOwner(
      int partition, long minOffset, StreamObserver<R> reply, Function<PartitionView, R> read) {
    PartitionView view = views.answering(partition).orElse(null);
    if (view == null) {
      reply.onError(unavailable(partition));
    } else {
      answer(view, minOffset, reply, read);
    }
  }

  /** Answers from a copy that is not the owner's, or is not that of an owner yet. */
  private <R> void answerFromCopy(
      int partition, StreamObserver<R> reply, Function<IncidentView, R> read) {
    CompletionStage<StandbyView> unused =
        standbys
            .view(partition)
            .whenComplete(
                (view, failure) -> {
                  if (failure == null) {
                    finish(view, reply, each -> checked(each, read.apply(each)));
                  } else {
                    LOG.debug("no copy of partition {} answers", partition, failure);
                    reply.onError(unavailable(partition));
                  }
                });
  }

  private <R> R checked(StandbyView view, R answer) {
    standbys.check(view);
    return answer;
  }

  private <V extends IncidentView, R> void finish(
      V view, StreamObserver<R> reply, Function<? super V, R> read) {
    R response;
    try {
      response = read.apply(view);
    } catch (InvalidStateStoreException closed) {
      reply.onError(unavailable(view.partition())); // the partition moved away while it was read
      return;
    } catch (UnknownSchemaException newer) {
      LOG.debug("partition {} cannot be read yet", view.partition(), newer);
      reply.onError(unavailable(view.partition())); // until its writer's schema is known here
      return;
    } catch (StatusRuntimeException told) {
      reply.onError(told);
      return;
    } catch (CancellationException nobodyWaits) {
      reply.onError(Status.CANCELLED.asRuntimeException());
      return;
    } catch (RuntimeException e) {
      LOG.error("a read of partition {} failed", view.partition(), e);
      reply.onError(Status.INTERNAL.withDescription("the read failed").asRuntimeException());
      return;
    }
    reply.onNext(response);
    reply.onCompleted();
  }

  private static StatusRuntimeException failed(int partition, Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof StatusRuntimeException told) {
      return told;
    }
    if (cause instanceof CancellationException) {
      return unavailable(partition);
    }
    return Errors.unavailable("the log's end cannot be read: " + cause.getMessage(), RETRY_AFTER);
  }

  private static StatusRuntimeException unavailable(int partition) {
    return Errors.unavailable(
        "partition " + partition + " is not answered by this instance now", RETRY_AFTER);
  }

  private static ReadIncidentResponse read(IncidentView view, ReadIncidentRequest request) {
    ReadIncidentResponse.Builder response =
        ReadIncidentResponse.newBuilder().setAppliedOffset(view.state().getAppliedOffset());
    view.staleness().ifPresent(response::setStaleness);
    view.read(new Key128(request.getId().toByteArray()))
        .filter(found -> found.incident().getWorkspace().equals(request.getWorkspace()))
        .ifPresent(found -> response.setIncident(found.toProto(view.partition())));
    return response.build();
  }

  private static ReadDigestResponse digest(PartitionView view, Context call) {
    try (StoreSnapshot snapshot = view.store().snapshot()) {
      DigestSum sum = new DigestSum();
      snapshot.forEach(
          each -> {
            if (call.isCancelled()) {
              throw new CancellationException();
            }
            sum.add(each.incident(), each.tally());
          });
      return ReadDigestResponse.newBuilder()
          .setAppliedOffset(snapshot.state().getAppliedOffset())
          .setIncidents(sum.incidents())
          .setContent(sum.content())
          .setExact(sum.exact())
          .build();
    }
  }

  private static PartitionProgress progress(PartitionView view) {
    PartitionState state = view.state();
    return PartitionProgress.newBuilder()
        .setPartition(view.partition())
        .setAppliedOffset(state.getAppliedOffset())
        .setCaughtUp(view.caughtUp())
        .setAlerts(state.getAlerts())
        .setOccurrences(state.getOccurrences())
        .setRedelivered(state.getRedelivered())
        .setResolved(state.getResolved())
        .setUnmatched(state.getUnmatched())
        .setStale(state.getStale())
        .setOpened(state.getOpened())
        .setDeadLettered(state.getDeadLettered())
        .setMuted(state.getMuted())
        .setRulesVersion(view.store().rules().getVersion())
        .setSuppressed(state.getSuppressed())
        .setInhibitionsFull(state.getInhibitionsFull())
        .setSilences(state.getSilences())
        .setSilencesFull(state.getSilencesFull())
        .build();
  }
}
