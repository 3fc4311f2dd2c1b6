package dev.tocsin.query;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.RetryInfo;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceBlockingStub;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.Settings;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** A query service as callers meet it, behind a real server and the network. */
final class ServedQuery implements AutoCloseable {
  final Health health = new Health();
  final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  final ManagedChannel channel;
  final IncidentServiceBlockingStub incidents;
  private final Lifetime lifetime = new Lifetime();

  ServedQuery(FakeProcessors processors, Duration timeout, String... addresses) {
    this(processors, new QueryConfig(List.of(addresses), timeout, 100, 100));
  }

  ServedQuery(FakeProcessors processors, QueryConfig config) {
    Query query = lifetime.add(new Query(config, streams(), meters, health, processors.channels()));
    query.start();
    GrpcServer server =
        lifetime.add(
            new GrpcServer(
                new GrpcServer.Config("127.0.0.1", 0, 4 << 20, 8 << 10, 4), meters, health));
    query.services().forEach(server::serve);
    try {
      server.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    lifetime.add(channel::shutdownNow);
    incidents = IncidentServiceGrpc.newBlockingStub(channel);
  }

  /** With a broker that is not there: streams are tested elsewhere. */
  private static StreamConfig streams() {
    return StreamConfig.read(Settings.of(Map.of("kafka.bootstrap.servers", "127.0.0.1:1")));
  }

  /** The error that a call ends with. */
  static StatusRuntimeException error(ThrowingCallable call) {
    StatusRuntimeException error = catchThrowableOfType(StatusRuntimeException.class, call);
    if (error == null) {
      throw new AssertionError("the call did not fail");
    }
    return error;
  }

  static Status.Code code(ThrowingCallable call) {
    return error(call).getStatus().getCode();
  }

  /** The violations of an INVALID_ARGUMENT: field to description. */
  static Map<String, String> violations(StatusRuntimeException error) {
    if (error.getStatus().getCode() != Status.Code.INVALID_ARGUMENT) {
      throw new AssertionError("not refused, but " + error.getStatus());
    }
    return detail(error, BadRequest.class).orElseThrow().getFieldViolationsList().stream()
        .collect(Collectors.toMap(FieldViolation::getField, FieldViolation::getDescription));
  }

  static boolean saysWhenToRetry(StatusRuntimeException error) {
    return detail(error, RetryInfo.class).filter(RetryInfo::hasRetryDelay).isPresent();
  }

  private static <T extends Message> Optional<T> detail(
      StatusRuntimeException error, Class<T> type) {
    for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
      if (detail.is(type)) {
        try {
          return Optional.of(detail.unpack(type));
        } catch (InvalidProtocolBufferException e) {
          throw new AssertionError(e);
        }
      }
    }
    return Optional.empty();
  }

  @Override
  public void close() {
    lifetime.close();
  }
}
