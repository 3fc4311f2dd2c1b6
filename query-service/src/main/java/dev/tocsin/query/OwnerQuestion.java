package dev.tocsin.query;

import dev.tocsin.runtime.Errors;
import io.grpc.ClientCall;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.Deadline;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Iterator;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One question to a partition's owner, in the context of whoever asks, until it has its one answer.
 * At most two calls are under way for it: the owner's, and a standby's beside it. Thread-safe.
 */
final class OwnerQuestion<Q, R> {
  private static final Logger LOG = LoggerFactory.getLogger(OwnerQuestion.class);

  private final OwnerCalls calls;
  private final OwnerCalls.Method<Q, R> method;
  private final int partition;
  private final Q request;
  private final CallTime time;
  private final boolean waits;
  private final OwnerCalls.Answer<R> answer;
  private final Context context = Context.current();
  private final long begunNanos = System.nanoTime();
  private boolean mayRetry; // of the lock, as what follows
  private Iterator<String> standbys;
  private Ask owner;
  private Ask standby;
  private boolean hedged;
  private boolean done;

  /** A question that is yet to be asked. */
  OwnerQuestion(
      OwnerCalls calls,
      OwnerCalls.Method<Q, R> method,
      int partition,
      Q request,
      CallTime time,
      boolean waits,
      OwnerCalls.Answer<R> answer) {
    this.calls = calls;
    this.method = method;
    this.partition = partition;
    this.request = request;
    this.time = time;
    this.waits = waits;
    this.answer = answer;
  }

  /** Whether a standby may be asked beside the owner. */
  boolean mayHedge() {
    return method.ofStandbys()
        && !waits
        && !time.tight()
        && !calls.directory().current().standbys(partition).isEmpty();
  }

  boolean isOlderThan(Duration age) {
    return System.nanoTime() - begunNanos >= age.toNanos();
  }

  /** Asks the owner, under the assignment of now. */
  void attempt(boolean first) {
    synchronized (this) {
      mayRetry = first && !time.tight();
    }
    send(calls.directory().current().owner(partition), false);
  }

  /** Asks a standby beside the owner, if only the owner is asked and there is one. */
  void hedge() {
    Optional<String> beside;
    synchronized (this) {
      beside = done || standby != null ? Optional.empty() : nextStandby();
      hedged = beside.isPresent();
    }
    if (beside.isPresent()) {
      context.run(() -> send(beside, true));
    } else {
      calls.hedgeEnded();
    }
  }

  private void send(Optional<String> address, boolean toStandby) {
    try {
      send(address.flatMap(calls.channels()::to).orElse(null), toStandby);
    } catch (RuntimeException e) {
      LOG.error("partition {} cannot be asked for", partition, e);
      fail(internal());
    }
  }

  private void send(ManagedChannel channel, boolean toStandby) {
    Ask ask = new Ask(toStandby);
    synchronized (this) {
      if (done) {
        return;
      }
      if (toStandby) {
        standby = ask;
      } else {
        owner = ask;
      }
      if (channel != null) {
        Deadline deadline = mayRetry && !waits ? time.half() : time.end();
        ask.call = channel.newCall(method.descriptor(), method.options().withDeadline(deadline));
      }
    }
    if (channel == null) {
      ended(ask, Status.UNAVAILABLE.withDescription("nobody is there to be asked"));
    } else {
      ClientCalls.asyncUnaryCall(ask.call, request, ask);
    }
  }

  /** One call of the question's. */
  private final class Ask implements StreamObserver<R> {
    private final boolean toStandby;
    private ClientCall<Q, R> call;
    private R response;

    Ask(boolean toStandby) {
      this.toStandby = toStandby;
    }

    @Override
    public void onNext(R value) {
      response = value;
    }

    @Override
    public void onCompleted() {
      calls.metrics().asked(method.asked(), Status.Code.OK);
      answered(this);
    }

    @Override
    public void onError(Throwable t) {
      Status status = Status.fromThrowable(t);
      calls.metrics().asked(method.asked(), status.getCode());
      ended(this, status);
    }
  }

  private void answered(Ask ask) {
    if (ask.toStandby
        && ask.response != null
        && isOwnerAsked()
        && !method.ofUse().test(ask.response)) {
      ended(ask, Status.UNAVAILABLE.withDescription("the copy does not have it"));
      return;
    }
    if (!settle()) {
      return;
    }
    try {
      answer.is(ask.response);
    } catch (RuntimeException e) {
      LOG.error("the answer of partition {}'s owner cannot be used", partition, e);
      answer.failed(internal());
    }
  }

