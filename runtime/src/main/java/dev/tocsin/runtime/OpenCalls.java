package dev.tocsin.runtime;

import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;

/**
 * Counts the calls under way that a server waits for when it stops. Who merely watches its health
 * would keep it from stopping. Thread-safe.
 */
final class OpenCalls implements ServerInterceptor {
  private final Predicate<String> counted;
  private final AtomicInteger open = new AtomicInteger();

  /**
   * None yet.
   *
   * @param counted by name of the service
   */
  OpenCalls(Predicate<String> counted) {
    this.counted = counted;
  }

  int count() {
    return open.get();
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    if (!counted.test(call.getMethodDescriptor().getServiceName())) {
      return next.startCall(call, headers);
    }
    open.incrementAndGet();
    return new SimpleForwardingServerCallListener<>(next.startCall(call, headers)) {
      @Override
      public void onComplete() {
        open.decrementAndGet();
        super.onComplete();
      }

      @Override
      public void onCancel() {
        open.decrementAndGet();
        super.onCancel();
      }
    };
  }
}
