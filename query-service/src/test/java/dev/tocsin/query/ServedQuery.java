package dev.tocsin.query;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceBlockingStub;
import dev.tocsin.proto.incidents.SilencesGrpc;
import dev.tocsin.proto.incidents.SilencesGrpc.SilencesBlockingStub;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.Settings;
import dev.tocsin.schemas.Topics;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** A query service as callers meet it, behind a real server and the network. */
final class ServedQuery implements AutoCloseable {
  static final Clock CLOCK = Clock.fixed(Instant.parse("2026-11-21T03:04:05Z"), ZoneOffset.UTC);

  final Health health = new Health();
  final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  final ManagedChannel channel;
  final IncidentServiceBlockingStub incidents;
  final SilencesBlockingStub silences;
  private final Lifetime lifetime = new Lifetime();

  ServedQuery(FakeProcessors processors, Duration timeout, String... addresses) {
    this(processors, config(timeout, 100, addresses));
  }

  /** Over a log that takes everything at once. */
  ServedQuery(FakeProcessors processors, QueryConfig config) {
    this(processors, config, () -> producer(true));
  }

  ServedQuery(
      FakeProcessors processors, QueryConfig config, Supplier<Producer<byte[], byte[]>> producers) {
    Query query =
        lifetime.add(
            new Query(config, streams(), meters, health, processors.channels(), CLOCK, producers));
    query.start();
    GrpcServer server =
        lifetime.add(
            new GrpcServer(
                new GrpcServer.Config("127.0.0.1", 0, 4 << 20, 8 << 10, 4, 1_000), meters, health));
    query.services().forEach(server::serve);
    try {
      server.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    channel = NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    lifetime.add(channel::shutdownNow);
    incidents = IncidentServiceGrpc.newBlockingStub(channel);
    silences = SilencesGrpc.newBlockingStub(channel);
  }

  /** One that allows so many calls of each kind at once. */
  static QueryConfig config(Duration timeout, int callsMax, String... processors) {
    return new QueryConfig(
        List.of(processors),
        timeout,
        callsMax,
        callsMax,
        new CommandConfig(Topics.DEFAULT, Map.of(), callsMax));
  }

  /** One that keeps what it is sent, and answers each at once or when it is told to. */
  static MockProducer<byte[], byte[]> producer(boolean answersAtOnce) {
    ByteArraySerializer bytes = new ByteArraySerializer();
    return new MockProducer<>(answersAtOnce, null, bytes, bytes);
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

  static ErrorInfo reason(StatusRuntimeException error) {
    return detail(error, ErrorInfo.class).orElse(ErrorInfo.getDefaultInstance());
  }

  double count(String name, String... tags) {
    return meters.get(name).tags(tags).counter().count();
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
