package dev.tocsin.query;

import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.Staleness;
import dev.tocsin.proto.state.IncidentStateGrpc.IncidentStateImplBase;
import dev.tocsin.proto.state.Owner;
import dev.tocsin.proto.state.Owners;
import dev.tocsin.proto.state.PreviewSilenceRequest;
import dev.tocsin.proto.state.PreviewSilenceResponse;
import dev.tocsin.proto.state.ReadIncidentRequest;
import dev.tocsin.proto.state.ReadIncidentResponse;
import dev.tocsin.proto.state.ReadOutcomeRequest;
import dev.tocsin.proto.state.ReadOutcomeResponse;
import dev.tocsin.proto.state.ReadSightingsRequest;
import dev.tocsin.proto.state.ReadSightingsResponse;
import dev.tocsin.proto.state.ReadSilencesRequest;
import dev.tocsin.proto.state.ReadSilencesResponse;
import dev.tocsin.proto.state.ScanIncidentsRequest;
import dev.tocsin.proto.state.ScanIncidentsResponse;
import dev.tocsin.proto.state.WatchOwnersRequest;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Partitions;
import io.grpc.ManagedChannel;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.inprocess.InProcessChannelBuilder;
import io.grpc.inprocess.InProcessServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * The other side of the seam: processors that answer the state API over gRPC from sorted maps, with
 * scan budgets and faults. All share the incidents; each answers for what it is assigned.
 */
final class FakeProcessors implements AutoCloseable {
  /** What a processor does with a read. */
  enum Fault {
    NONE,
    /** Takes the call and never answers. */
    SILENT,
    UNAVAILABLE,
    /** Is unavailable to the first read and then no more. */
    UNAVAILABLE_ONCE,
    /** Its connection closes as the first read begins, and then no more. */
    LOST_ONCE,
    /** Ends the call with INTERNAL, as an exception in it would. */
    BROKEN,
    /** Answers as if no scan ever got further. */
    STUCK,
    /** Does not know some methods yet. */
    OLDER,
    /** Takes 250 ms for a scan. */
    SLOW,
    /** Takes a second for a read. */
    SLOW_READ
  }

  final AtomicInteger watched = new AtomicInteger();
  final AtomicInteger reads = new AtomicInteger();
  final AtomicInteger scans = new AtomicInteger();
  final AtomicInteger cancelled = new AtomicInteger();

  /** Reads that have come in, and have neither been answered nor cancelled. */
  final AtomicInteger underWay = new AtomicInteger();

  final List<ReadIncidentRequest> readRequests = new CopyOnWriteArrayList<>();
  final List<ScanIncidentsRequest> scanRequests = new CopyOnWriteArrayList<>();
  final List<ReadOutcomeRequest> outcomeRequests = new CopyOnWriteArrayList<>();

  /** What became of a command; null for what is never applied. */
  volatile Function<ReadOutcomeRequest, ReadOutcomeResponse> outcomes =
      request ->
          ReadOutcomeResponse.newBuilder()
              .setFound(true)
              .setCode(ReadOutcomeResponse.Code.DONE)
              .build();

  final List<ReadSightingsRequest> sightingRequests = new CopyOnWriteArrayList<>();

  /** What is remembered of an alert. */
  volatile Function<ReadSightingsRequest, ReadSightingsResponse> sightings =
      request -> ReadSightingsResponse.getDefaultInstance();

  /** What a partition keeps of silences; null for what is never applied. */
  volatile Function<ReadSilencesRequest, ReadSilencesResponse> silences =
      request -> ReadSilencesResponse.getDefaultInstance();

  /** What a silence would hide. */
  volatile Function<PreviewSilenceRequest, PreviewSilenceResponse> previews =
      request -> PreviewSilenceResponse.getDefaultInstance();

  volatile int budget = Integer.MAX_VALUE;

  /** What standbys say: so many entries are not applied, and the oldest came so long ago. */
  volatile Staleness staleness = Staleness.getDefaultInstance();

  private final String network = UUID.randomUUID().toString();
  private final int partitions;
  private final List<IncidentIndex> indexes = new ArrayList<>();
  private final Map<String, Server> servers = new HashMap<>();
  private final Map<String, String> addresses = new ConcurrentHashMap<>();
  private final Map<String, Fault> faults = new ConcurrentHashMap<>();
  private final Map<Integer, Long> logEnds = new ConcurrentHashMap<>();
  private final Map<Integer, Long> applied = new ConcurrentHashMap<>();
  private final Set<StreamObserver<Owners>> watchers = ConcurrentHashMap.newKeySet();
  private volatile Owners owners = Owners.getDefaultInstance();
  private final AtomicInteger serials = new AtomicInteger();

  FakeProcessors(int partitions) {
    this.partitions = partitions;
    for (int i = 0; i < partitions; i++) {
      indexes.add(new IncidentIndex());
    }
  }

