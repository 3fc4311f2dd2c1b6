package dev.tocsin.benchmarks;

import io.grpc.ChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.time.Duration;
import java.util.Iterator;
import java.util.Optional;

/**
 * An edge, and how it wants to be called.
 *
 * @param port on this machine
 * @param credentials with TLS or without
 * @param token to show, if it asks
 */
record EdgeTarget(int port, ChannelCredentials credentials, Optional<String> token) {
  private static final Duration SERVING_MAX = Duration.ofSeconds(30);

  /** A new connection, whose calls run on its own thread. */
  ManagedChannel connect() {
    return channel().build();
  }

  /** The same, with a bound on the bytes of answers that it buffers until they are read. */
  ManagedChannel connect(int windowBytes) {
    return channel().flowControlWindow(windowBytes).build();
  }

  private NettyChannelBuilder channel() {
    return NettyChannelBuilder.forAddress("localhost", port, credentials).directExecutor();
  }

  /**
   * Waits until it takes alerts.
   *
   * @throws IOException if it does not in half a minute
   */
  void awaitServing() throws IOException {
    ManagedChannel channel = connect();
    try {
      Iterator<HealthCheckResponse> states =
          HealthGrpc.newBlockingStub(channel)
              .withDeadlineAfter(SERVING_MAX)
              .withWaitForReady()
              .watch(HealthCheckRequest.getDefaultInstance());
      while (states.next().getStatus() != ServingStatus.SERVING) {
        // each is told when it changes
      }
    } catch (StatusRuntimeException e) {
      throw new IOException("the edge does not take alerts", e);
    } finally {
      channel.shutdownNow();
    }
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
