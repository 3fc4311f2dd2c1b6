package dev.tocsin.query;

import dev.tocsin.proto.incidents.AddNoteRequest;
import dev.tocsin.proto.incidents.AddNoteResponse;
import dev.tocsin.proto.incidents.CreateIncidentRequest;
import dev.tocsin.proto.incidents.CreateIncidentResponse;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.MergeIncidentRequest;
import dev.tocsin.proto.incidents.MergeIncidentResponse;
import dev.tocsin.proto.incidents.ResolveIncidentRequest;
import dev.tocsin.proto.incidents.ResolveIncidentResponse;
import dev.tocsin.proto.incidents.UpdateIncidentRequest;
import dev.tocsin.proto.incidents.UpdateIncidentResponse;
import dev.tocsin.schemas.Partitions;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Semaphore;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The commanding part of IncidentService: each command is read, placed, appended to the log, and
 * answered with its outcome. Never blocks; thread-safe.
 */
final class IncidentCommands {
  private final QueryConfig config;
  private final CommandReader reader;
  private final OwnerDirectory directory;
  private final CommandLog log;
  private final OwnerCalls owners;
  private final ScheduledExecutorService timer;
  private final QueryMetrics metrics;
  private final Semaphore places;

  IncidentCommands(
      QueryConfig config,
      CommandReader reader,
      OwnerDirectory directory,
      CommandLog log,
      OwnerCalls owners,
      ScheduledExecutorService timer,
      QueryMetrics metrics) {
    this.config = config;
    this.reader = reader;
    this.directory = directory;
    this.log = log;
    this.owners = owners;
    this.timer = timer;
    this.metrics = metrics;
    this.places = new Semaphore(config.commands().commandsMax());
  }

  void createIncident(
      CreateIncidentRequest request, StreamObserver<CreateIncidentResponse> replies) {
    serve(
        CommandKind.CREATE,
        () -> reader.read(request),
        replies,
        (incident, requestId) ->
            CreateIncidentResponse.newBuilder()
                .setIncident(incident)
                .setRequestId(requestId)
                .build());
  }

  void updateIncident(
      UpdateIncidentRequest request, StreamObserver<UpdateIncidentResponse> replies) {
    serve(
        CommandKind.UPDATE,
        () -> reader.read(request),
        replies,
        (incident, requestId) ->
            UpdateIncidentResponse.newBuilder()
                .setIncident(incident)
                .setRequestId(requestId)
                .build());
  }

  void resolveIncident(
      ResolveIncidentRequest request, StreamObserver<ResolveIncidentResponse> replies) {
    serve(
        CommandKind.RESOLVE,
        () -> reader.read(request),
        replies,
        (incident, requestId) ->
            ResolveIncidentResponse.newBuilder()
                .setIncident(incident)
                .setRequestId(requestId)
                .build());
  }

  void addNote(AddNoteRequest request, StreamObserver<AddNoteResponse> replies) {
    serve(
        CommandKind.NOTE,
        () -> reader.read(request),
        replies,
        (incident, requestId) ->
            AddNoteResponse.newBuilder().setIncident(incident).setRequestId(requestId).build());
  }

  void mergeIncident(MergeIncidentRequest request, StreamObserver<MergeIncidentResponse> replies) {
    long begun = System.nanoTime();
    try {
      MergeIncidentRequest asked = reader.read(request);
      Reply<MergeIncidentResponse> reply = Reply.open(replies, places);
      Consumer<CommandEnd> end =
          ended -> {
            count(CommandKind.MERGE, begun, ended);
            answer(
                reply,
                ended,
                incident ->
                    MergeIncidentResponse.newBuilder()
                        .setIncident(incident)
                        .setRequestId(asked.getRequestId())
                        .build());
          };
      new MergeCall(asked, reader, directory, owners, this::start, time(), end).start();
    } catch (StatusRuntimeException error) {
      count(CommandKind.MERGE, begun, CommandEnd.refused(error));
      replies.onError(error);
    }
  }

  /** One of a merge's commands. */
  private void start(CommandEntry entry, Consumer<CommandEnd> end) {
    int partition;
    try {
      partition = place(entry);
    } catch (StatusRuntimeException error) {
      end.accept(CommandEnd.refused(error));
      return;
    }
    new CommandCall(entry, partition, time(), log, owners, timer, end).start();
  }

  private <R> void serve(
      CommandKind kind,
      Supplier<CommandEntry> read,
      StreamObserver<R> replies,
      BiFunction<Incident, String, R> response) {
    long begun = System.nanoTime();
    try {
      CommandEntry entry = read.get();
      int partition = place(entry);
      Reply<R> reply = open(entry, replies);
      Consumer<CommandEnd> end =
          ended -> {
            count(kind, begun, ended);
            answer(reply, ended, incident -> response.apply(incident, entry.requestId()));
          };
      new CommandCall(entry, partition, time(), log, owners, timer, end).start();
    } catch (StatusRuntimeException error) {
      count(kind, begun, CommandEnd.refused(error));
      replies.onError(error);
    }
  }

  /** The partition that it belongs to, which has to have somebody to ask for the outcome. */
  private int place(CommandEntry entry) {
    Assignment assignment = directory.current();
    if (!assignment.known()) {
      throw CommandEnd.notAppended(entry, "it is not known yet who owns what").error();
    }
    int partition = Partitions.of(entry.command().getRoute(), assignment.partitions());
    if (assignment.owner(partition).isEmpty()) {
      throw CommandEnd.notAppended(entry, "partition " + partition + " has no owner").error();
    }
    return partition;
  }

  private <R> Reply<R> open(CommandEntry entry, StreamObserver<R> replies) {
    try {
      return Reply.open(replies, places);
    } catch (StatusRuntimeException full) {
      throw CommandEnd.notAppended(entry, "too many commands under way").error();
    }
  }

  private CallTime time() {
    return CallTime.of(Context.current().getDeadline(), true, config.timeout());
  }

  private static <R> void answer(Reply<R> reply, CommandEnd end, Function<Incident, R> response) {
    if (end.error() == null) {
      reply.send(response.apply(end.incident()));
    } else {
      reply.fail(end.error());
    }
  }

  private void count(CommandKind kind, long begunNanos, CommandEnd end) {
    metrics.commanded(kind, end.outcome(), Duration.ofNanos(System.nanoTime() - begunNanos));
  }
}
