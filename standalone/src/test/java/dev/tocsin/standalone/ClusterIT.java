package dev.tocsin.standalone;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.broker.FreePorts;
import dev.tocsin.ingest.EdgeMain;
import dev.tocsin.processor.ProcessorMain;
import dev.tocsin.proto.admin.ActivateRulesRequest;
import dev.tocsin.proto.admin.AdminGrpc;
import dev.tocsin.proto.admin.GetProgressRequest;
import dev.tocsin.proto.admin.RulesGrpc;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentServiceGrpc;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.query.QueryMain;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three processors, two query-services and two edges as processes, on one broker; alerts, reads,
 * commands, a subscriber and new rules through both edges while parts are killed and rolled. {@code
 * -Dcluster.standbys=0} and {@code -Dcluster.session=SECONDS} measure a fail-over of another kind;
 * {@code -Dcluster.roll-all=true} restarts every one of them, not one of each.
 */
@Timeout(400)
class ClusterIT {
  private static final int PARTITIONS = 12;
  private static final int STANDBYS = Integer.getInteger("cluster.standbys", 1);
  private static final int SESSION_SECONDS = Integer.getInteger("cluster.session", 10);
  private static final boolean ROLL_ALL = Boolean.getBoolean("cluster.roll-all");

  /** What is one incident stays as it was. */
  private static final String RULES = "defaults: {reopen_window: 6m}";

  private static final int RULES_VERSION = 2;
  private static final String SECRET = UUID.randomUUID().toString();

  @TempDir Path folder;

  private final String prefix = "it-" + UUID.randomUUID();
  private final List<ClusterMember> processors = new ArrayList<>();
  private final List<ClusterMember> queries = new ArrayList<>();
  private final List<ClusterMember> edges = new ArrayList<>();
  private final long begunNanos = System.nanoTime();

  @AfterEach
  void close() throws InterruptedException {
    for (ClusterMember member : all()) {
      member.close();
    }
  }

  @Test
  void cluster_losesNothingAndAnswersNothingWrongWhileItsPartsComeAndGo() throws Exception {
    up();
    assertThat(services(edges.get(0).channel()))
        .contains(
            "alerts.AlertIngestion",
            "incidents.IncidentService",
            "tocsin.admin.Admin",
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection");
    List<ManagedChannel> channels = edges.stream().map(ClusterMember::channel).toList();
    ClusterLoad load = new ClusterLoad(channels);
    ClusterCommands commands = new ClusterCommands(channels);
    ClusterSubscriber subscriber = new ClusterSubscriber(channels);
    try (load;
        subscriber) {
      try (commands) {
        load.start();
        awaitAll(channels);
        commands.start();
        subscriber.start();
        tell("the cluster is up");
        assertEveryRouteIsRight();
        assertQueriesTakeNobodyWithoutTheSecret();
        awaitCopies();
        failOver(load);
        recover(channels);
        roll(load);
      }
      commands.verify(channels.get(0));
      subscriber.verify(channels.get(1));
    }
    assertRulesAreActive(channels.get(0));
    assertThat(load.faults).isEmpty();
    assertThat(load.fresh).hasPositiveValue();
    awaitCounted(channels.get(1), load.accepted.get());
    tell(
        "alerts %d, each counted once; reads: %d of owners, %d of standbys, %d UNAVAILABLE"
            .formatted(
                load.accepted.get(), load.fresh.get(), load.stale.get(), load.unavailable.get()));
    tell(
        "commands %d, each done once, after %d unknown ends and %d that were surely not appended; events to the subscriber %d, over %d resumed streams"
            .formatted(
                commands.acknowledged.get(),
                commands.unknown.get(),
                commands.notAppended.get(),
                subscriber.events.get(),
                subscriber.resumed.get()));
    assertThat(subscriber.resumed).hasPositiveValue();
  }

  private void up() throws IOException {
    for (int i = 0; i < 3; i++) {
      processors.add(processor(i));
    }
    String addresses =
        processors.stream().map(each -> "127.0.0.1:" + each.port).collect(Collectors.joining(","));
    for (int i = 0; i < 2; i++) {
      int port = FreePorts.choose(0);
      queries.add(
          new ClusterMember(
              folder,
              "query" + i,
              QueryMain.class,
              port,
              List.of(
                  "kafka.bootstrap.servers=" + SharedBroker.bootstrap(),
                  "log.prefix=" + prefix,
                  "query.port=" + port,
                  "ops.port=0",
                  "query.processors=" + addresses,
                  "query.token-secret=" + SECRET,
                  "forward.secret=" + SECRET)));
    }
    String targets =
        queries.stream().map(each -> "127.0.0.1:" + each.port).collect(Collectors.joining(","));
    for (int i = 0; i < 2; i++) {
      int port = FreePorts.choose(0);
      edges.add(
          new ClusterMember(
              folder,
              "edge" + i,
              EdgeMain.class,
              port,
              List.of(
                  "kafka.bootstrap.servers=" + SharedBroker.bootstrap(),
                  "log.prefix=" + prefix,
                  "edge.port=" + port,
                  "edge.ops-port=0",
                  "edge.forward-to=" + targets,
                  "forward.secret=" + SECRET)));
    }
    // All at once, on a cluster that has no topics yet.
    for (ClusterMember member : all()) {
      member.start();
    }
    all().forEach(ClusterMember::awaitServing);
  }

  private ClusterMember processor(int i) throws IOException {
    int port = FreePorts.choose(0);
    return new ClusterMember(
        folder,
        "processor" + i,
        ProcessorMain.class,
        port,
        List.of(
            "kafka.bootstrap.servers=" + SharedBroker.bootstrap(),
            "log.prefix=" + prefix,
            "log.partitions=" + PARTITIONS,
            "log.replicas=1",
            "processor.port=" + port,
            "processor.ops-port=0",
            "processor.address=127.0.0.1:" + port,
            "processor.instance-id=p" + i,
            "processor.standbys=" + STANDBYS,
            "processor.session-timeout=" + SESSION_SECONDS + "s",
            "processor.rocksdb-mib-max=32",
            "processor.state-folder=" + folder.resolve("state" + i)));
  }

  private List<ClusterMember> all() {
    List<ClusterMember> all = new ArrayList<>(processors);
    all.addAll(queries);
    all.addAll(edges);
    return all;
  }

  private void awaitAll(List<ManagedChannel> channels) {
    for (ManagedChannel edge : channels) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .ignoreException(StatusRuntimeException.class)
          .until(() -> ClusterLoad.list(edge).getIncidentsCount() == ClusterLoad.SERVICES);
    }
  }