  /** Starts an instance, which owns nothing yet. */
  FakeProcessors open(String address) {
    try {
      servers.put(
          address,
          InProcessServerBuilder.forName(network + address)
              .addService(state(address))
              .build()
              .start());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  IncidentStateImplBase state(String address) {
    return new State(address);
  }

  /** As if its machine lost power. */
  void kill(String address) {
    servers.remove(address).shutdownNow();
  }

  /** Deals the partitions out to {@code addresses} in turn and tells all watchers. */
  FakeProcessors assign(String... addresses) {
    Owner.Builder[] dealt = new Owner.Builder[addresses.length];
    for (int i = 0; i < addresses.length; i++) {
      dealt[i] = Owner.newBuilder().setAddress(addresses[i]);
    }
    for (int partition = 0; partition < partitions; partition++) {
      dealt[partition % dealt.length].addActive(partition);
    }
    Owners.Builder told = Owners.newBuilder().setPartitions(partitions);
    for (Owner.Builder owner : dealt) {
      told.addOwners(owner);
    }
    tell(told.build());
    return this;
  }

  /** All partitions belong to the instance {@code name}, which is reached at {@code address}. */
  void owned(String name, String address) {
    addresses.put(name, address);
    assign(address);
  }

  /** {@code owner} owns all partitions, and each of {@code standbys} keeps a standby of all. */
  void assignWithStandbys(String owner, String... standbys) {
    Owners.Builder told = Owners.newBuilder().setPartitions(partitions);
    List<Integer> all = IntStream.range(0, partitions).boxed().toList();
    told.addOwners(Owner.newBuilder().setAddress(owner).addAllActive(all));
    for (String standby : standbys) {
      told.addOwners(Owner.newBuilder().setAddress(standby).addAllStandby(all));
    }
    tell(told.build());
  }

  void tell(Owners told) {
    owners = told;
    watchers.forEach(watcher -> watcher.onNext(told));
  }

  void fault(String address, Fault fault) {
    faults.put(address, fault);
  }

  /**
   * The log of {@code partition} ends before {@code end}; of it, all before {@code at} is applied.
   */
  void applied(int partition, long at, long end) {
    applied.put(partition, at);
    logEnds.put(partition, end);
  }

  int watchers() {
    return watchers.size();
  }

  Function<String, ManagedChannel> channels() {
    return address -> InProcessChannelBuilder.forName(network + address).build();
  }

  Incident open(String workspace, long atMs, long route) {
    return open(workspace, atMs, route, incident -> incident);
  }

  /** Opens an incident of {@code route} at {@code atMs}. */
  Incident open(String workspace, long atMs, long route, UnaryOperator<Incident.Builder> details) {
    Key128 id = IncidentId.of(atMs, route, serials.getAndIncrement());
    Incident incident =
        details.apply(Incident.newBuilder().setId(IncidentId.text(id)).setTitle("t")).build();
    indexes.get(Partitions.of(route, partitions)).put(workspace, incident);
    return incident;
  }

  @Override
  public void close() {
    servers.values().forEach(Server::shutdownNow);
  }

  private final class State extends IncidentStateImplBase {
    private final String address;

    State(String address) {
      this.address = address;
    }

    @Override
    public void watchOwners(WatchOwnersRequest request, StreamObserver<Owners> replies) {
      ServerCallStreamObserver<Owners> call = (ServerCallStreamObserver<Owners>) replies;
      watched.incrementAndGet();
      call.setOnCancelHandler(() -> watchers.remove(call));
      if (faults.get(address) == Fault.SILENT) {
        return;
      }
      if (faults.get(address) == Fault.UNAVAILABLE) {
        replies.onError(Status.UNAVAILABLE.asRuntimeException());
        return;
      }
      watchers.add(replies);
      replies.onNext(owners);
    }

    @Override
    public void readIncident(
        ReadIncidentRequest request, StreamObserver<ReadIncidentResponse> replies) {
      reads.incrementAndGet();
      readRequests.add(request);
      long minOffset = request.hasMinOffset() ? request.getMinOffset() : -1;
      boolean copy = request.getAllowStandby() && keepsStandby(request.getPartition());
      if (answers(request.getPartition(), copy, minOffset, replies)) {
        ReadIncidentResponse.Builder response = ReadIncidentResponse.newBuilder();
        if (copy) {
          response.setStaleness(staleness);
        }
        indexes
            .get(request.getPartition())
            .read(request.getWorkspace(), request.getId())
            .ifPresent(response::setIncident);
        Executor executor =
            faults.get(address) == Fault.SLOW_READ
                ? CompletableFuture.delayedExecutor(1, TimeUnit.SECONDS)
                : Runnable::run;
        executor.execute(
            () -> {
              replies.onNext(response.build());
              replies.onCompleted();
            });
      }
    }

    @Override
    public void scanIncidents(
        ScanIncidentsRequest request, StreamObserver<ScanIncidentsResponse> replies) {
      scans.incrementAndGet();
      scanRequests.add(request);
      long minOffset = request.hasMinOffset() ? request.getMinOffset() : -1;
      boolean copy = request.getAllowStandby() && keepsStandby(request.getPartition());
      if (answers(request.getPartition(), copy, minOffset, replies)) {
        ScanIncidentsResponse response = indexes.get(request.getPartition()).scan(request, budget);
        if (faults.get(address) == Fault.STUCK) {
          response = response.toBuilder().setScannedTo(request.getBeforeId()).build();
        }
        answer(copy ? response.toBuilder().setStaleness(staleness).build() : response, replies);
      }
    }

    @Override
    public void readOutcome(
        ReadOutcomeRequest request, StreamObserver<ReadOutcomeResponse> replies) {
      outcomeRequests.add(request);
      if (answers(request.getPartition(), false, -1, replies)) {
        ReadOutcomeResponse response = outcomes.apply(request);
        if (response != null) {
          replies.onNext(response);
          replies.onCompleted();
        }
      }
    }

    @Override
    public void readSightings(
        ReadSightingsRequest request, StreamObserver<ReadSightingsResponse> replies) {
      sightingRequests.add(request);
      if (faults.get(address) == Fault.OLDER) {
        super.readSightings(request, replies);
        return;
      }
      long minOffset = request.hasMinOffset() ? request.getMinOffset() : -1;
      if (answers(request.getPartition(), false, minOffset, replies)) {
        replies.onNext(sightings.apply(request));
        replies.onCompleted();
      }
    }

    @Override
    public void readSilences(
        ReadSilencesRequest request, StreamObserver<ReadSilencesResponse> replies) {
      if (answers(request.getPartition(), false, -1, replies)) {
        ReadSilencesResponse response = silences.apply(request);
        if (response != null) {
          replies.onNext(response);
          replies.onCompleted();
        }
      }
    }

    @Override
    public void previewSilence(
        PreviewSilenceRequest request, StreamObserver<PreviewSilenceResponse> replies) {
      if (answers(request.getPartition(), false, -1, replies)) {
        replies.onNext(previews.apply(request));
        replies.onCompleted();
      }
    }

    private void answer(
        ScanIncidentsResponse response, StreamObserver<ScanIncidentsResponse> replies) {
      Executor executor =
          faults.get(address) == Fault.SLOW
              ? CompletableFuture.delayedExecutor(250, TimeUnit.MILLISECONDS)
              : Runnable::run;
      executor.execute(
          () -> {
            replies.onNext(response);
            replies.onCompleted();
          });
    }

    private boolean answers(
        int partition, boolean copy, long minOffset, StreamObserver<?> replies) {
      ServerCallStreamObserver<?> call = (ServerCallStreamObserver<?>) replies;
      underWay.incrementAndGet();
      call.setOnCloseHandler(underWay::decrementAndGet);
      call.setOnCancelHandler(
          () -> {
            cancelled.incrementAndGet();
            underWay.decrementAndGet();
          });
      Fault fault = faults.getOrDefault(address, Fault.NONE);
      if (fault == Fault.SILENT) {
        return false;
      }
      if (fault == Fault.BROKEN) {
        replies.onError(Status.INTERNAL.asRuntimeException());
      } else if (faults.remove(address, Fault.LOST_ONCE)) {
        replies.onError(Status.UNKNOWN.withDescription("channel closed").asRuntimeException());
      } else if (fault == Fault.UNAVAILABLE || unavailableOnce() || !(owns(partition) || copy)) {
        replies.onError(Status.UNAVAILABLE.withDescription("not the owner").asRuntimeException());
      } else if (minOffset >= logEnds.getOrDefault(partition, 0L)) {
        replies.onError(Status.INVALID_ARGUMENT.withDescription("too far").asRuntimeException());
      } else {
        // One that is in the log and not applied is waited for: here, for ever.
        return minOffset < applied.getOrDefault(partition, 0L);
      }
      return false;
    }

    private boolean unavailableOnce() {
      return faults.remove(address, Fault.UNAVAILABLE_ONCE);
    }

    private boolean keepsStandby(int partition) {
      return owners.getOwnersList().stream()
          .anyMatch(
              owner ->
                  owner.getAddress().equals(address) && owner.getStandbyList().contains(partition));
    }

    private boolean owns(int partition) {
      return owners.getOwnersList().stream()
          .anyMatch(
              owner ->
                  owner.getAddress().equals(addresses.getOrDefault(address, address))
                      && owner.getActiveList().contains(partition));
    }
  }
}
