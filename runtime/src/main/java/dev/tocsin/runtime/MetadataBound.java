package dev.tocsin.runtime;

import io.grpc.InternalMetadata;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;

/**
 * Ends a call whose headers are over the bound with RESOURCE_EXHAUSTED. The transport's own bound,
 * which is twice as high, answers by HTTP's 431, of which clients make INTERNAL. Thread-safe.
 *
 * @param bytesMax of all headers, each as HTTP/2 counts it (RFC 9113, 6.5.2)
 */
record MetadataBound(int bytesMax) implements ServerInterceptor {
  private static final int ENTRY_BYTES = 32;

  /** For the transport: beyond it headers are not even kept. */
  int transportBytesMax() {
    return 2 * bytesMax;
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    int bytes = bytes(headers);
    if (bytes <= bytesMax) {
      return next.startCall(call, headers);
    }
    String what = "the call's headers have %d bytes, more than %d".formatted(bytes, bytesMax);
    call.close(Status.RESOURCE_EXHAUSTED.withDescription(what), new Metadata());
    return new ServerCall.Listener<>() {};
  }

  private static int bytes(Metadata headers) {
    byte[][] namesAndValues = InternalMetadata.serialize(headers);
    int bytes = namesAndValues.length / 2 * ENTRY_BYTES;
    for (byte[] part : namesAndValues) {
      bytes += part.length;
    }
    return bytes;
  }
}
