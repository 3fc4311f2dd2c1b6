package dev.tocsin.runtime;

import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;

/**
 * Lets a call be reset whose caller does not take what it is sent. By itself a call's end waits in
 * the transport behind all of that, for as long as the connection lasts, and so does the memory; a
 * reset stream is dropped with what waits in it. Its caller sees CANCELLED.
 *
 * <p>grpc-java resets a stream only by itself, for instance where a message cannot be serialized:
 * so here the end of such a call is a message that cannot be. Everything inside of this interceptor
 * sees the call end with the status that it was given.
 */
public final class CallReset implements ServerInterceptor {
  /** Marks a status with which a call is to be reset. */
  private static final class Marker extends Exception {
    Marker(Throwable cause) {
      super("reset", cause, false, false);
    }
  }

  /** What no marshaller takes. */
  private record Unsendable(Status why) {}

  CallReset() {}

  /** The same end for a call, which resets it. */
  public static StatusRuntimeException of(StatusRuntimeException why) {
    Status reset = why.getStatus().withCause(new Marker(why.getStatus().getCause()));
    return reset.asRuntimeException(why.getTrailers());
  }

  /** Whether this is how a call was reset. */
  static boolean isReset(Throwable thrown) {
    return thrown != null && thrown.getCause() instanceof Marker;
  }

  /** Of a method whose calls can be reset. */
  static <R> Marshaller<R> marshaller(Marshaller<R> plain) {
    return new Marshaller<>() {
      @Override
      public InputStream stream(R value) {
        if (((Object) value) instanceof Unsendable unsendable) {
          throw unsendable.why().asRuntimeException();
        }
        return plain.stream(value);
      }

      @Override
      public R parse(InputStream stream) {
        return plain.parse(stream);
      }
    };
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    return next.startCall(new ResettableCall<>(call), headers);
  }

  private static final class ResettableCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private boolean begun;

    ResettableCall(ServerCall<Q, R> call) {
      super(call);
    }

    @Override
    public void sendHeaders(Metadata headers) {
      begun = true;
      super.sendHeaders(headers);
    }

    @Override
    @SuppressWarnings("unchecked") // it is not a response, and is never taken for one
    public void close(Status status, Metadata trailers) {
      if (!(status.getCause() instanceof Marker)) {
        super.close(status, trailers);
        return;
      }
      if (!begun) {
        super.sendHeaders(new Metadata());
      }
      super.sendMessage((R) new Unsendable(status));
    }
  }
}
