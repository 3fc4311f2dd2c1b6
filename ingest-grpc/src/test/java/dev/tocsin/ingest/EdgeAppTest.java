package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.rpc.RetryInfo;
import dev.tocsin.access.ServerTls;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.Settings;
import dev.tocsin.testsupport.Certificates;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.protobuf.StatusProto;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An edge whose log is away, in front of a query-service that is there. */
class EdgeAppTest {
  private static final long SOON_SECONDS = 20;

  @TempDir Path folder;
  private final Lifetime lifetime = new Lifetime();
  private EdgeApp edge;
  private ManagedChannel channel;

  @AfterEach
  void close() {
    lifetime.close();
  }

  private void start() throws IOException {
    start(lifetime.add(query().start()).port(), Map.of());
  }

  private static GrpcServer query() {
    return new GrpcServer(
            new GrpcServer.Config("127.0.0.1", 0, 4 << 20, 8 << 10, 2, 1_000),
            new SimpleMeterRegistry(),
            new Health())
        .serveDirect(new OneEvent());
  }

  @Test
  void config_thatKnowsCallersAndDoesNotTellTheQueryServices_isRefused() {
    Map<String, String> settings =
        Map.of(
            "kafka.bootstrap.servers", "127.0.0.1:1",
            "edge.forward-to", "127.0.0.1:1",
            "auth.algorithm", "HS256",
            "auth.secret-file", "secret",
            "auth.issuer", "me",
            "auth.audience", "tocsin");
    assertThatThrownBy(() -> EdgeApp.Config.read(Settings.of(settings)))
        .hasMessageContaining("forward.secret");
  }

  private void start(int query, Map<String, String> settings) throws IOException {
    Map<String, String> all = new TreeMap<>(settings);
    all.put("edge.port", "0");
    all.put("edge.ops-port", "0");
    all.put("edge.forward-to", "127.0.0.1:" + query);
    all.put("kafka.bootstrap.servers", "127.0.0.1:1");
    edge = lifetime.add(new EdgeApp(EdgeApp.Config.read(Settings.of(all))));
    edge.start();
    channel = NettyChannelBuilder.forAddress("127.0.0.1", edge.port()).usePlaintext().build();
    lifetime.add(channel::shutdownNow);
  }

  /** Of each stream, and no end. */
  private static final class OneEvent extends IncidentServiceGrpc.IncidentServiceImplBase {
    @Override
    public void streamIncidents(
        StreamIncidentsRequest request, StreamObserver<IncidentEvent> reply) {
      reply.onNext(IncidentEvent.getDefaultInstance());
    }
  }

  /** What comes, and the error or null at the end. */
  private static final class Seen<T> implements StreamObserver<T> {
    final BlockingQueue<T> values = new LinkedBlockingQueue<>();
    final BlockingQueue<Throwable> errors = new LinkedBlockingQueue<>();

    @Override
    public void onNext(T value) {
      values.add(value);
    }

    @Override
    public void onError(Throwable t) {
      errors.add(t);
    }

    @Override
    public void onCompleted() {}
  }

  @Test
  void close_endsForwardedStreamsAtOnceAndSaysWhenToComeBack() throws Exception {
    start();
    Seen<IncidentEvent> stream = new Seen<>();
    IncidentServiceGrpc.newStub(channel)
        .streamIncidents(StreamIncidentsRequest.getDefaultInstance(), stream);
    assertThat(stream.values.poll(SOON_SECONDS, TimeUnit.SECONDS)).isNotNull();
    edge.close();
    Throwable ended = stream.errors.poll(SOON_SECONDS, TimeUnit.SECONDS);
    assertThat(Status.fromThrowable(ended).getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(StatusProto.fromThrowable(ended).getDetailsList())
        .hasSize(1)
        .allMatch(detail -> detail.is(RetryInfo.class));
  }

  /** By its settings alone, on both sides. */
  @Test
  void forwarded_callGoesEncrypted_toWhomAsksForACertificate() throws Exception {
    Certificates authority = new Certificates(folder, "authority");
    Certificates.Issued server = authority.issue("query");
    Certificates.Issued client = authority.issue("edge");
    Settings querySettings =
        Settings.of(
            Map.of(
                "query.tls.certificate-file", server.certificate().toString(),
                "query.tls.key-file", server.key().toString(),
                "query.tls.client-authorities-file", authority.authority().toString()));
    ServerTls tls =
        lifetime.add(
            new ServerTls(ServerTls.Config.readInternal(querySettings, "query").orElseThrow()));
    int query = lifetime.add(query().guardedBy(tls).start()).port();
    start(
        query,
        Map.of(
            "forward.tls.ca-file", authority.authority().toString(),
            "forward.tls.certificate-file", client.certificate().toString(),
            "forward.tls.key-file", client.key().toString()));

    Seen<IncidentEvent> stream = new Seen<>();
    IncidentServiceGrpc.newStub(channel)
        .streamIncidents(StreamIncidentsRequest.getDefaultInstance(), stream);
    assertThat(stream.values.poll(SOON_SECONDS, TimeUnit.SECONDS)).isNotNull();
    edge.close();

    start(query, Map.of());
    Seen<IncidentEvent> plain = new Seen<>();
    IncidentServiceGrpc.newStub(channel)
        .streamIncidents(StreamIncidentsRequest.getDefaultInstance(), plain);
    assertThat(Status.fromThrowable(plain.errors.poll(SOON_SECONDS, TimeUnit.SECONDS)).getCode())
        .isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void reflection_listsWhatIsForwardedToo() throws Exception {
    start();
    Seen<ServerReflectionResponse> answers = new Seen<>();
    StreamObserver<ServerReflectionRequest> asks =
        ServerReflectionGrpc.newStub(channel).serverReflectionInfo(answers);
    asks.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    assertThat(
            answers
                .values
                .poll(SOON_SECONDS, TimeUnit.SECONDS)
                .getListServicesResponse()
                .getServiceList())
        .extracting(service -> service.getName())
        .contains(
            "alerts.AlertIngestion",
            "incidents.IncidentService",
            "tocsin.admin.Admin",
            "tocsin.admin.Rules",
            "incidents.Silences");
    asks.onNext(
        ServerReflectionRequest.newBuilder().setFileContainingSymbol("tocsin.admin.Rules").build());
    assertThat(
            answers
                .values
                .poll(SOON_SECONDS, TimeUnit.SECONDS)
                .getFileDescriptorResponse()
                .getFileDescriptorProtoCount())
        .isPositive();
    asks.onCompleted();
  }
}
