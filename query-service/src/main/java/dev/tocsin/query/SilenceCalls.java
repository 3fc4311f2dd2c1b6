package dev.tocsin.query;

import com.google.protobuf.ByteString;
import com.google.protobuf.MessageLite;
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
import java.util.ArrayList;
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
import java.util.stream.Collectors;
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

  /** Of what a list or a preview tells; with one more, less than a gRPC message may have. */
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
                            .addAllSilences(listed(merged(kept), request.getIncludeEnded()))
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

  /** Puts it in every partition that lacks it; one that is known already stays as it is. */
  private static CompletableFuture<dev.tocsin.proto.incidents.Silence> create(
      Call call, SilenceReader.Asked asked, List<ReadSilencesResponse> kept) {
    Silence silence = asked.silence();
    ByteString content = ByteString.copyFrom(silence.getContent().bytes());
    Optional<KeptSilence> known =
        kept.stream().flatMap(part -> part.getSilencesList().stream()).findFirst();
    if (known.isPresent()) {
      if (!known.get().getContent().equals(content)) {
        throw Errors.invalid("request_id", "was used for another silence");
      }
      var whole = known(silence.getId(), kept);
      if (ended(whole) || whole.getPartitions() == call.partitions) {
        return CompletableFuture.completedFuture(whole);
      }
      silence = SilenceReader.again(silence.getWorkspace(), known.get());
    } else if (kept.stream().anyMatch(SilenceCalls::isFull)) {
      throw full();
    } else {
      long steps = SilenceMatchers.steps(silence.getMatchers());
      if (kept.stream().anyMatch(part -> part.getLastingSteps() + steps > STEPS_MAX)) {
        throw tooCostly();
      }
    }
    return call.append(LogEntries.of(silence), silence.getId(), asked.requestId())
        .thenApply(after -> created(call, asked.silence().getId(), after));
  }

  private static boolean isFull(ReadSilencesResponse part) {
    return part.getLasting() >= SilenceMatchers.LASTING_MAX;
  }

  private static dev.tocsin.proto.incidents.Silence created(
      Call call, Key128 id, List<ReadSilencesResponse> kept) {
    dev.tocsin.proto.incidents.Silence silence = merged(kept).get(IncidentId.text(id));
    if (silence == null && kept.stream().noneMatch(SilenceCalls::isFull)) {
      throw Errors.invalid("end", "is past, by the time of the log");
    }
    if (silence == null || silence.getPartitions() < call.partitions) {
      throw full(); // others came first, in some partitions or in all
    }
    return silence;
  }

  private static dev.tocsin.proto.incidents.Silence known(
      Key128 id, List<ReadSilencesResponse> kept) {
    dev.tocsin.proto.incidents.Silence silence = merged(kept).get(IncidentId.text(id));
    if (silence == null) {
      throw Errors.notFound("there is no silence " + IncidentId.text(id));
    }
    return silence;
  }

  private static StatusRuntimeException full() {
    return Errors.exhausted(
        "the workspace has %d silences that have not ended: end some, or wait"
            .formatted(SilenceMatchers.LASTING_MAX),
        FULL_RETRY_AFTER);
  }

  /** Newest first: those that have not ended, and of the others as many as have room. */
  private static List<dev.tocsin.proto.incidents.Silence> listed(
      Map<String, dev.tocsin.proto.incidents.Silence> all, boolean alsoEnded) {
    Map<Boolean, List<dev.tocsin.proto.incidents.Silence>> byEnd =
        all.values().stream()
            .sorted(NEWEST_FIRST)
            .collect(Collectors.partitioningBy(SilenceCalls::ended));
    List<dev.tocsin.proto.incidents.Silence> told = new ArrayList<>(byEnd.get(false));
    int bytes = told.stream().mapToInt(MessageLite::getSerializedSize).sum();
    for (dev.tocsin.proto.incidents.Silence each : byEnd.get(true)) {
      bytes += each.getSerializedSize();
      if (alsoEnded && bytes <= BYTES_MAX) {
        told.add(each);
      }
    }
    told.sort(NEWEST_FIRST);
    return told;
  }

  private static StatusRuntimeException tooCostly() {
    return Errors.exhausted(
        "the expressions of the workspace's silences would cost each incident more than %,d steps together: end some, or use = where there is no choice"
            .formatted(STEPS_MAX),
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

    /** What all partitions keep of one silence, or of all if it is null. */
    CompletableFuture<List<ReadSilencesResponse>> read(Key128 id) {
      return read(id, any -> null);
    }

    /** The same once they have applied these offsets; null for no wait. */
    private CompletableFuture<List<ReadSilencesResponse>> read(
        Key128 id, IntFunction<Long> offsets) {
      return AllPartitions.ask(
          partitions,
          (partition, answer) -> {
            ReadSilencesRequest.Builder request =
                ReadSilencesRequest.newBuilder().setPartition(partition).setWorkspace(workspace);
            if (id != null) {
              request.setId(ByteString.copyFrom(id.bytes()));
            }
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

    /** Appends an entry to every partition; gives what all keep of the silence then. */
    CompletableFuture<List<ReadSilencesResponse>> append(
        LogEntry entry, Key128 id, String requestId) {
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
