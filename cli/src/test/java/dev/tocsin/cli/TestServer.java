package dev.tocsin.cli;

import com.google.protobuf.Message;
import dev.tocsin.proto.admin.AdminGrpc.AdminImplBase;
import dev.tocsin.proto.admin.GetDigestRequest;
import dev.tocsin.proto.admin.GetDigestResponse;
import dev.tocsin.proto.admin.GetProgressRequest;
import dev.tocsin.proto.admin.GetProgressResponse;
import dev.tocsin.proto.admin.PartitionDigest;
import dev.tocsin.proto.admin.PartitionProgress;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertIngestionGrpc.AlertIngestionImplBase;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.Position;
import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.AddNoteResponse;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.CreateIncidentResponse;
import dev.tocsin.proto.incidents.ExplainAlertRequest;
import dev.tocsin.proto.incidents.ExplainAlertResponse;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentEvent;
import dev.tocsin.proto.incidents.IncidentServiceGrpc.IncidentServiceImplBase;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import dev.tocsin.proto.incidents.MergeIncidentRequest;
import dev.tocsin.proto.incidents.MergeIncidentResponse;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.ResolveIncidentResponse;
import dev.tocsin.proto.incidents.Staleness;
import dev.tocsin.proto.incidents.StreamIncidentsRequest;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import dev.tocsin.proto.incidents.UpdateIncidentResponse;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/** A real gRPC server on a free port, whose answers a test chooses. */
final class TestServer implements AutoCloseable {
  /** What the server does with a stream of alerts. */
  interface Stream {
    void alert(AlertMessage alert, StreamObserver<AlertAck> acks);

    default void end(StreamObserver<AlertAck> acks) {
      acks.onCompleted();
    }
  }

  final List<AlertMessage> received = new CopyOnWriteArrayList<>();
  final List<ListIncidentsRequest> lists = new CopyOnWriteArrayList<>();
  final AtomicInteger offset = new AtomicInteger();
  Stream stream = (alert, acks) -> acks.onNext(accepted(alert));
  Function<AlertMessage, AlertAck> submit = this::accepted;

  /** Commands that came in. */
  final List<Message> commands = new CopyOnWriteArrayList<>();

  /** What becomes of a command; null for no answer. */
  Function<Message, Incident> change = command -> Incident.getDefaultInstance();

  List<Incident> incidents = new ArrayList<>();

  /** What is asked for, and what is told, of alerts. */
  final List<ExplainAlertRequest> explained = new CopyOnWriteArrayList<>();

  ExplainAlertResponse explanation = ExplainAlertResponse.getDefaultInstance();

  /** How old each answer of a read in turn says that it is; none once it is empty. */
  final Queue<Staleness> standby = new ConcurrentLinkedQueue<>();

  StatusRuntimeException refusal;
  final List<StreamIncidentsRequest> watches = new CopyOnWriteArrayList<>();

  /** What the server does with each call of StreamIncidents in turn. */
  final Queue<Consumer<StreamObserver<IncidentEvent>>> streams = new ConcurrentLinkedQueue<>();

  Supplier<PartitionProgress> progress = PartitionProgress::getDefaultInstance;
  private final Server server;
  private final int port;

  TestServer() throws IOException {
    server =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .addService(new Alerts())
            .addService(new Incidents())
            .addService(new Admin())
            .build()
            .start();
    port = server.getPort();
  }

  String target() {
    return "127.0.0.1:" + port;
  }

  int port() {
    return port;
  }

  AlertAck accepted(AlertMessage alert) {
    return ack(alert, AlertAck.Status.ACCEPTED)
        .setFingerprint("00112233445566778899aabbccddeeff")
        .setPosition(Position.newBuilder().setPartition(3).setOffset(offset.incrementAndGet()))
        .build();
  }

  static AlertAck.Builder ack(AlertMessage alert, AlertAck.Status status) {
    return AlertAck.newBuilder().setAlertId(alert.getAlertId()).setStatus(status);
  }

  @Override
  public void close() throws InterruptedException {
    server.shutdownNow().awaitTermination();
  }

  private final class Alerts extends AlertIngestionImplBase {
    @Override
    public void submitAlert(AlertMessage alert, StreamObserver<AlertAck> reply) {
      received.add(alert);
      try {
        AlertAck ack = submit.apply(alert);
        if (ack != null) {
          reply.onNext(ack);
          reply.onCompleted();
        }
      } catch (StatusRuntimeException e) {
        reply.onError(e);
      }
    }

