package dev.tocsin.ingest;

import dev.tocsin.runtime.CallReset;
import dev.tocsin.runtime.Errors;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One long-lived call: reads messages as its {@link ReadWindow} allows, and sends their answers,
 * each exactly once, while the caller takes them. Answers that the caller does not take stay here
 * and count as un-answered, so the reading stops: a caller that never reads costs one window, and
 * while it takes nothing it stands among the {@link SlowStreams}.
 *
 * <p>Answers come from any thread and never block it: they are queued, and the queue is emptied by
 * one task at a time on the ack threads, which alone touch the call's sending side. Once the caller
 * has half-closed and all is answered the call ends with OK; a cancelled call drops its answers.
 *
 * @param <R> the answers' type
 */
final class AckStream<R> implements SlowStreams.Waiting {
  private static final Logger LOG = LoggerFactory.getLogger(AckStream.class);

  /** Answers sent in one go, before other streams get their turn. */
  private static final int TURN_MAX = 1024;

  /**
   * What the transport buffers of a call before it is not ready for more. Each ack lies there in a
   * buffer of 4 KiB of its own, outside the heap, so a caller that never reads costs fifty times
   * this: about half a MiB.
   */
  private static final int READY_BYTES_MAX = 8 << 10;

  private static final Duration CUT_RETRY_AFTER = Duration.ofSeconds(10);

  /** A message on its way out, and what it holds of the window until it left. */
  interface Outgoing<R> {
    /** The message. */
    R message();

    /** How many alerts it answers; at least one, since an empty message costs something too. */
    int alerts();

    /** How many bytes the window is charged for it. */
    long bytes();
  }

  private final ServerCallStreamObserver<R> call;
  private final ReadWindow window;
  private final Executor acks;
  private final SlowStreams slow;
  private final Consumer<AckStream<R>> onEnd;
  private final Queue<Outgoing<R>> answers = new ConcurrentLinkedQueue<>();
  private final AtomicInteger wakes = new AtomicInteger();
  private final Runnable turn = this::turn;
  private volatile boolean halfClosed;
  private volatile boolean closing;
  private volatile boolean cancelled;
  private volatile boolean cut;
  private boolean waits; // of the ack threads
  private boolean ended; // of the ack threads

  /**
   * A stream that is yet to be opened.
   *
   * @param onEnd called once, when the call is over
   */
  AckStream(
      ServerCallStreamObserver<R> call,
      ReadWindow window,
      Executor acks,
      SlowStreams slow,
      Consumer<AckStream<R>> onEnd) {
    this.call = call;
    this.window = window;
    this.acks = acks;
    this.slow = slow;
    this.onEnd = onEnd;
  }

  /** Begins to read; each message goes to {@code reader}, which tells {@link #arrived} of it. */
  <Q> StreamObserver<Q> open(Consumer<Q> reader) {
    call.disableAutoRequest();
    call.setOnReadyThreshold(READY_BYTES_MAX);
    call.setOnReadyHandler(this::wake);
    call.setOnCancelHandler(this::cancel);
    call.setOnCloseHandler(this::cancel); // also where it is ended by others than this
    ask(window.open());
    return new StreamObserver<>() {
      @Override
      public void onNext(Q message) {
        reader.accept(message);
      }

      @Override
      public void onError(Throwable cancellation) {
        // told to the cancel handler as well
      }

      @Override
      public void onCompleted() {
        halfClosed = true;
        wake();
      }
    };
  }

  /** Ends the call in place of opening it. */
  void refuse(StatusRuntimeException why) {
    call.onError(why);
  }

  /** A message arrived. To be called before any answer to it is given to {@link #send}. */
  void arrived(int alerts, long bytes) {
    ask(window.arrived(alerts, bytes));
  }

  /** Queues an answer. From any thread; never blocks. */
  void send(Outgoing<R> answer) {
    answers.add(answer);
    wake();
  }

  /** Reads no further; once all that was read is answered the call ends with UNAVAILABLE. */
  void close() {
    window.stop();
    closing = true;
    wake();
  }

  /** Ends the call at once, and drops its answers: its caller takes none. */
  @Override
  public void cut() {
    window.stop();
    cut = true;
    wake();
  }

  private void cancel() {
    cancelled = true;
    wake();
  }

  private void ask(int messages) {
    if (messages > 0) {
      call.request(messages);
    }
  }

  /** Has a turn taken, unless one is to come anyway. */
  private void wake() {
    if (wakes.getAndIncrement() == 0) {
      acks.execute(turn);
    }
  }

  private void turn() {
    int heard = wakes.get();
    boolean more = sendAnswers();
    endIfDone();
    lookAtCaller();
    // What woke during the turn gets one of its own, and so does what the turn had no room for.
    if (wakes.addAndGet(more ? 1 - heard : -heard) != 0) {
      acks.execute(turn);
    }
  }

  private boolean sendAnswers() {
    int sent = 0;
    int alerts = 0;
    long bytes = 0;
    while (sent < TURN_MAX && (cut || cancelled || call.isReady())) {
      Outgoing<R> answer = answers.poll();
      if (answer == null) {
        break;
      }
      deliver(answer);
      sent++;
      alerts += answer.alerts();
      bytes += answer.bytes();
    }
    if (sent > 0) {
      ask(window.answered(alerts, bytes));
    }
    return sent == TURN_MAX;
  }

  private void deliver(Outgoing<R> answer) {
    if (cut || cancelled) {
      return;
    }
    try {
      call.onNext(answer.message());
    } catch (RuntimeException e) {
      LOG.debug("a call ended while it was answered", e);
      cancelled = true;
    }
  }

  private void endIfDone() {
    if (ended || !(cut || cancelled || ((halfClosed || closing) && window.idle()))) {
      return;
    }
    ended = true;
    onEnd.accept(this);
    try {
      if (cancelled) {
        return;
      }
      if (cut) {
        call.onError(CallReset.of(Errors.exhausted("its answers are not taken", CUT_RETRY_AFTER)));
      } else if (halfClosed) {
        call.onCompleted();
      } else {
        call.onError(Errors.unavailable(Refusal.CLOSING.message(), Refusal.CLOSING.retryAfter()));
      }
    } catch (RuntimeException e) {
      LOG.debug("a call ended before it was ended", e);
    }
  }

  private void lookAtCaller() {
    boolean waitsNow = !ended && !call.isReady();
    if (waitsNow == waits) {
      return;
    }
    waits = waitsNow;
    if (waits) {
      slow.add(this);
    } else {
      slow.remove(this);
    }
  }
}
