package dev.tocsin.benchmarks;

import io.grpc.ChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.util.Optional;

/**
 * An edge, and how it wants to be called.
 *
 * @param port on this machine
 * @param credentials with TLS or without
 * @param token to show, if it asks
 */
record EdgeTarget(int port, ChannelCredentials credentials, Optional<String> token) {
  /** A new connection, whose calls run on its own thread. */
  ManagedChannel connect() {
    return NettyChannelBuilder.forAddress("localhost", port, credentials).directExecutor().build();
  }

  /** For each call. */
  Metadata headers() {
    Metadata headers = new Metadata();
    token.ifPresent(
        text ->
            headers.put(
                Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
                "Bearer " + text));
    return headers;
  }
}
