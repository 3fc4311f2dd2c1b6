package dev.tocsin.chaos;

import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.regex.Pattern;

/** Which errors a caller may meet while parts of Tocsin come and go. */
final class Answers {
  /** How this client's own gRPC speaks of a connection that is not there, or closes. */
  private static final Pattern CONNECTION =
      Pattern.compile("(?s)(io exception|Network closed|.*GOAWAY|Connection|RST_STREAM).*");

  private Answers() {}

  /** A server told when to ask again, or the connection broke and there was nobody to tell. */
  static boolean mayRefuse(StatusRuntimeException e) {
    return e.getStatus().getCode() == Status.Code.UNAVAILABLE
        ? saysWhen(e) || connection(e.getStatus())
        : closedAsItBegan(e.getStatus());
  }

  /** The same of a command: its end may also be unknown, which is settled by asking again. */
  static boolean mayBeUnknown(StatusRuntimeException e) {
    Status.Code code = e.getStatus().getCode();
    return code == Status.Code.UNAVAILABLE
        || code == Status.Code.DEADLINE_EXCEEDED
        || closedAsItBegan(e.getStatus());
  }

  /** How a stream may end that is not over. */
  static boolean mayBreak(Status status) {
    // A server that stops without having been told of the end resets the stream: CANCELLED.
    return status.getCode() == Status.Code.UNAVAILABLE
        || (status.getCode() == Status.Code.CANCELLED && connection(status))
        || closedAsItBegan(status);
  }

  /** Code and description: a line, where the status itself prints its cause's whole stack. */
  static String text(Status status) {
    return status.getDescription() == null
        ? status.getCode().name()
        : status.getCode() + ": " + status.getDescription().lines().findFirst().orElse("");
  }

  private static boolean saysWhen(StatusRuntimeException e) {
    var status = StatusProto.fromThrowable(e);
    return status != null
        && status.getDetailsList().stream().anyMatch(detail -> detail.is(RetryInfo.class));
  }

  private static boolean connection(Status status) {
    return CONNECTION.matcher(String.valueOf(status.getDescription())).matches();
  }

  private static boolean closedAsItBegan(Status status) {
    return status.getCode() == Status.Code.UNKNOWN
        && "channel closed".equals(status.getDescription());
  }
}
