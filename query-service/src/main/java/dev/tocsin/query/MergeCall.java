package dev.tocsin.query;

import com.google.protobuf.ByteString;
import dev.tocsin.proto.incidents.Incident;
import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.MergeIncidentRequest;
import dev.tocsin.proto.state.ReadIncidentRequest;
import dev.tocsin.proto.state.ReadIncidentResponse;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Errors;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Partitions;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * One merge under way. It reads the incident and the other one, and what is merged into the
 * incident; then it sends a command to the incident, and at last one to the other. What is merged
 * already is not looked at again, so asking again completes what was cut short. Its steps follow
 * one another, in whatever threads; none waits.
 */
final class MergeCall {
  private final MergeIncidentRequest request;
  private final CommandReader reader;
  private final OwnerDirectory directory;
  private final OwnerCalls owners;
  private final BiConsumer<CommandEntry, Consumer<CommandEnd>> commands;
  private final CallTime time;
  private final Consumer<CommandEnd> end;
  private final Context context = Context.current();
  private final String workspace = Caller.current().workspace();
  private final Deque<String> merged = new ArrayDeque<>();
  private Incident incident;
  private Incident into;

  /**
   * A call that is yet to be started, in the context of whoever calls.
   *
   * @param request as {@link CommandReader#read(MergeIncidentRequest)} gave it
   * @param commands sends a command, and tells how it ended
   * @param end told how it ended
   */
  MergeCall(
      MergeIncidentRequest request,
      CommandReader reader,
      OwnerDirectory directory,
      OwnerCalls owners,
      BiConsumer<CommandEntry, Consumer<CommandEnd>> commands,
      CallTime time,
      Consumer<CommandEnd> end) {
    this.request = request;
    this.reader = reader;
    this.directory = directory;
    this.owners = owners;
    this.commands = commands;
    this.time = time;
    this.end = end;
  }

  /** Returns at once. */
  void start() {
    if (request.getId().equals(request.getInto())) {
      refuse("an incident cannot be merged into itself");
      return;
    }
    read(
        request.getId(),
        found -> {
          incident = found;
          read(request.getInto(), this::check);
        });
  }

  private void check(Incident other) {
    into = other;
    if (incident.getMergedInto().equals(request.getInto())) {
      merge();
    } else if (into.getState() == IncidentState.INCIDENT_STATE_CLOSED) {
      refuse("the incident %s is CLOSED".formatted(request.getInto()));
    } else if (!into.getMergedInto().isEmpty()) {
      refuse(
          "the incident %s is itself merged, into %s"
              .formatted(request.getInto(), into.getMergedInto()));
    } else {
      merged.addAll(incident.getMergedFromList());
      checkChain();
    }
  }

  /** Looks whether one of those that were once merged into the incident still is. */
  private void checkChain() {
    String next = merged.poll();
    if (next == null) {
      merge();
      return;
    }
    ask(
        next,
        response -> {
          if (response.getIncident().getMergedInto().equals(request.getId())) {
            refuse(
                "the incident %s is merged into this one: merge it elsewhere, or take it up, first"
                    .formatted(next));
          } else {
            checkChain();
          }
        });
  }

  private void merge() {
    send(
        reader.merge(request, into.getTitle()),
        first -> {
          if (first.error() != null) {
            end.accept(first);
          } else {
            note(first);
          }
        });
  }

  private void note(CommandEnd first) {
    send(
        reader.mergedFrom(request, incident.getTitle()),
        second ->
            end.accept(
                switch (second.outcome()) {
                  case DONE -> first;
                  case OUTCOME_UNKNOWN, NOT_APPENDED, CANCELLED, OUTCOMES_FULL ->
                      CommandEnd.halfMerged(request.getRequestId());
                  case REQUEST_ID_REUSED -> CommandEnd.halfMergedForGood();
                  default -> second;
                }));
  }

  private void send(CommandEntry entry, Consumer<CommandEnd> then) {
    commands.accept(entry, ended -> context.run(() -> then.accept(ended)));
  }

  private void read(String id, Consumer<Incident> then) {
    ask(
        id,
        response -> {
          if (response.hasIncident()) {
            then.accept(response.getIncident());
          } else {
            end.accept(CommandEnd.refused(Errors.notFound("there is no incident " + id)));
          }
        });
  }

  private void ask(String id, Consumer<ReadIncidentResponse> then) {
    Assignment assignment = directory.current();
    if (!assignment.known()) {
      end.accept(
          CommandEnd.refused(
              Errors.unavailable("it is not known yet who owns what", OwnerCalls.RETRY_AFTER)));
      return;
    }
    Key128 key = IncidentId.parse(id).orElseThrow();
    owners.read(
        ReadIncidentRequest.newBuilder()
            .setPartition(Partitions.of(IncidentId.route(key), assignment.partitions()))
            .setWorkspace(workspace)
            .setId(ByteString.copyFrom(key.bytes()))
            .build(),
        time,
        new OwnerCalls.Answer<>() {
          @Override
          public void is(ReadIncidentResponse response) {
            context.run(() -> then.accept(response));
          }

          @Override
          public void failed(StatusRuntimeException error) {
            end.accept(CommandEnd.refused(error));
          }
        });
  }

  private void refuse(String why) {
    end.accept(CommandEnd.refusedMerge(request.getRequestId(), why));
  }
}
