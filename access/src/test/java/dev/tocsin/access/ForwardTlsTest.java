package dev.tocsin.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.runtime.Forwarder;
import dev.tocsin.runtime.GrpcServer;
import dev.tocsin.runtime.Health;
import dev.tocsin.runtime.Lifetime;
import dev.tocsin.runtime.Settings;
import dev.tocsin.testsupport.Certificates;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Calls that one of our servers forwards to another, encrypted. */
@Timeout(120)
class ForwardTlsTest {
  @TempDir static Path issued;
  private static Certificates authority;
  private static Certificates other;
  private static Certificates.Issued ownQuery;
  private static Certificates.Issued ownEdge;
  private static Certificates.Issued otherEdge;

  @TempDir Path folder;
  private final Lifetime lifetime = new Lifetime();
  private Path trusted;
  private Certificates.Issued edge;
  private int port;

  @BeforeAll
  static void issue() throws Exception {
    authority = new Certificates(issued, "authority");
    ownQuery = authority.issue("query");
    ownEdge = authority.issue("edge");
    other = new Certificates(issued, "other");
    otherEdge = other.issue("other-edge");
  }

  @BeforeEach
  void serve() throws Exception {
    trusted = Files.copy(authority.authority(), folder.resolve("trusted.pem"));
    edge = ownEdge.copiedTo(folder);
    port = serve(Map.of());
  }

  private int serve(Map<String, String> more) throws Exception {
    Map<String, String> all = new TreeMap<>(more);
    all.putAll(
        Map.of(
            "query.port", "0",
            "query.tls.certificate-file", ownQuery.certificate().toString(),
            "query.tls.key-file", ownQuery.key().toString(),
            "query.tls.client-authorities-file", authority.authority().toString()));
    Settings settings = Settings.of(all);
    ServerTls tls =
        lifetime.add(new ServerTls(ServerTls.Config.readInternal(settings, "query").orElseThrow()));
    GrpcServer server = server(settings, "query");
    return lifetime.add(server.serveDirect(new Incidents()).guardedBy(tls).start()).port();
  }

  @AfterEach
  void close() {
    lifetime.close();
  }

  @Test
  void forwarded_callIsAnswered_whereBothShowACertificate() throws Exception {
    assertThat(call("127.0.0.1", tls(trusted, Optional.of(edge)))).isEqualTo(Status.Code.OK);
    assertThat(call("localhost", tls(trusted, Optional.of(edge)))).isEqualTo(Status.Code.OK);
  }

  @Test
  void whoShowsNoneOrAnothersCertificate_isNotLetIn() throws Exception {
    assertThat(call("127.0.0.1", tls(trusted, Optional.empty())))
        .isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(call("127.0.0.1", tls(trusted, Optional.of(otherEdge))))
        .isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(call("127.0.0.1", Map.of())).as("plaintext").isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void whoBeginsNoHandshake_isCutAtItsTimeOut() throws Exception {
    port = serve(Map.of("query.handshake-timeout", "5s"));
    long begun = System.nanoTime();
    try (Socket silent = new Socket(InetAddress.getLoopbackAddress(), port);
        Socket slow = new Socket(InetAddress.getLoopbackAddress(), port)) {
      slow.getOutputStream().write(new byte[] {22, 3, 1, 2, 0}); // a record's head, and no more
      for (Socket each : List.of(silent, slow)) {
        each.setSoTimeout(20_000);
        assertThat(each.getInputStream().read()).isEqualTo(-1);
        assertThat(Duration.ofNanos(System.nanoTime() - begun))
            .isGreaterThan(Duration.ofSeconds(4));
      }
    }
    assertThat(call("127.0.0.1", tls(trusted, Optional.of(edge)))).isEqualTo(Status.Code.OK);
  }

  @Test
  void target_isHeldToTheAuthorityAndToTheNameThatItIsCalledBy() throws Exception {
    assertThat(call("127.0.0.1", tls(other.authority(), Optional.of(edge))))
        .isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(call("127.0.0.2", tls(trusted, Optional.of(edge))))
        .as("the certificate is for 127.0.0.1 and localhost")
        .isEqualTo(Status.Code.UNAVAILABLE);
  }

  /** The edge that trusts and shows what is no good here is given what is. */
  @Test
  void newFiles_serveTheNextConnection_withoutARestart() throws Exception {
    Path authorities = Files.copy(other.authority(), folder.resolve("authorities.pem"));
    Certificates.Issued shown = otherEdge.copiedTo(folder);
    IncidentServiceGrpc.IncidentServiceBlockingStub calls =
        front("127.0.0.1", tls(authorities, Optional.of(shown)));
    assertThat(code(calls)).isEqualTo(Status.Code.UNAVAILABLE);

    replace(trusted, authorities);
    replace(edge.certificate(), shown.certificate());
    replace(edge.key(), shown.key());

    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() -> assertThat(code(calls)).isEqualTo(Status.Code.OK));
  }