  private void assertEveryRouteIsRight() {
    List<Incident> incidents = ClusterLoad.list(edges.get(0).channel()).getIncidentsList();
    Set<Integer> partitions = new HashSet<>();
    for (ClusterMember edge : edges) {
      for (Incident incident : incidents) {
        var got =
            IncidentServiceGrpc.newBlockingStub(edge.channel())
                .getIncident(GetIncidentRequest.newBuilder().setId(incident.getId()).build());
        assertThat(got.getIncident().getId()).isEqualTo(incident.getId());
        partitions.add(incident.getOpenedAtPosition().getPartition());
      }
      var progress =
          AdminGrpc.newBlockingStub(edge.channel())
              .getProgress(GetProgressRequest.getDefaultInstance());
      assertThat(progress.getPartitionsCount()).isEqualTo(PARTITIONS);
    }
    assertThat(partitions).hasSizeGreaterThan(PARTITIONS / 2);
  }

  private void assertQueriesTakeNobodyWithoutTheSecret() {
    for (ClusterMember query : queries) {
      try {
        var unused =
            IncidentServiceGrpc.newBlockingStub(query.channel())
                .listIncidents(ListIncidentsRequest.getDefaultInstance());
        throw new AssertionError("it answered");
      } catch (StatusRuntimeException e) {
        assertThat(e.getStatus().getCode()).isEqualTo(Status.Code.UNAUTHENTICATED);
      }
    }
  }

  /** Standbys need a moment to be made and filled; nothing tells it from here but time. */
  private void awaitCopies() {
    Awaitility.await().pollDelay(Duration.ofSeconds(4)).until(() -> true);
  }

