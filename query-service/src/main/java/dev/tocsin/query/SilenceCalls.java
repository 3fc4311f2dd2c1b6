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
import dev.tocsin.proto.incidents.SilencesGrpc;
import dev.tocsin.proto.state.KeptSilence;
import dev.tocsin.proto.state.ReadSilencesRequest;
import dev.tocsin.proto.state.ReadSilencesResponse;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Errors;
import dev.tocsin.schemas.Codec;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
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

  /** Of the expressions of a workspace's silences together: what rules may cost an alert. */
  private static final long STEPS_MAX = 10_000_000;

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
          return call.read(asked.silence().getId())
              .thenCompose(kept -> create(call, asked, kept))
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
          return call.read(asked.getId())
              .thenCompose(
                  kept -> {
                    known(asked.getId(), kept);
                    return call.append(LogEntries.of(asked), asked.getId(), "");
                  })
              .thenApply(
                  kept ->
                      ExpireSilenceResponse.newBuilder()
                          .setSilence(known(asked.getId(), kept))
                          .build());
        });
  }

  @Override
  public void listSilences(
      ListSilencesRequest request, StreamObserver<ListSilencesResponse> replies) {
    serve(
        replies,
        call ->
            call.read(null)
                .thenApply(
                    kept ->
                        ListSilencesResponse.newBuilder()
                            .addAllSilences(kept.list(request.getIncludeEnded()))
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

  /** Puts it in every partition that lacks it; one that is known already stays as it is. */
  private static CompletableFuture<dev.tocsin.proto.incidents.Silence> create(
      Call call, SilenceReader.Asked asked, KeptSilences kept) {
    Silence silence = asked.silence();
    Optional<KeptSilence> known = kept.first();
    if (known.isPresent()) {
      if (!known.get().getContent().equals(ByteString.copyFrom(silence.getContent().bytes()))) {
        throw Errors.invalid("request_id", "was used for another silence");
      }
      var whole = known(silence.getId(), kept);
      if (KeptSilences.hasEnded(whole) || whole.getPartitions() == call.partitions) {
        return CompletableFuture.completedFuture(whole);
      }
      silence = SilenceReader.again(silence.getWorkspace(), known.get());
    } else if (kept.isFull()) {
      throw full();
    } else if (kept.steps() + SilenceMatchers.steps(silence.getMatchers()) > STEPS_MAX) {
      throw tooCostly();
    }
    return call.append(LogEntries.of(silence), silence.getId(), asked.requestId())
        .thenApply(after -> created(call, asked.silence().getId(), after));
  }

  private static dev.tocsin.proto.incidents.Silence created(
      Call call, Key128 id, KeptSilences kept) {
    Optional<dev.tocsin.proto.incidents.Silence> silence = kept.find(id);
    if (silence.isEmpty() && !kept.isFull()) {
      throw Errors.invalid("end", "is past, by the time of the log");
    }
    return silence
        .filter(each -> each.getPartitions() == call.partitions)
        .orElseThrow(SilenceCalls::full); // others came first, in some partitions or in all
  }

  private static dev.tocsin.proto.incidents.Silence known(Key128 id, KeptSilences kept) {
    return kept.find(id)
        .orElseThrow(() -> Errors.notFound("there is no silence " + IncidentId.text(id)));
  }

  private static StatusRuntimeException full() {
    return Errors.exhausted(
        "the workspace has %d silences that have not ended: end some, or wait"
            .formatted(SilenceMatchers.LASTING_MAX),
        FULL_RETRY_AFTER);
  }

  private static StatusRuntimeException tooCostly() {
    return Errors.exhausted(
        "the expressions of the workspace's silences would cost each incident more than %,d steps together: end some, or use = where there is no choice"
            .formatted(STEPS_MAX),
        FULL_RETRY_AFTER);
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

    /** What all partitions keep of one silence, or of all if it is null. */
    CompletableFuture<KeptSilences> read(Key128 id) {
      return read(id, any -> null);
    }

    /** The same once they have applied these offsets; null for no wait. */
    private CompletableFuture<KeptSilences> read(Key128 id, IntFunction<Long> offsets) {
      return AllPartitions.<ReadSilencesResponse>ask(
              partitions,
              (partition, answer) -> {
                ReadSilencesRequest.Builder request =
                    ReadSilencesRequest.newBuilder()
                        .setPartition(partition)
                        .setWorkspace(workspace);
                if (id != null) {
                  request.setId(ByteString.copyFrom(id.bytes()));
                }
                Long offset = offsets.apply(partition);
                if (offset != null) {
                  request.setMinOffset(offset);
                }
                context.run(() -> owners.silences(request.build(), time, answer));
              })
          .thenApply(KeptSilences::new);
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

    /** Appends an entry to every partition; gives what all keep of the silence then. */
    CompletableFuture<KeptSilences> append(LogEntry entry, Key128 id, String requestId) {
      byte[] bytes = ENTRIES.encode(entry);
      return AllPartitions.<Long>ask(
              partitions,
              (partition, answer) ->
                  log.append(partition, bytes, new Appended(partition, requestId, answer)))
          .thenCompose(
              offsets ->
                  read(id, offsets::get)
                      .exceptionallyCompose(
                          failure -> CompletableFuture.failedFuture(unread(failure, requestId))));
    }
  }

  /** The entries are on the log, and not all owners say what came of them. */
  private static StatusRuntimeException unread(Throwable failure, String requestId) {
    StatusRuntimeException why = status(failure);
    return why.getStatus().getCode() == Status.Code.CANCELLED
        ? why
        : unknown("not every partition says so yet", requestId);
  }

  private static StatusRuntimeException unknown(String why, String requestId) {
    return Errors.because(
        Code.UNAVAILABLE,
        CommandEnd.Outcome.OUTCOME_UNKNOWN.name(),
        "%s: ask again%s"
            .formatted(why, requestId.isEmpty() ? "" : " under the request_id " + requestId),
        requestId.isEmpty() ? Map.of() : Map.of("request_id", requestId),
        OwnerCalls.RETRY_AFTER);
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
          SilenceCalls.unknown(
              "partition %d: %s: only some partitions may have it".formatted(partition, why),
              requestId));
    }
  }
}
