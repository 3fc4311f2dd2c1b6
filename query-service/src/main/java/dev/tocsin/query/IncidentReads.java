package dev.tocsin.query;

import com.google.protobuf.ByteString;
import dev.tocsin.proto.incidents.GetIncidentRequest;
import dev.tocsin.proto.incidents.GetIncidentResponse;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.ListIncidentsResponse;
import dev.tocsin.proto.state.ReadIncidentRequest;
import dev.tocsin.proto.state.ReadIncidentResponse;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Errors;
import dev.tocsin.schemas.IncidentId;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Partitions;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/** The reading part of IncidentService. Never blocks; thread-safe. */
final class IncidentReads {
  private final QueryConfig config;
  private final OwnerDirectory directory;
  private final OwnerCalls owners;
  private final QueryMetrics metrics;
  private final Semaphore gets;
  private final Semaphore lists;

  IncidentReads(
      QueryConfig config, OwnerDirectory directory, OwnerCalls owners, QueryMetrics metrics) {
    this.config = config;
    this.directory = directory;
    this.owners = owners;
    this.metrics = metrics;
    this.gets = new Semaphore(config.getsMax());
    this.lists = new Semaphore(config.listsMax());
  }

  void getIncident(GetIncidentRequest request, StreamObserver<GetIncidentResponse> replies) {
    try {
      Assignment assignment = directory.current();
      Optional<Key128> id = IncidentId.parse(request.getId());
      check(request, id, assignment);
      if (!IncidentId.isOurs(id.orElseThrow())) {
        throw notFound(request.getId());
      }
      known(assignment);
      get(request, id.get(), assignment.partitions(), Reply.open(replies, gets));
    } catch (StatusRuntimeException refused) {
      replies.onError(refused);
    }
  }

  private static void check(
      GetIncidentRequest request, Optional<Key128> id, Assignment assignment) {
    if (id.isPresent() && !request.hasMinPosition()) {
      return;
    }
    Violations violations = new Violations();
    if (request.hasMinPosition()) {
      violations.checkPosition("min_position", request.getMinPosition(), bound(assignment));
    }
    if (id.isEmpty()) {
      violations.add("id", "Invalid UUID");
      violations.raise("Invalid UUID");
    }
    violations.raise();
  }

  private void get(
      GetIncidentRequest request, Key128 id, int partitions, Reply<GetIncidentResponse> reply) {
    int partition = Partitions.of(IncidentId.route(id), partitions);
    ReadIncidentRequest.Builder read =
        ReadIncidentRequest.newBuilder()
            .setPartition(partition)
            .setWorkspace(Caller.current().workspace())
            .setAllowStandby(true)
            .setId(ByteString.copyFrom(id.bytes()));
    if (request.hasMinPosition() && request.getMinPosition().getPartition() == partition) {
      read.setMinOffset(request.getMinPosition().getOffset());
    }
    owners.read(
        read.build(),
        time(read.hasMinOffset()),
        new OwnerCalls.Answer<>() {
          @Override
          public void is(ReadIncidentResponse response) {
            answer(request, response, reply);
          }

          @Override
          public void failed(StatusRuntimeException error) {
            reply.fail(error);
          }
        });
  }

  private void answer(
      GetIncidentRequest request, ReadIncidentResponse response, Reply<GetIncidentResponse> reply) {
    GetIncidentResponse.Builder answer = GetIncidentResponse.newBuilder();
    if (response.hasStaleness()) {
      metrics.stale();
      answer.setStaleness(response.getStaleness());
    }
    if (response.hasIncident()) {
      reply.send(answer.setIncident(response.getIncident()).build());
    } else if (response.getStaleness().getEntries() > 0) {
      // What the standby does not have yet may be this very incident.
      reply.fail(
          Errors.unavailable(
              "a standby that is behind does not have this incident", OwnerCalls.RETRY_AFTER));
    } else {
      reply.fail(notFound(request.getId()));
    }
  }

  void listIncidents(ListIncidentsRequest request, StreamObserver<ListIncidentsResponse> replies) {
    try {
      Assignment assignment = directory.current();
      ListQuery query = ListQuery.read(request, Caller.current().workspace(), bound(assignment));
      known(assignment);
      CallTime time = time(!query.minOffsets().isEmpty());
      Reply<ListIncidentsResponse> reply = Reply.open(replies, lists);
      new ListCall(query, assignment.partitions(), time, owners, metrics, reply).start();
    } catch (StatusRuntimeException refused) {
      replies.onError(refused);
    }
  }

  private CallTime time(boolean waits) {
    return CallTime.of(Context.current().getDeadline(), waits, config.timeout());
  }

  /** The partitions there can be; while they are not known, any. */
  private static int bound(Assignment assignment) {
    return assignment.known() ? assignment.partitions() : Integer.MAX_VALUE;
  }

  private static void known(Assignment assignment) {
    if (!assignment.known()) {
      throw Errors.unavailable("it is not known yet who owns what", OwnerCalls.RETRY_AFTER);
    }
  }

  private static StatusRuntimeException notFound(String id) {
    return Errors.notFound("there is no incident " + id);
  }
}
