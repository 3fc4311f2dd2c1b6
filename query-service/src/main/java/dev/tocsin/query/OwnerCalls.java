package dev.tocsin.query;

import dev.tocsin.proto.state.IncidentStateGrpc;
import dev.tocsin.proto.state.ReadDigestRequest;
import dev.tocsin.proto.state.ReadDigestResponse;
import dev.tocsin.proto.state.ReadIncidentRequest;
import dev.tocsin.proto.state.ReadIncidentResponse;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.proto.state.ReadProgressRequest;
import dev.tocsin.proto.state.ReadProgressResponse;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.proto.state.ScanIncidentsResponse;
import dev.tocsin.runtime.Errors;
import io.grpc.CallOptions;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Asks the owner of a partition: one hop; if the owner does not answer and time allows, its
 * standbys, where a copy will do; and at last the owner once more, under the assignment of that
 * moment. No thread waits. A call carries the context of whoever asks, so that it is cancelled with
 * the caller's own. Thread-safe.
 */
final class OwnerCalls {
  /** What the caller is told to wait where an owner is away. */
  static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  /** Before the second attempt: long enough for an assignment on its way to come in. */
  static final Duration PAUSE = Duration.ofMillis(100);

  /** So many standbys are asked at most where an owner is away. */
  static final int STANDBYS_MAX = 2;

  /** One answer of an owner, decompressed. */
  private static final int ANSWER_BYTES_MAX = 32 << 20;

  private static final Logger LOG = LoggerFactory.getLogger(OwnerCalls.class);

  private static final Method<ReadIncidentRequest, ReadIncidentResponse> READ =
      new Method<>(
          QueryMetrics.Asked.READ_INCIDENT,
          IncidentStateGrpc.getReadIncidentMethod(),
          // Its answer is small and taken in no time, so it costs no change of thread.
          CallOptions.DEFAULT.withExecutor(Runnable::run),
          true);
  private static final Method<ScanIncidentsRequest, ScanIncidentsResponse> SCAN =
      new Method<>(
          QueryMetrics.Asked.SCAN_INCIDENTS,
          IncidentStateGrpc.getScanIncidentsMethod(),
          CallOptions.DEFAULT,
          true);

  private static final Method<ReadOutcomeRequest, ReadOutcomeResponse> OUTCOME =
      new Method<>(
          QueryMetrics.Asked.READ_OUTCOME,
          IncidentStateGrpc.getReadOutcomeMethod(),
          CallOptions.DEFAULT.withExecutor(Runnable::run), // as READ
          false);

  private static final Method<ReadProgressRequest, ReadProgressResponse> PROGRESS =
      new Method<>(
          QueryMetrics.Asked.READ_PROGRESS,
          IncidentStateGrpc.getReadProgressMethod(),
          CallOptions.DEFAULT,
          false);
  private static final Method<ReadDigestRequest, ReadDigestResponse> DIGEST =
      new Method<>(
          QueryMetrics.Asked.READ_DIGEST,
          IncidentStateGrpc.getReadDigestMethod(),
          CallOptions.DEFAULT,
          false);

  private final OwnerDirectory directory;
  private final OwnerChannels channels;
  private final ScheduledExecutorService timer;
  private final QueryMetrics metrics;

  /** A method, and whether standbys answer it too. */
  private record Method<Q, R>(
      QueryMetrics.Asked asked,
      MethodDescriptor<Q, R> descriptor,
      CallOptions options,
      boolean ofStandbys) {
    Method {
      options = options.withMaxInboundMessageSize(ANSWER_BYTES_MAX);
    }
  }

  /** What comes of a question: exactly one of the two, once, in any thread. */
  interface Answer<R> {
    /** The owner's answer. */
    void is(R response);

    /** The error that the caller's call is to end with. */
    void failed(StatusRuntimeException error);
  }

  OwnerCalls(
      OwnerDirectory directory,
      OwnerChannels channels,
      ScheduledExecutorService timer,
      QueryMetrics metrics) {
    this.directory = directory;
    this.channels = channels;
    this.timer = timer;
    this.metrics = metrics;
  }

  void read(ReadIncidentRequest request, CallTime time, Answer<ReadIncidentResponse> answer) {
    new Question<>(READ, request.getPartition(), request, time, request.hasMinOffset(), answer)
        .attempt(true);
  }

  void scan(ScanIncidentsRequest request, CallTime time, Answer<ScanIncidentsResponse> answer) {
    new Question<>(SCAN, request.getPartition(), request, time, request.hasMinOffset(), answer)
        .attempt(true);
  }

  /** What became of a command, once its entry is applied. */
  void outcome(ReadOutcomeRequest request, CallTime time, Answer<ReadOutcomeResponse> answer) {
    new Question<>(OUTCOME, request.getPartition(), request, time, true, answer).attempt(true);
  }

  /** The progress of whoever owns {@code partition}, of all its partitions. */
  void progress(int partition, CallTime time, Answer<ReadProgressResponse> answer) {
    ReadProgressRequest request = ReadProgressRequest.getDefaultInstance();
    new Question<>(PROGRESS, partition, request, time, false, answer).attempt(true);
  }

