package dev.tocsin.query;

import com.google.protobuf.ByteString;
import com.google.rpc.Code;
import dev.tocsin.ops.SilenceMatchers;
import dev.tocsin.proto.incidents.CreateSilenceRequest;
import dev.tocsin.proto.incidents.CreateSilenceResponse;
import dev.tocsin.proto.incidents.ExpireSilenceRequest;
import dev.tocsin.proto.incidents.ExpireSilenceResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.ListSilencesRequest;
import dev.tocsin.proto.incidents.ListSilencesResponse;
import dev.tocsin.proto.incidents.PreviewSilenceRequest;
import dev.tocsin.proto.incidents.PreviewSilenceResponse;
import dev.tocsin.proto.incidents.SilenceState;
import dev.tocsin.proto.incidents.SilencesGrpc;
import dev.tocsin.proto.state.KeptSilence;
import dev.tocsin.proto.state.ReadSilencesRequest;
import dev.tocsin.proto.state.ReadSilencesResponse;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Errors;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.LogEntries;
import dev.tocsin.schemas.LogEntry;
import dev.tocsin.schemas.Silence;
import dev.tocsin.schemas.SilenceExpired;
import io.grpc.Context;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Silences: created and ended by one entry in every partition of the log, told by what all owners
 * keep. None of it blocks; thread-safe.
 */
final class SilenceCalls extends SilencesGrpc.SilencesImplBase {
  private static final Logger LOG = LoggerFactory.getLogger(SilenceCalls.class);

  /** Calls under way at once; one more is UNAVAILABLE. */
  private static final int CALLS_MAX = 64;

  /** Of the incidents that a preview tells; with one more, less than a gRPC message may have. */
  private static final int BYTES_MAX = 3 << 20;

  /** Silences come to their ends by the hour. */
  private static final Duration FULL_RETRY_AFTER = Duration.ofMinutes(10);

  private static final Codec<LogEntry> ENTRIES = Codec.of(LogEntry.class);

  private final QueryConfig config;
  private final SilenceReader reader;
  private final OwnerDirectory directory;
  private final CommandLog log;
  private final OwnerCalls owners;
  private final Semaphore places = new Semaphore(CALLS_MAX);

  SilenceCalls(
      QueryConfig config,
      SilenceReader reader,
      OwnerDirectory directory,
      CommandLog log,
      OwnerCalls owners) {
    this.config = config;
    this.reader = reader;
    this.directory = directory;
    this.log = log;
    this.owners = owners;
  }

  @Override
  public void createSilence(
      CreateSilenceRequest request, StreamObserver<CreateSilenceResponse> replies) {
    serve(
        replies,
        call -> {
          SilenceReader.Asked asked = reader.read(request);
          String id = IncidentId.text(asked.silence().getId());
          return call.read(any -> null)
              .thenApply(kept -> toAppend(asked.silence(), kept))
              .thenCompose(silence -> call.append(LogEntries.of(silence), asked.requestId()))
              .thenCompose(call::read)
              .thenApply(kept -> created(id, kept))
              .thenApply(
                  silence ->
                      CreateSilenceResponse.newBuilder()
                          .setSilence(silence)
                          .setRequestId(asked.requestId())
                          .build());
        });
  }

  @Override
  public void expireSilence(
      ExpireSilenceRequest request, StreamObserver<ExpireSilenceResponse> replies) {
    serve(
        replies,
        call -> {
          SilenceExpired asked = reader.expired(request.getId());
          String id = IncidentId.text(asked.getId());
          return call.read(any -> null)
              .thenCompose(
                  kept -> {
                    known(id, kept);
                    return call.append(LogEntries.of(asked), "");
                  })
              .thenCompose(call::read)
              .thenApply(
                  kept -> ExpireSilenceResponse.newBuilder().setSilence(known(id, kept)).build());
        });
  }

  @Override
  public void listSilences(
      ListSilencesRequest request, StreamObserver<ListSilencesResponse> replies) {
    serve(
        replies,
        call ->
            call.read(any -> null)
                .thenApply(
                    kept ->
                        ListSilencesResponse.newBuilder()
                            .addAllSilences(
                                merged(kept).values().stream()
                                    .filter(each -> request.getIncludeEnded() || !ended(each))
                                    .sorted(NEWEST_FIRST)
                                    .toList())
                            .setPartitions(call.partitions)
                            .build()));
  }

