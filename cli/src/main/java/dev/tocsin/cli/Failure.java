package dev.tocsin.cli;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;

/** Why a command did not do its work: what to say, and the exit code. */
final class Failure extends Exception {
  private static final long serialVersionUID = 1L;

  /** The exit code of work that failed for a reason of its own. */
  static final int WORK_FAILED = 1;

  /** The exit code of a gRPC status is its number and this. */
  static final int GRPC_BASE = 64;

  /** More violations than these are only counted. */
  private static final int VIOLATIONS_SHOWN_MAX = 50;

  private final int exitCode;

  Failure(int exitCode, String message) {
    super(message);
    this.exitCode = exitCode;
  }

  int exitCode() {
    return exitCode;
  }

  /** What to make of anything that was thrown. */
  static Failure of(Throwable thrown) {
    if (thrown instanceof Failure failure) {
      return failure;
    }
    if (thrown instanceof StatusRuntimeException call) {
      return of(call.getStatus(), call.getTrailers());
    }
    if (thrown instanceof StatusException call) {
      return of(call.getStatus(), call.getTrailers());
    }
    if (thrown instanceof UncheckedIOException fault) {
      return of(fault.getCause());
    }
    if (thrown instanceof IOException fault) {
      return new Failure(WORK_FAILED, describe(fault));
    }
    return new Failure(WORK_FAILED, "a fault of this program, please report it: " + trace(thrown));
  }

  /** What a call ended with; {@code trailers} may be null. */
  static Failure of(Status status, Metadata trailers) {
    return new Failure(GRPC_BASE + status.getCode().value(), describe(status, trailers));
  }

  /**
   * A status in one line, and a line for each violation that its google.rpc details name.
   *
   * @param trailers may be null
   */
  static String describe(Status status, Metadata trailers) {
    String refusal = refusal(status.getCause());
    if (refusal != null) {
      return "UNAVAILABLE: "
          + Terminal.clean(refusal)
          + ". Start a server with ./tocsin up, or name another with --target HOST:PORT.";
    }
    StringBuilder text = new StringBuilder(status.getCode().name());
    if (status.getDescription() != null) {
      text.append(": ").append(Terminal.clean(status.getDescription()));
    }
    Throwable cause = rootCause(status);
    if (cause instanceof IOException && cause.getMessage() != null) {
      text.append(" (").append(Terminal.clean(cause.getMessage())).append(')');
    }
    if (trailers != null) {
      com.google.rpc.Status details = StatusProto.fromStatusAndTrailers(status, trailers);
      details.getDetailsList().forEach(detail -> append(text, detail));
    }
    return text.toString();
  }

  /**
   * Whether a command that ended so may have taken effect all the same: the server says that it
   * does not know, or it never answered.
   *
   * @param trailers may be null
   */
  static boolean effectUnknown(Status status, Metadata trailers) {
    String reason =
        trailers == null ? "" : reason(StatusProto.fromStatusAndTrailers(status, trailers));
    if (!reason.isEmpty()) {
      return reason.equals("OUTCOME_UNKNOWN");
    }
    return switch (status.getCode()) {
      case CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, INTERNAL -> true;
      case UNAVAILABLE -> refusal(status.getCause()) == null;
      default -> false;
    };
  }

  private static String reason(com.google.rpc.Status details) {
    for (Any detail : details.getDetailsList()) {
      try {
        if (detail.is(ErrorInfo.class)) {
          return detail.unpack(ErrorInfo.class).getReason();
        }
      } catch (InvalidProtocolBufferException e) {
        return ""; // then it says nothing
      }
    }
    return "";
  }

  /** What happened to a file, without Java's names. */
  static String describe(IOException fault) {
    if (fault instanceof NoSuchFileException missing) {
      return missing.getFile() + ": no such file";
    }
    if (fault instanceof AccessDeniedException denied) {
      return denied.getFile() + ": permission denied";
    }
    return fault.getMessage() == null ? fault.getClass().getSimpleName() : fault.getMessage();
  }

  private static void append(StringBuilder text, Any detail) {
    try {
      if (detail.is(RetryInfo.class)) {
        var delay = detail.unpack(RetryInfo.class).getRetryDelay();
        text.append(
            " (try again in %.3g s)".formatted(delay.getSeconds() + delay.getNanos() / 1e9));
      } else if (detail.is(BadRequest.class)) {
        appendViolations(text, detail.unpack(BadRequest.class));
      }
    } catch (InvalidProtocolBufferException e) {
      text.append("\n  (details that cannot be read)");
    }
  }

  private static void appendViolations(StringBuilder text, BadRequest request) {
    request.getFieldViolationsList().stream()
        .limit(VIOLATIONS_SHOWN_MAX)
        .forEach(
            violation ->
                text.append("\n  ")
                    .append(Terminal.clean(violation.getField()))
                    .append(": ")
                    .append(Terminal.clean(violation.getDescription())));
    int more = request.getFieldViolationsCount() - VIOLATIONS_SHOWN_MAX;
    if (more > 0) {
      text.append("\n  and ").append(more).append(" more");
    }
  }

  /** "Connection refused: HOST:PORT" if that is why; else null. */
  private static String refusal(Throwable cause) {
    for (Throwable t = cause; t != null; t = t.getCause()) {
      String message = t instanceof ConnectException ? t.getMessage() : null;
      int refused = message == null ? -1 : message.indexOf("Connection refused");
      if (refused >= 0) {
        return message.substring(refused);
      }
    }
    return null;
  }

  private static Throwable rootCause(Status status) {
    Throwable cause = status.getCause();
    while (cause != null && cause.getCause() != null) {
      cause = cause.getCause();
    }
    return cause;
  }

  private static String trace(Throwable thrown) {
    StringBuilder trace = new StringBuilder(thrown.toString());
    for (StackTraceElement frame : thrown.getStackTrace()) {
      trace.append("\n    at ").append(frame);
    }
    return trace.toString();
  }
}
