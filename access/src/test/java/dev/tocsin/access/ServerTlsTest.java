package dev.tocsin.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.HealthCheckRequest;
import dev.tocsin.proto.alerts.HealthCheckResponse;
import dev.tocsin.testsupport.Certificates;
import io.grpc.ChannelCredentials;
import io.grpc.Grpc;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.TlsChannelCredentials;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContextBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslProvider;
import io.grpc.stub.StreamObserver;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ServerTlsTest {
  private static final Duration RELOAD = Duration.ofMillis(100);

  @TempDir static Path issued;
  private static Certificates authority;
  private static Certificates.Issued own;
  private static Certificates other;

  @TempDir Path folder;
  private Path certificate;
  private Path key;
  private ServerTls tls;
  private Server server;

  @BeforeAll
  static void issue() throws Exception {
    authority = new Certificates(issued, "authority");
    own = authority.issue("server");
    other = new Certificates(issued, "other");
  }

  @BeforeEach
  void install() throws Exception {
    Certificates.Issued installed = own.copiedTo(folder);
    certificate = installed.certificate();
    key = installed.key();
  }

  @AfterEach
  void stop() throws InterruptedException {
    if (server != null) {
      server.shutdownNow().awaitTermination();
      tls.close();
    }
  }

  @Test
  void callers_whoTrustTheAuthorityAreServed_othersAreNot() throws Exception {
    serve(Optional.empty());
    assertThat(call(trusting(authority.authority()).build())).isEqualTo(Status.Code.OK);
    assertThat(call(trusting(other.authority()).build())).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void olderVersionsOfTls_areRefused() throws Exception {
    serve(Optional.empty());

    handshake("TLSv1.3");
    assertThatThrownBy(() -> handshake("TLSv1.2")).isInstanceOf(SSLException.class);
  }

  @Test
  void client_mustShowACertificateOfTheAuthority() throws Exception {
    serve(Optional.of(authority.authority()));
    Certificates.Issued good = authority.issue("client");
    Certificates.Issued foreign = other.issue("foreign");
    Certificates.Issued expired = authority.issue("expired", "-startdate", "-3d", "-validity", "1");

    assertThat(call(showing(good))).isEqualTo(Status.Code.OK);
    assertThat(call(trusting(authority.authority()).build())).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(call(showing(foreign))).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(call(showing(expired))).isEqualTo(Status.Code.UNAVAILABLE);
  }

  @Test
  void authorityThatIsTakenAway_doesNotLiveOnInSessions() throws Exception {
    Path trusted = Files.copy(authority.authority(), folder.resolve("trusted.pem"));
    serve(Optional.of(trusted));
    Certificates.Issued client = authority.issue("leaving");
    SslContext resuming = resuming(client);
    assertThat(call(resuming)).isEqualTo(Status.Code.OK);

    Path others = Files.copy(other.authority(), folder.resolve("others.pem"));
    Files.move(others, trusted, StandardCopyOption.REPLACE_EXISTING);

    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(call(resuming(client))).isEqualTo(Status.Code.UNAVAILABLE));
    await()
        .pollInterval(Duration.ofMillis(300)) // each call that resumes begins no new session
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() -> assertThat(call(resuming)).isEqualTo(Status.Code.UNAVAILABLE));
  }

  @Test
  void newCertificate_servesTheNextConnection_withoutARestart() throws Exception {
    serve(Optional.empty());
    assertThat(handshake("TLSv1.3").getSubjectX500Principal().getName()).isEqualTo("CN=server");
    Certificates.Issued renewed = authority.issue("renewed");
    // As a tool that renews them does: each file whole.
    Files.move(
        renewed.key(), key, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    Files.move(
        renewed.certificate(),
        certificate,
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);

    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () ->
                assertThat(handshake("TLSv1.3").getSubjectX500Principal().getName())
                    .isEqualTo("CN=renewed"));
    assertThat(call(trusting(authority.authority()).build())).isEqualTo(Status.Code.OK);
  }

  @Test
  void files_thatCannotBeUsedAreNamed() throws Exception {
    Path absent = folder.resolve("absent.pem");
    assertThatThrownBy(() -> open(absent, key, Optional.empty()))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("absent.pem");
    Path nonsense = Files.writeString(folder.resolve("nonsense.pem"), "nonsense");
    assertThatThrownBy(() -> open(nonsense, key, Optional.empty())).isInstanceOf(IOException.class);
  }

  private ServerTls open(Path certificates, Path keyFile, Optional<Path> clients)
      throws IOException {
    return new ServerTls(new ServerTls.Config(certificates, keyFile, clients, RELOAD));
  }

  private void serve(Optional<Path> clients) throws IOException {
    tls = open(certificate, key, clients);
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .sslContext(tls.context())
            .addService(new Alerts())
            .build()
            .start();
  }

  private static TlsChannelCredentials.Builder trusting(Path authority) throws IOException {
    return TlsChannelCredentials.newBuilder().trustManager(authority.toFile());
  }

  private ChannelCredentials showing(Certificates.Issued client) throws IOException {
    File chain = client.certificate().toFile();
    return trusting(authority.authority()).keyManager(chain, client.key().toFile()).build();
  }

  private Status.Code call(ChannelCredentials credentials) throws InterruptedException {
    return call(Grpc.newChannelBuilder("127.0.0.1:" + server.getPort(), credentials).build());
  }

  /** A client that resumes its sessions, as long as it uses the same. */
  private static SslContext resuming(Certificates.Issued client) throws IOException {
    return GrpcSslContexts.configure(SslContextBuilder.forClient(), SslProvider.JDK)
        .trustManager(authority.authority().toFile())
        .keyManager(client.certificate().toFile(), client.key().toFile())
        .build();
  }

  private Status.Code call(SslContext context) throws InterruptedException {
    return call(
        NettyChannelBuilder.forAddress("127.0.0.1", server.getPort()).sslContext(context).build());
  }

  private static Status.Code call(ManagedChannel channel) throws InterruptedException {
    try {
      StatusRuntimeException failure =
          catchThrowableOfType(
              StatusRuntimeException.class,
              () ->
                  AlertIngestionGrpc.newBlockingStub(channel)
                      .withDeadlineAfter(20, TimeUnit.SECONDS)
                      .healthCheck(HealthCheckRequest.getDefaultInstance()));
      return failure == null ? Status.Code.OK : failure.getStatus().getCode();
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  /** The server's certificate, whoever signed it. */
  private X509Certificate handshake(String version) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new TrustAll()}, null);
    try (SSLSocket socket =
        (SSLSocket)
            context
                .getSocketFactory()
                .createSocket(InetAddress.getLoopbackAddress(), server.getPort())) {
      socket.setSoTimeout(10_000);
      socket.setEnabledProtocols(new String[] {version});
      socket.startHandshake();
      return (X509Certificate) socket.getSession().getPeerCertificates()[0];
    }
  }

  private static final class TrustAll implements X509TrustManager {
    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return new X509Certificate[0];
    }
  }

  private static final class Alerts extends AlertIngestionGrpc.AlertIngestionImplBase {
    @Override
    public void healthCheck(HealthCheckRequest request, StreamObserver<HealthCheckResponse> reply) {
      reply.onNext(HealthCheckResponse.getDefaultInstance());
      reply.onCompleted();
    }
  }
}