  @Override
  public void previewSilence(
      PreviewSilenceRequest request, StreamObserver<PreviewSilenceResponse> replies) {
    serve(
        replies,
        call -> {
          int limit = SilenceReader.limit(request);
          return call.preview(request, limit).thenApply(parts -> merged(parts, limit));
        });
  }

  private static final Comparator<dev.tocsin.proto.incidents.Silence> NEWEST_FIRST =
      Comparator.<dev.tocsin.proto.incidents.Silence>comparingLong(
              each -> SilenceReader.ms(each.getCreatedAt()))
          .thenComparing(dev.tocsin.proto.incidents.Silence::getId)
          .reversed();

  /** The silence that is to be in every partition: one that is known already stays as it is. */
  private static Silence toAppend(Silence asked, List<ReadSilencesResponse> kept) {
    String id = IncidentId.text(asked.getId());
    Optional<KeptSilence> known =
        kept.stream()
            .flatMap(part -> part.getSilencesList().stream())
            .filter(each -> each.getSilence().getId().equals(id))
            .findFirst();
    if (known.isPresent()) {
      if (!known.get().getContent().equals(ByteString.copyFrom(asked.getContent().bytes()))) {
        throw Errors.invalid("request_id", "was used for another silence");
      }
      return SilenceReader.again(asked.getWorkspace(), known.get());
    }
    if (kept.stream().anyMatch(SilenceCalls::isFull)) {
      throw full();
    }
    return asked;
  }

  private static boolean isFull(ReadSilencesResponse part) {
    return part.getSilencesList().stream().filter(each -> !ended(each.getSilence())).count()
        >= SilenceMatchers.LASTING_MAX;
  }

  private static dev.tocsin.proto.incidents.Silence created(
      String id, List<ReadSilencesResponse> kept) {
    dev.tocsin.proto.incidents.Silence silence = merged(kept).get(id);
    if (silence == null) {
      throw full();
    }
    return silence;
  }

  private static dev.tocsin.proto.incidents.Silence known(
      String id, List<ReadSilencesResponse> kept) {
    dev.tocsin.proto.incidents.Silence silence = merged(kept).get(id);
    if (silence == null) {
      throw Errors.notFound("there is no silence " + id);
    }
    return silence;
  }

  private static StatusRuntimeException full() {
    return Errors.exhausted(
        "the workspace has %d silences that have not ended: end some, or wait"
            .formatted(SilenceMatchers.LASTING_MAX),
        FULL_RETRY_AFTER);
  }

  /** Each silence once, as the partition has it that is furthest. */
  private static Map<String, dev.tocsin.proto.incidents.Silence> merged(
      List<ReadSilencesResponse> parts) {
    Map<String, dev.tocsin.proto.incidents.Silence> all = new TreeMap<>();
    for (ReadSilencesResponse part : parts) {
      for (KeptSilence kept : part.getSilencesList()) {
        dev.tocsin.proto.incidents.Silence one =
            kept.getSilence().toBuilder().setPartitions(1).build();
        all.merge(one.getId(), one, SilenceCalls::both);
      }
    }
    return all;
  }

  private static dev.tocsin.proto.incidents.Silence both(
      dev.tocsin.proto.incidents.Silence one, dev.tocsin.proto.incidents.Silence other) {
    var further = one.getStateValue() >= other.getStateValue() ? one : other;
    return further.toBuilder().setPartitions(one.getPartitions() + other.getPartitions()).build();
  }

  private static boolean ended(dev.tocsin.proto.incidents.Silence silence) {
    return silence.getState() == SilenceState.SILENCE_STATE_ENDED;
  }

  private static PreviewSilenceResponse merged(
      List<dev.tocsin.proto.state.PreviewSilenceResponse> parts, int limit) {
    PreviewSilenceResponse.Builder whole = PreviewSilenceResponse.newBuilder();
    parts.forEach(
        part -> {
          whole.setCount(whole.getCount() + part.getCount());
          whole.setMore(whole.getMore() || part.getMore());
        });
    List<Incident> newestFirst =
        parts.stream()
            .flatMap(part -> part.getIncidentsList().stream())
            .sorted(Comparator.comparing(Incident::getId).reversed())
            .limit(limit)
            .toList();
    int bytes = 0;
    for (Incident each : newestFirst) {
      if (bytes < BYTES_MAX) {
        whole.addIncidents(each);
        bytes += each.getSerializedSize();
      }
    }
    return whole.build();
  }

