package dev.tocsin.runtime;

import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallExecutorSupplier;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * The threads that calls run on. Those of direct services stay on the thread that they came in on;
 * the others go to a pool. While its queue is long, a new call is refused with UNAVAILABLE: it is
 * left on its own thread, and there {@link #refuse} meets it. What a call that was let in does next
 * is never refused, for gRPC has no way to go on without it; there is at most one such task a call.
 */
final class CallPool implements ServerCallExecutorSupplier, ServerInterceptor, AutoCloseable {
  /** So many tasks may wait before new calls are refused. */
  static final int QUEUE_MAX = 4096;

  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final Predicate<String> direct;
  private final ThreadPoolExecutor threads;

  /** A thread of the pool, to tell it from the transport's. */
  private static final class CallThread extends Thread {
    CallThread(Runnable task) {
      super(task, "grpc-call");
      setDaemon(true);
    }
  }

  CallPool(int threadsMax, Predicate<String> direct) {
    this.direct = direct;
    this.threads =
        new ThreadPoolExecutor(
            threadsMax,
            threadsMax,
            30,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            CallThread::new);
    threads.allowCoreThreadTimeOut(true);
  }

  @Override
  public <Q, R> Executor getExecutor(ServerCall<Q, R> call, Metadata metadata) {
    boolean stays =
        direct.test(call.getMethodDescriptor().getServiceName())
            || threads.getQueue().size() >= QUEUE_MAX;
    return stays ? Runnable::run : threads;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    boolean letIn =
        Thread.currentThread() instanceof CallThread
            || direct.test(call.getMethodDescriptor().getServiceName());
    return letIn ? next.startCall(call, headers) : refuse(call);
  }

  private static <Q> ServerCall.Listener<Q> refuse(ServerCall<Q, ?> call) {
    StatusRuntimeException busy = Errors.unavailable("too many calls are waiting", RETRY_AFTER);
    call.close(busy.getStatus(), busy.getTrailers());
    return new ServerCall.Listener<>() {};
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
