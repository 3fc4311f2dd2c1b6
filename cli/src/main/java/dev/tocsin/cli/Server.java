package dev.tocsin.cli;

import dev.tocsin.proto.admin.AdminGrpc;
import dev.tocsin.proto.admin.AdminGrpc.AdminBlockingStub;
import dev.tocsin.proto.admin.RulesGrpc;
import dev.tocsin.proto.admin.RulesGrpc.RulesBlockingStub;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertIngestionGrpc.AlertIngestionBlockingStub;
import dev.tocsin.proto.alerts.AlertIngestionGrpc.AlertIngestionStub;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceBlockingStub;
import dev.tocsin.proto.incidents.SilencesGrpc;
import dev.tocsin.proto.incidents.SilencesGrpc.SilencesBlockingStub;
import io.grpc.ClientInterceptor;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A connection to a server, made when it is first used. Each unary call has the time-out as its
 * deadline; streams have none and watch for themselves. Thread-safe.
 */
final class Server implements AutoCloseable {
  /** A page of a thousand incidents with full lists stays under it. */
  private static final int ANSWER_BYTES_MAX = 64 << 20;

  private static final Duration PING_INTERVAL = Duration.ofSeconds(20);
  private static final Duration PING_MAX = Duration.ofSeconds(10);
  private static final Duration CLOSE_MAX = Duration.ofSeconds(2);

  private final String target;
  private final Duration timeout;
  private final ManagedChannel channel;

  /**
   * A connection without TLS and without a token.
   *
   * @param target host:port
   */
  Server(String target, Duration timeout) {
    this(target, timeout, Login.NONE);
  }

  Server(String target, Duration timeout, Login login) {
    this.target = target;
    this.timeout = timeout;
    NettyChannelBuilder builder =
        NettyChannelBuilder.forTarget("dns:///" + target, login.transport())
            .maxInboundMessageSize(ANSWER_BYTES_MAX)
            .keepAliveTime(PING_INTERVAL.toMillis(), TimeUnit.MILLISECONDS)
            .keepAliveTimeout(PING_MAX.toMillis(), TimeUnit.MILLISECONDS);
    login.token().ifPresent(token -> builder.intercept(bearer(token)));
    this.channel = builder.build();
  }

  private static ClientInterceptor bearer(String token) {
    Metadata headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER), "Bearer " + token);
    return MetadataUtils.newAttachHeadersInterceptor(headers);
  }

  /** Where it is, as host:port. */
  String target() {
    return target;
  }

  Duration timeout() {
    return timeout;
  }

  AlertIngestionBlockingStub alerts() {
    return AlertIngestionGrpc.newBlockingStub(channel)
        .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  AlertIngestionStub alertStreams() {
    return AlertIngestionGrpc.newStub(channel);
  }

  IncidentServiceBlockingStub incidents() {
    return IncidentServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** For streams that last. */
  IncidentServiceBlockingStub incidentStreams() {
    return IncidentServiceGrpc.newBlockingStub(channel);
  }

  AdminBlockingStub admin() {
    return AdminGrpc.newBlockingStub(channel)
        .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  RulesBlockingStub rules() {
    return RulesGrpc.newBlockingStub(channel)
        .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  SilencesBlockingStub silences() {
    return SilencesGrpc.newBlockingStub(channel)
        .withDeadlineAfter(timeout.toMillis(), TimeUnit.MILLISECONDS);
  }

  @Override
  public void close() {
    channel.shutdownNow();
    try {
      channel.awaitTermination(CLOSE_MAX.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