  private <R> void serve(StreamObserver<R> replies, Function<Call, CompletableFuture<R>> work) {
    Reply<R> reply;
    try {
      reply = Reply.open(replies, places);
    } catch (StatusRuntimeException full) {
      replies.onError(full);
      return;
    }
    try {
      var unused =
          work.apply(new Call())
              .whenComplete(
                  (response, failure) -> {
                    if (failure == null) {
                      reply.send(response);
                    } else {
                      reply.fail(status(failure));
                    }
                  });
    } catch (StatusRuntimeException refused) {
      reply.fail(refused);
    }
  }

  private static StatusRuntimeException status(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    if (cause instanceof StatusRuntimeException known) {
      return known;
    }
    LOG.error("a call about silences failed", cause);
    return Status.INTERNAL.withDescription("internal error").asRuntimeException();
  }

  /** One call: what all its questions have in common. */
  private final class Call {
    private final int partitions;
    private final String workspace = Caller.current().workspace();
    private final Context context = Context.current();
    private final CallTime time =
        CallTime.of(Context.current().getDeadline(), true, config.timeout());

    Call() {
      Assignment assignment = directory.current();
      if (!assignment.known()) {
        throw Errors.unavailable("it is not known yet who owns what", OwnerCalls.RETRY_AFTER);
      }
      this.partitions = assignment.partitions();
    }

    /** What all partitions keep, once they have applied these offsets; null for no wait. */
    CompletableFuture<List<ReadSilencesResponse>> read(IntFunction<Long> offsets) {
      return AllPartitions.ask(
          partitions,
          (partition, answer) -> {
            ReadSilencesRequest.Builder request =
                ReadSilencesRequest.newBuilder().setPartition(partition).setWorkspace(workspace);
            Long offset = offsets.apply(partition);
            if (offset != null) {
              request.setMinOffset(offset);
            }
            context.run(() -> owners.silences(request.build(), time, answer));
          });
    }

    CompletableFuture<List<dev.tocsin.proto.state.PreviewSilenceResponse>> preview(
        PreviewSilenceRequest request, int limit) {
      return AllPartitions.ask(
          partitions,
          (partition, answer) ->
              owners.preview(
                  dev.tocsin.proto.state.PreviewSilenceRequest.newBuilder()
                      .setPartition(partition)
                      .setWorkspace(workspace)
                      .addAllMatchers(request.getMatchersList())
                      .setLimit(limit)
                      .build(),
                  time,
                  answer));
    }

    /** Appends an entry to every partition; gives the offset of each. */
    CompletableFuture<IntFunction<Long>> append(LogEntry entry, String requestId) {
      byte[] bytes = ENTRIES.encode(entry);
      return AllPartitions.<Long>ask(
              partitions,
              (partition, answer) ->
                  log.append(partition, bytes, new Appended(partition, requestId, answer)))
          .thenApply(offsets -> offsets::get);
    }
  }

  /** What becomes of one partition's entry. */
  private record Appended(int partition, String requestId, OwnerCalls.Answer<Long> answer)
      implements CommandLog.Answer {
    @Override
    public void appended(long offset) {
      answer.is(offset);
    }

    @Override
    public void notAppended(String why) {
      incomplete(why);
    }

    @Override
    public void unknown(String why) {
      incomplete(why);
    }

    private void incomplete(String why) {
      answer.failed(
          Errors.because(
              Code.UNAVAILABLE,
              CommandEnd.Outcome.OUTCOME_UNKNOWN.name(),
              "partition %d: %s: only some partitions may have it; ask again%s"
                  .formatted(
                      partition,
                      why,
                      requestId.isEmpty() ? "" : " under the request_id " + requestId),
              requestId.isEmpty() ? Map.of() : Map.of("request_id", requestId),
              OwnerCalls.RETRY_AFTER));
    }
  }
}