    @Override
    public StreamObserver<AlertMessage> streamAlerts(StreamObserver<AlertAck> acks) {
      return new StreamObserver<>() {
        @Override
        public void onNext(AlertMessage alert) {
          received.add(alert);
          stream.alert(alert, acks);
        }

        @Override
        public void onError(Throwable thrown) {}

        @Override
        public void onCompleted() {
          stream.end(acks);
        }
      };
    }
  }

  private final class Incidents extends IncidentServiceImplBase {
    @Override
    public void explainAlert(
        ExplainAlertRequest request, StreamObserver<ExplainAlertResponse> reply) {
      explained.add(request);
      if (refusal != null) {
        reply.onError(refusal);
        return;
      }
      reply.onNext(explanation);
      reply.onCompleted();
    }

    @Override
    public void getIncident(GetIncidentRequest request, StreamObserver<GetIncidentResponse> reply) {
      for (Incident incident : incidents) {
        if (incident.getId().equals(request.getId())) {
          GetIncidentResponse.Builder response =
              GetIncidentResponse.newBuilder().setIncident(incident);
          Optional.ofNullable(standby.poll()).ifPresent(response::setStaleness);
          reply.onNext(response.build());
          reply.onCompleted();
          return;
        }
      }
      reply.onError(Status.NOT_FOUND.withDescription("no such incident").asRuntimeException());
    }

    @Override
    public void createIncident(
        CreateIncidentRequest request, StreamObserver<CreateIncidentResponse> reply) {
      command(
          request, reply, done -> CreateIncidentResponse.newBuilder().setIncident(done).build());
    }

    @Override
    public void updateIncident(
        UpdateIncidentRequest request, StreamObserver<UpdateIncidentResponse> reply) {
      command(
          request, reply, done -> UpdateIncidentResponse.newBuilder().setIncident(done).build());
    }

    @Override
    public void resolveIncident(
        ResolveIncidentRequest request, StreamObserver<ResolveIncidentResponse> reply) {
      command(
          request, reply, done -> ResolveIncidentResponse.newBuilder().setIncident(done).build());
    }

    @Override
    public void mergeIncident(
        MergeIncidentRequest request, StreamObserver<MergeIncidentResponse> reply) {
      command(request, reply, done -> MergeIncidentResponse.newBuilder().setIncident(done).build());
    }

    @Override
    public void addNote(AddNoteRequest request, StreamObserver<AddNoteResponse> reply) {
      command(request, reply, done -> AddNoteResponse.newBuilder().setIncident(done).build());
    }

    private <R> void command(
        Message request, StreamObserver<R> reply, Function<Incident, R> response) {
      commands.add(request);
      if (refusal != null) {
        reply.onError(refusal);
        return;
      }
      Incident done = change.apply(request);
      if (done != null) {
        reply.onNext(response.apply(done));
        reply.onCompleted();
      }
    }

    @Override
    public void streamIncidents(
        StreamIncidentsRequest request, StreamObserver<IncidentEvent> replies) {
      watches.add(request);
      streams.remove().accept(replies);
    }

    @Override
    public void listIncidents(
        ListIncidentsRequest request, StreamObserver<ListIncidentsResponse> reply) {
      lists.add(request);
      if (refusal != null) {
        reply.onError(refusal);
        return;
      }
      int from = request.getPageToken().isEmpty() ? 0 : Integer.parseInt(request.getPageToken());
      int to = Math.min(incidents.size(), from + request.getPageSize());
      ListIncidentsResponse.Builder page =
          ListIncidentsResponse.newBuilder()
              .addAllIncidents(incidents.subList(from, to))
              .setNextPageToken(to < incidents.size() ? Integer.toString(to) : "");
      Optional.ofNullable(standby.poll()).ifPresent(page::setStaleness);
      reply.onNext(page.build());
      reply.onCompleted();
    }
  }

  private final class Admin extends AdminImplBase {
    @Override
    public void getProgress(GetProgressRequest request, StreamObserver<GetProgressResponse> reply) {
      reply.onNext(GetProgressResponse.newBuilder().addPartitions(progress.get()).build());
      reply.onCompleted();
    }

    @Override
    public void getDigest(GetDigestRequest request, StreamObserver<GetDigestResponse> reply) {
      reply.onNext(
          GetDigestResponse.newBuilder()
              .addPartitions(
                  PartitionDigest.newBuilder()
                      .setPartition(0)
                      .setAppliedOffset(41)
                      .setIncidents(7)
                      .setContent("c".repeat(32))
                      .setExact("e".repeat(32)))
              .setIncidents(7)
              .setContent("c".repeat(32))
              .setExact("e".repeat(32))
              .build());
      reply.onCompleted();
    }
  }
}
