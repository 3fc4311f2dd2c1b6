package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.broker.FreePorts;
import dev.tocsin.ingest.EdgeMain;
import dev.tocsin.processor.ProcessorMain;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import dev.tocsin.query.QueryMain;
import dev.tocsin.testsupport.Certificates;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.GrpcSslContexts;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.netty.handler.ssl.SslContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The parts as processes, each with a certificate of its own that the others ask for. */
@Timeout(240)
class TlsClusterIT {
  @TempDir Path folder;
  private final String prefix = "it-" + UUID.randomUUID();
  private final List<ClusterMember> members = new ArrayList<>();
  private Certificates authority;
  private Certificates others;

  @AfterEach
  void close() throws InterruptedException {
    for (ClusterMember member : members) {
      member.close();
    }
  }

  @Test
  void alertsCommandsReadsAndStreams_goThroughPartsThatShowOneAnotherTheirCertificates()
      throws Exception {
    authority = new Certificates(folder, "authority");
    others = new Certificates(folder, "others");
    SslContext caller = context(authority.authority(), authority.issue("caller"));
    ClusterMember processor = processor(caller);
    ClusterMember query = query(caller, processor.port);
    ClusterMember edge = edge(caller, query.port);
    for (ClusterMember member : members) {
      member.start();
    }
    members.forEach(ClusterMember::awaitServing);

    AlertAck ack =
        AlertIngestionGrpc.newBlockingStub(edge.channel())
            .withDeadlineAfter(30, TimeUnit.SECONDS)
            .submitAlert(
                AlertMessage.newBuilder().setSource("tls").setTitle("over certificates").build());
    assertThat(ack.getStatus()).isEqualTo(AlertAck.Status.ACCEPTED);
    IncidentServiceGrpc.IncidentServiceBlockingStub incidents =
        IncidentServiceGrpc.newBlockingStub(edge.channel());
    Incident created =
        incidents
            .withDeadlineAfter(30, TimeUnit.SECONDS)
            .createIncident(
                CreateIncidentRequest.newBuilder().setSource("tls").setTitle("by hand").build())
            .getIncident();
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                incidents
                        .withDeadlineAfter(30, TimeUnit.SECONDS)
                        .listIncidents(ListIncidentsRequest.getDefaultInstance())
                        .getIncidentsCount()
                    == 2);
    Iterator<IncidentEvent> events =
        incidents
            .withDeadlineAfter(30, TimeUnit.SECONDS)
            .streamIncidents(StreamIncidentsRequest.getDefaultInstance());
    List<String> streamed = List.of(events.next().getIncidentId(), events.next().getIncidentId());
    assertThat(streamed).contains(created.getId());

    for (ClusterMember member : members) {
      assertTakesOnlyItsOwn(member);
    }
  }

  /** Neither who shows nothing, nor who shows what another authority has signed, nor plaintext. */
  private void assertTakesOnlyItsOwn(ClusterMember member) throws Exception {
    Path trusted = authority.authority();
    NettyChannelBuilder builder = NettyChannelBuilder.forAddress("127.0.0.1", member.port);
    assertRefused(member, builder.sslContext(context(trusted, others.issue("for-" + member.name))));
    assertRefused(
        member,
        NettyChannelBuilder.forAddress("127.0.0.1", member.port)
            .sslContext(GrpcSslContexts.forClient().trustManager(trusted.toFile()).build()));
    assertRefused(member, NettyChannelBuilder.forAddress("127.0.0.1", member.port).usePlaintext());
  }

  private static void assertRefused(ClusterMember member, NettyChannelBuilder builder)
      throws InterruptedException {
    var channel = builder.build();
    try {
      var unused =
          HealthGrpc.newBlockingStub(channel)
              .withDeadlineAfter(20, TimeUnit.SECONDS)
              .check(HealthCheckRequest.getDefaultInstance());
      throw new AssertionError(member.name + " answered");
    } catch (StatusRuntimeException e) {
      assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    } finally {
      channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
    }
  }

  private ClusterMember processor(SslContext caller) throws Exception {
    int port = FreePorts.choose(0);
    List<String> lines = settings("processor", port);
    lines.addAll(
        List.of(
            "log.partitions=2",
            "log.replicas=1",
            "processor.ops-port=0",
            "processor.address=127.0.0.1:" + port,
            "processor.rocksdb-mib-max=32",
            "processor.state-folder=" + folder.resolve("state")));
    return member("processor", ProcessorMain.class, port, lines, caller);
  }

  private ClusterMember query(SslContext caller, int processor) throws Exception {
    int port = FreePorts.choose(0);
    List<String> lines = settings("query", port);
    lines.addAll(forwarding("query"));
    lines.addAll(
        List.of(
            "ops.port=0",
            "query.processors=127.0.0.1:" + processor,
            "query.token-secret=" + prefix,
            "forward.secret=" + prefix));
    return member("query", QueryMain.class, port, lines, caller);
  }

  private ClusterMember edge(SslContext caller, int query) throws Exception {
    int port = FreePorts.choose(0);
    List<String> lines = settings("edge", port);
    lines.addAll(forwarding("edge"));
    lines.addAll(
        List.of(
            "edge.ops-port=0", "edge.forward-to=127.0.0.1:" + query, "forward.secret=" + prefix));
    return member("edge", EdgeMain.class, port, lines, caller);
  }

  /** Where it listens, and what it shows there and asks for. */
  private List<String> settings(String name, int port) throws Exception {
    Certificates.Issued own = authority.issue(name);
    return new ArrayList<>(
        List.of(
            "kafka.bootstrap.servers=" + SharedBroker.bootstrap(),
            "log.prefix=" + prefix,
            name + ".port=" + port,
            name + ".tls.certificate-file=" + own.certificate(),
            name + ".tls.key-file=" + own.key(),
            name + ".tls.client-authorities-file=" + authority.authority()));
  }

  /** What it shows where it calls. */
  private List<String> forwarding(String name) throws Exception {
    Certificates.Issued own = authority.issue(name + "-calls");
    return List.of(
        "forward.tls.ca-file=" + authority.authority(),
        "forward.tls.certificate-file=" + own.certificate(),
        "forward.tls.key-file=" + own.key());
  }

  private ClusterMember member(
      String name, Class<?> main, int port, List<String> lines, SslContext caller)
      throws Exception {
    ClusterMember made = new ClusterMember(folder, name, main, port, lines, Optional.of(caller));
    members.add(made);
    return made;
  }

  private static SslContext context(Path trusted, Certificates.Issued own) throws Exception {
    return GrpcSslContexts.forClient()
        .trustManager(trusted.toFile())
        .keyManager(own.certificate().toFile(), own.key().toFile())
        .build();
  }
}