  private static void replace(Path by, Path file) throws IOException {
    Files.move(by, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  private static Map<String, String> tls(Path authorities, Optional<Certificates.Issued> shown) {
    Map<String, String> settings = new TreeMap<>();
    settings.put("forward.tls.ca-file", authorities.toString());
    settings.put("forward.tls.reload", "100ms");
    shown.ifPresent(
        own -> {
          settings.put("forward.tls.certificate-file", own.certificate().toString());
          settings.put("forward.tls.key-file", own.key().toString());
        });
    return settings;
  }

  private Status.Code call(String host, Map<String, String> settings) throws IOException {
    return code(front(host, settings));
  }

  private static Status.Code code(IncidentServiceGrpc.IncidentServiceBlockingStub calls) {
    StatusRuntimeException failure =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () ->
                calls
                    .withDeadlineAfter(20, TimeUnit.SECONDS)
                    .getIncident(GetIncidentRequest.getDefaultInstance()));
    return failure == null ? Status.Code.OK : failure.getStatus().getCode();
  }

  /** What stands where an edge does: it forwards to {@code host}. */
  private IncidentServiceGrpc.IncidentServiceBlockingStub front(
      String host, Map<String, String> given) throws IOException {
    Map<String, String> all = new TreeMap<>(given);
    all.put("edge.forward-to", host + ":" + port);
    all.put("edge.port", "0");
    Settings settings = Settings.of(all);
    Optional<ClientTls.Config> config = ClientTls.Config.read(settings);
    Optional<ClientTls> tls =
        config.isEmpty()
            ? Optional.empty()
            : Optional.of(lifetime.add(new ClientTls(config.get())));
    Forwarder forwarder =
        lifetime.add(
            new Forwarder(
                Forwarder.Config.read(settings, "edge"),
                List.of(IncidentServiceGrpc.getServiceDescriptor()),
                tls.map(ClientTls::context),
                new SimpleMeterRegistry(),
                Clock.systemUTC()));
    GrpcServer server = server(settings, "edge");
    settings.check();
    forwarder.services().forEach(server::serveDirect);
    lifetime.add(server.start());
    ManagedChannel channel =
        NettyChannelBuilder.forAddress("127.0.0.1", server.port()).usePlaintext().build();
    lifetime.add(channel::shutdownNow);
    return IncidentServiceGrpc.newBlockingStub(channel);
  }

  private static GrpcServer server(Settings settings, String name) {
    return new GrpcServer(
        GrpcServer.Config.read(settings, name, 0), new SimpleMeterRegistry(), new Health());
  }

  private static final class Incidents extends IncidentServiceGrpc.IncidentServiceImplBase {
    @Override
    public void getIncident(GetIncidentRequest request, StreamObserver<GetIncidentResponse> reply) {
      reply.onNext(
          GetIncidentResponse.newBuilder()
              .setIncident(Incident.newBuilder().setTitle("over TLS"))
              .build());
      reply.onCompleted();
    }
  }
}