  private void failOver(ClusterLoad load) throws Exception {
    int staleBefore = load.stale.get();
    long killed = System.nanoTime();
    processors.get(0).kill();
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> load.lastReadNanos > killed + 20_000_000L || STANDBYS == 0);
    long readMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - killed);
    awaitFresh(load, killed);
    tell(
        "SIGKILL of a processor, %d standbys, session time-out %d s: first read after %s, owners of all again after %d ms, %d reads of standbys between"
            .formatted(
                STANDBYS,
                SESSION_SECONDS,
                STANDBYS == 0 ? "-" : readMs + " ms",
                TimeUnit.NANOSECONDS.toMillis(load.lastFreshNanos - killed),
                load.stale.get() - staleBefore));
    if (STANDBYS > 0) {
      assertThat(load.stale.get()).isGreaterThan(staleBefore);
    }
  }

  /** The killed processor comes back; meanwhile a query-service is killed and rules change. */
  private void recover(List<ManagedChannel> channels) throws Exception {
    processors.get(0).start();
    queries.get(1).kill();
    CompletableFuture<Void> activated = CompletableFuture.runAsync(() -> activateRules(channels));
    queries.get(1).start();
    queries.get(1).awaitServing();
    processors.get(0).awaitServing();
    activated.get(60, TimeUnit.SECONDS);
    tell("a query-service was killed, rules were activated, and all are back");
  }

  /** Until an edge says that it is done; to send it again is safe. */
  private static void activateRules(List<ManagedChannel> channels) {
    ActivateRulesRequest request = ActivateRulesRequest.newBuilder().setDocument(RULES).build();
    AtomicInteger attempts = new AtomicInteger();
    int version =
        Awaitility.await()
            .atMost(Duration.ofSeconds(50))
            .ignoreException(StatusRuntimeException.class)
            .until(
                () ->
                    RulesGrpc.newBlockingStub(
                            channels.get(attempts.getAndIncrement() % channels.size()))
                        .withDeadlineAfter(Duration.ofSeconds(20))
                        .activateRules(request)
                        .getVersion(),
                any -> true);
    assertThat(version).isEqualTo(RULES_VERSION);
  }

  private static void assertRulesAreActive(ManagedChannel edge) {
    assertThat(
            AdminGrpc.newBlockingStub(edge)
                .getProgress(GetProgressRequest.getDefaultInstance())
                .getPartitionsList())
        .allMatch(partition -> partition.getRulesVersion() == RULES_VERSION);
  }

  /** Until a read that began after {@code since} was answered by owners alone. */
  private static void awaitFresh(ClusterLoad load, long since) {
    // A read that was under way when the owner died could still end well.
    long settled = since + Duration.ofMillis(300).toNanos();
    Awaitility.await()
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofMillis(5))
        .until(() -> load.lastFreshNanos > settled);
  }

  private void roll(ClusterLoad load) throws Exception {
    List<ClusterMember> rolled =
        ROLL_ALL ? all() : List.of(processors.get(1), queries.get(0), edges.get(0));
    for (ClusterMember member : rolled) {
      long ended = System.nanoTime();
      assertThat(member.terminate()).as("%s says NOT_SERVING", member.name).isTrue();
      long stopMs = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - ended);
      member.start();
      member.awaitServing();
      awaitFresh(load, System.nanoTime());
      tell(
          "SIGTERM of %s: ended after %d ms, all fresh again after %d ms"
              .formatted(
                  member.name, stopMs, TimeUnit.NANOSECONDS.toMillis(load.lastFreshNanos - ended)));
    }
  }

  private static void awaitCounted(ManagedChannel edge, long alerts) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .ignoreException(StatusRuntimeException.class)
        .untilAsserted(
            () -> {
              var page = ClusterLoad.list(edge);
              assertThat(page.hasStaleness()).isFalse();
              assertThat(page.getIncidentsList().stream().mapToLong(Incident::getOccurrences).sum())
                  .isEqualTo(alerts);
            });
  }

  private static List<String> services(ManagedChannel edge) {
    CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> asks =
        ServerReflectionGrpc.newStub(edge)
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse response) {
                    answer.complete(response);
                  }

                  @Override
                  public void onError(Throwable t) {
                    answer.completeExceptionally(t);
                  }

                  @Override
                  public void onCompleted() {}
                });
    asks.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
    List<String> names =
        answer.join().getListServicesResponse().getServiceList().stream()
            .map(service -> service.getName())
            .toList();
    asks.onCompleted();
    return names;
  }

  private void tell(String what) {
    System.out.printf(
        "cluster, at %.1f s: %s%n",
        Duration.ofNanos(System.nanoTime() - begunNanos).toMillis() / 1_000.0, what);
  }
}
