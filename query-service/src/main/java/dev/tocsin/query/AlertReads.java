package dev.tocsin.query;

import dev.tocsin.proto.incidents.ExplainAlertRequest;
import dev.tocsin.proto.incidents.ExplainAlertResponse;
import dev.tocsin.runtime.Caller;
import dev.tocsin.runtime.Errors;
import io.grpc.Context;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.concurrent.Semaphore;

/** What callers can ask about alerts. Never blocks; thread-safe. */
final class AlertReads {
  /** Calls under way at once; one more is UNAVAILABLE. Each is asked of all owners. */
  static final int CALLS_MAX = 16;

  private static final int NAME_MAX = 256;

  private final QueryConfig config;
  private final OwnerDirectory directory;
  private final OwnerCalls owners;
  private final Semaphore calls = new Semaphore(CALLS_MAX);

  AlertReads(QueryConfig config, OwnerDirectory directory, OwnerCalls owners) {
    this.config = config;
    this.directory = directory;
    this.owners = owners;
  }

  void explainAlert(ExplainAlertRequest request, StreamObserver<ExplainAlertResponse> replies) {
    try {
      Assignment assignment = directory.current();
      check(request, assignment);
      if (!assignment.known()) {
        throw Errors.unavailable("it is not known yet who owns what", OwnerCalls.RETRY_AFTER);
      }
      CallTime time =
          CallTime.of(Context.current().getDeadline(), request.hasMinPosition(), config.timeout());
      String workspace = Caller.current().workspace();
      new ExplainCall(
              request, workspace, assignment.partitions(), time, owners, Reply.open(replies, calls))
          .start();
    } catch (StatusRuntimeException refused) {
      replies.onError(refused);
    }
  }

  private static void check(ExplainAlertRequest request, Assignment assignment) {
    Violations violations = new Violations();
    new FieldCheck(violations)
        .required("source", request.getSource(), NAME_MAX)
        .required("alert_id", request.getAlertId(), NAME_MAX);
    if (request.hasMinPosition()) {
      int partitions = assignment.known() ? assignment.partitions() : Integer.MAX_VALUE;
      violations.checkPosition("min_position", request.getMinPosition(), partitions);
    }
    violations.raise();
  }
}