  private synchronized boolean isOwnerAsked() {
    return owner != null;
  }

  private void ended(Ask ask, Status status) {
    if (context.isCancelled()) {
      fail(Contexts.statusFromCancelled(context).asRuntimeException());
      return;
    }
    if (isOneOfTwo(ask)) {
      if (ask.toStandby) {
        askNextStandby();
      }
      return; // the other one may answer yet
    }
    switch (status.getCode()) {
      // UNKNOWN no owner says: gRPC's client does of a connection that closes as a call begins.
      case UNAVAILABLE, CANCELLED, UNKNOWN, RESOURCE_EXHAUSTED -> away(status, OwnerCalls.PAUSE);
      case DEADLINE_EXCEEDED -> late(status);
      case INVALID_ARGUMENT, OUT_OF_RANGE -> refused(status);
      case UNIMPLEMENTED -> older();
      default -> broken(status);
    }
  }

  /** Takes this one off the calls that are under way; whether that leaves another, or none. */
  private synchronized boolean isOneOfTwo(Ask ask) {
    if (ask.toStandby) {
      standby = null;
    } else {
      owner = null;
    }
    return done || owner != null || standby != null;
  }

  private void askNextStandby() {
    Optional<String> next;
    synchronized (this) {
      next = done ? Optional.empty() : nextStandby();
    }
    if (next.isPresent()) {
      send(next, true);
    }
  }

  private void late(Status status) {
    if (waits) {
      fail(Errors.deadline("min_position was not applied in time"));
    } else if (time.tight()) {
      fail(Errors.deadline("the incident's owner did not answer in time"));
    } else {
      away(status, Duration.ZERO);
    }
  }

  private void away(Status status, Duration pause) {
    Optional<String> next;
    boolean retry;
    synchronized (this) {
      next = nextStandby();
      retry = mayRetry && time.allows(pause);
    }
    if (next.isPresent()) {
      send(next, true);
    } else if (retry) {
      again(pause);
    } else {
      LOG.debug("partition {} cannot be read: {}", partition, status);
      fail(
          Errors.unavailable(
              "partition %d cannot be read now".formatted(partition), OwnerCalls.RETRY_AFTER));
    }
  }

  /** Who else may be asked: those of the assignment under which the owner did not answer. */
  private Optional<String> nextStandby() {
    if (!method.ofStandbys() || waits || !mayRetry || !time.allows(Duration.ZERO)) {
      return Optional.empty();
    }
    if (standbys == null) {
      standbys =
          calls.directory().current().standbys(partition).stream()
              .limit(OwnerCalls.STANDBYS_MAX)
              .iterator();
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
          calls
              .timer()
              .schedule(
                  context.wrap(() -> attempt(false)), pause.toMillis(), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException e) {
      fail(Errors.unavailable("the service stops", OwnerCalls.RETRY_AFTER));
    }
  }

  /** The one thing of ours that an owner may refuse is how far to wait. */
  private void refused(Status status) {
    if (waits) {
      fail(
          Errors.invalid(
              "min_position",
              "the log of partition %d does not reach that far".formatted(partition)));
    } else {
      broken(status);
    }
  }

  /** Query-services are upgraded before processors, so an owner may not know the question yet. */
  private void older() {
    fail(
        Errors.unavailable(
            "the owner of partition %d cannot answer this until it is upgraded"
                .formatted(partition),
            OwnerCalls.RETRY_AFTER));
  }

  private void broken(Status status) {
    LOG.error("the owner of partition {} failed: {}", partition, status);
    fail(internal());
  }

  private void fail(StatusRuntimeException error) {
    if (settle()) {
      answer.failed(error);
    }
  }

  /** Whether this is the question's end; then what is still under way for it is cancelled. */
  private boolean settle() {
    Ask first;
    Ask second;
    boolean ofHedge;
    synchronized (this) {
      if (done) {
        return false;
      }
      done = true;
      first = owner;
      second = standby;
      ofHedge = hedged;
    }
    calls.settled(this);
    if (ofHedge) {
      calls.hedgeEnded();
      cancel(first);
      cancel(second);
    }
    return true;
  }

  private void cancel(Ask ask) {
    if (ask != null && ask.call != null) {
      ask.call.cancel("it is answered", null); // without effect on one that has ended
    }
  }

  private static StatusRuntimeException internal() {
    return Status.INTERNAL.withDescription("internal error").asRuntimeException();
  }
}