  void digest(int partition, CallTime time, Answer<ReadDigestResponse> answer) {
    ReadDigestRequest request = ReadDigestRequest.newBuilder().setPartition(partition).build();
    // It may take all the time there is, so there is none for a second attempt.
    new Question<>(DIGEST, partition, request, time, true, answer).attempt(true);
  }

  private final class Question<Q, R> implements StreamObserver<R> {
    private final Method<Q, R> method;
    private final int partition;
    private final Q request;
    private final CallTime time;
    private final boolean waits;
    private final Answer<R> answer;
    private boolean mayRetry;
    private Iterator<String> standbys;
    private R response;

    Question(
        Method<Q, R> method,
        int partition,
        Q request,
        CallTime time,
        boolean waits,
        Answer<R> answer) {
      this.method = method;
      this.partition = partition;
      this.request = request;
      this.time = time;
      this.waits = waits;
      this.answer = answer;
    }

    void attempt(boolean first) {
      mayRetry = first && !time.tight();
      send(directory.current().owner(partition));
    }

    private void send(Optional<String> address) {
      try {
        send(address.flatMap(channels::to).orElse(null));
      } catch (RuntimeException e) {
        LOG.error("partition {} cannot be asked for", partition, e);
        answer.failed(internal());
      }
    }

    private void send(ManagedChannel channel) {
      if (channel == null) {
        ended(Status.UNAVAILABLE.withDescription("nobody is there to be asked"));
        return;
      }
      Deadline deadline = mayRetry && !waits ? time.half() : time.end();
      ClientCalls.asyncUnaryCall(
          channel.newCall(method.descriptor(), method.options().withDeadline(deadline)),
          request,
          this);
    }

    @Override
    public void onNext(R value) {
      response = value;
    }

    @Override
    public void onCompleted() {
      metrics.asked(method.asked(), Status.Code.OK);
      try {
        answer.is(response);
      } catch (RuntimeException e) {
        LOG.error("the answer of partition {}'s owner cannot be used", partition, e);
        answer.failed(internal());
      }
    }

    @Override
    public void onError(Throwable t) {
      Status status = Status.fromThrowable(t);
      metrics.asked(method.asked(), status.getCode());
      ended(status);
    }

    private void ended(Status status) {
      Context context = Context.current();
      if (context.isCancelled()) {
        answer.failed(Contexts.statusFromCancelled(context).asRuntimeException());
        return;
      }
      switch (status.getCode()) {
        case UNAVAILABLE, CANCELLED, RESOURCE_EXHAUSTED -> away(status, PAUSE);
        case DEADLINE_EXCEEDED -> late(status);
        case INVALID_ARGUMENT, OUT_OF_RANGE -> refused(status);
        default -> broken(status);
      }
    }

    private void late(Status status) {
      if (waits) {
        answer.failed(Errors.deadline("min_position was not applied in time"));
      } else if (time.tight()) {
        answer.failed(Errors.deadline("the incident's owner did not answer in time"));
      } else {
        away(status, Duration.ZERO);
      }
    }

    private void away(Status status, Duration pause) {
      Optional<String> standby = nextStandby();
      if (standby.isPresent()) {
        send(standby);
        return;
      }
      if (mayRetry && time.allows(pause)) {
        again(pause);
        return;
      }
      LOG.debug("partition {} cannot be read: {}", partition, status);
      answer.failed(
          Errors.unavailable("partition %d cannot be read now".formatted(partition), RETRY_AFTER));
    }

    /** Who else may be asked at once: those of the assignment under which the owner was away. */
    private Optional<String> nextStandby() {
      if (!method.ofStandbys() || waits || !mayRetry || !time.allows(Duration.ZERO)) {
        return Optional.empty();
      }
      if (standbys == null) {
        standbys = directory.current().standbys(partition).stream().limit(STANDBYS_MAX).iterator();
      }
      return standbys.hasNext() ? Optional.of(standbys.next()) : Optional.empty();
    }

    private void again(Duration pause) {
      if (pause.isZero()) {
        attempt(false);
        return;
      }
      try {
        var unused =
            timer.schedule(
                Context.current().wrap(() -> attempt(false)),
                pause.toMillis(),
                TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        answer.failed(Errors.unavailable("the service stops", RETRY_AFTER));
      }
    }

    /** The one thing of ours that an owner may refuse is how far to wait. */
    private void refused(Status status) {
      if (waits) {
        answer.failed(
            Errors.invalid(
                "min_position",
                "the log of partition %d does not reach that far".formatted(partition)));
      } else {
        broken(status);
      }
    }

    private void broken(Status status) {
      LOG.error("the owner of partition {} failed: {}", partition, status);
      answer.failed(internal());
    }

    private StatusRuntimeException internal() {
      return Status.INTERNAL.withDescription("internal error").asRuntimeException();
    }
  }
}
