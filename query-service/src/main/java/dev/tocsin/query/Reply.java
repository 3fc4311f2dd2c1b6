package dev.tocsin.query;

import dev.tocsin.runtime.Errors;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.Semaphore;

/**
 * The one answer to a caller, which gives its place among the calls under way back. The first
 * answer counts; later ones are dropped. Thread-safe.
 */
final class Reply<R> {
  private final StreamObserver<R> replies;
  private final Semaphore places;
  private boolean given;

  private Reply(StreamObserver<R> replies, Semaphore places) {
    this.replies = replies;
    this.places = places;
  }

  /**
   * Takes a place.
   *
   * @throws StatusRuntimeException UNAVAILABLE if all are taken
   */
  static <R> Reply<R> open(StreamObserver<R> replies, Semaphore places) {
    if (replies instanceof ServerCallStreamObserver<R> call) {
      // Else an answer to a caller who has gone would throw; with a handler it goes nowhere.
      call.setOnCancelHandler(() -> {});
    }
    if (!places.tryAcquire()) {
      throw Errors.unavailable("too many calls under way", OwnerCalls.RETRY_AFTER);
    }
    return new Reply<>(replies, places);
  }

  void send(R response) {
    if (first()) {
      replies.onNext(response);
      replies.onCompleted();
    }
  }

  void fail(StatusRuntimeException error) {
    if (first()) {
      replies.onError(error);
    }
  }

  private synchronized boolean first() {
    if (given) {
      return false;
    }
    given = true;
    places.release();
    return true;
  }
}
