package dev.tocsin.runtime;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.SecurityLevel;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.InputStream;

/**
 * Ends a call with INVALID_ARGUMENT where a message cannot be parsed, and with RESOURCE_EXHAUSTED
 * where it unpacks to more than it may. By itself grpc-java lets the parser's exception escape from
 * its transport, past every interceptor, and the caller sees UNKNOWN; here the marshaller turns it
 * into a value, which is answered in the call's own order.
 */
final class MessageGuard {
  private record Unparsable(Status why) {}

  private MessageGuard() {}

  static ServerServiceDefinition guard(ServerServiceDefinition service) {
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(service.getServiceDescriptor().getName())
            .setSchemaDescriptor(service.getServiceDescriptor().getSchemaDescriptor());
    var methods = service.getMethods().stream().map(MessageGuard::guard).toList();
    methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder guarded = ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(guarded::addMethod);
    return guarded.build();
  }

  private static <Q, R> ServerMethodDefinition<Object, R> guard(
      ServerMethodDefinition<Q, R> method) {
    MethodDescriptor<Q, R> plain = method.getMethodDescriptor();
    MethodDescriptor<Object, R> lenient =
        plain.toBuilder(
                new LenientMarshaller<>(plain.getRequestMarshaller()),
                CallReset.marshaller(plain.getResponseMarshaller()))
            .build();
    return ServerMethodDefinition.create(
        lenient, new GuardedHandler<>(plain, method.getServerCallHandler()));
  }

  private record LenientMarshaller<Q>(Marshaller<Q> plain) implements Marshaller<Object> {
    @Override
    public InputStream stream(Object value) {
      throw new UnsupportedOperationException("a server writes no requests");
    }

    @Override
    public Object parse(InputStream stream) {
      try {
        return plain.parse(stream);
      } catch (StatusRuntimeException e) {
        // The limit of what a message may unpack to comes through here too; what cannot be
        // decompressed or parsed is INTERNAL.
        if (e.getStatus().getCode() != Status.Code.INTERNAL) {
          return new Unparsable(e.getStatus());
        }
        String why = e.getCause() == null ? null : e.getCause().getMessage();
        return new Unparsable(
            Status.INVALID_ARGUMENT.withDescription(
                "the message cannot be parsed: "
                    + (why == null ? e.getStatus().getDescription() : why)));
      }
    }
  }

  private record GuardedHandler<Q, R>(MethodDescriptor<Q, R> plain, ServerCallHandler<Q, R> handler)
      implements ServerCallHandler<Object, R> {
    @Override
    public ServerCall.Listener<Object> startCall(ServerCall<Object, R> call, Metadata headers) {
      PlainCall<Q, R> plainCall = new PlainCall<>(plain, call);
      return new GuardedListener<>(plainCall, handler.startCall(plainCall, headers));
    }
  }

  private static final class GuardedListener<Q> extends ServerCall.Listener<Object> {
    private final PlainCall<Q, ?> call;
    private final ServerCall.Listener<Q> listener;
    private boolean ended;

    GuardedListener(PlainCall<Q, ?> call, ServerCall.Listener<Q> listener) {
      this.call = call;
      this.listener = listener;
    }

    @Override
    @SuppressWarnings("unchecked") // the marshaller gives either a Q or Unparsable
    public void onMessage(Object message) {
      if (ended) {
        return;
      }
      if (message instanceof Unparsable unparsable) {
        ended = true;
        call.refuse(unparsable.why());
        listener.onCancel();
        return;
      }
      listener.onMessage((Q) message);
    }

    @Override
    public void onHalfClose() {
      if (!ended) {
        listener.onHalfClose();
      }
    }

    @Override
    public void onCancel() {
      if (!ended) {
        listener.onCancel();
      }
    }

    @Override
    public void onComplete() {
      if (!ended) {
        listener.onComplete();
      }
    }

    @Override
    public void onReady() {
      if (!ended) {
        listener.onReady();
      }
    }
  }

  /**
   * The call as the service knows it, with the method's own request type. Once it is refused the
   * service finds it cancelled, and what the service still sends, in whatever thread, goes nowhere.
   */
  private static final class PlainCall<Q, R> extends ServerCall<Q, R> {
    private final MethodDescriptor<Q, R> method;
    private final ServerCall<Object, R> call;
    private boolean closed;
    private boolean refused;

    PlainCall(MethodDescriptor<Q, R> method, ServerCall<Object, R> call) {
      this.method = method;
      this.call = call;
    }

    synchronized void refuse(Status status) {
      if (!closed) {
        call.close(status, new Metadata());
      }
      closed = true;
      refused = true;
    }

    @Override
    public MethodDescriptor<Q, R> getMethodDescriptor() {
      return method;
    }

    @Override
    public void request(int numMessages) {
      call.request(numMessages);
    }

    @Override
    public synchronized void sendHeaders(Metadata headers) {
      if (!refused) {
        call.sendHeaders(headers);
      }
    }

    @Override
    public synchronized void sendMessage(R message) {
      if (!refused) {
        call.sendMessage(message);
      }
    }

    @Override
    public synchronized boolean isReady() {
      return !refused && call.isReady();
    }

    @Override
    public synchronized void close(Status status, Metadata trailers) {
      if (!refused) {
        closed = true;
        call.close(status, trailers);
      }
    }

    @Override
    public synchronized boolean isCancelled() {
      return refused || call.isCancelled();
    }

    @Override
    public void setMessageCompression(boolean enabled) {
      call.setMessageCompression(enabled);
    }

    @Override
    public void setCompression(String compressor) {
      call.setCompression(compressor);
    }

    @Override
    public void setOnReadyThreshold(int numBytes) {
      call.setOnReadyThreshold(numBytes);
    }

    @Override
    public SecurityLevel getSecurityLevel() {
      return call.getSecurityLevel();
    }

    @Override
    public Attributes getAttributes() {
      return call.getAttributes();
    }

    @Override
    public String getAuthority() {
      return call.getAuthority();
    }
  }
}
