package dev.tocsin.runtime;

import io.grpc.ClientStreamTracer;
import io.grpc.Metadata;

/**
 * Tells a call whose message may have reached the other end from one that surely never left. gRPC
 * tries a call again by itself only where the other end cannot have seen it: so each attempt begins
 * anew, and what the last one says holds. Of one call; thread-safe.
 */
final class SentWatch extends ClientStreamTracer.Factory {
  private volatile boolean sent;

  /** Whether a message was handed to a connection that was up. */
  boolean sent() {
    return sent;
  }

  @Override
  public ClientStreamTracer newClientStreamTracer(
      ClientStreamTracer.StreamInfo info, Metadata headers) {
    sent = false;
    return new ClientStreamTracer() {
      @Override
      public void outboundMessage(int sequence) {
        sent = true;
      }
    };
  }
}
