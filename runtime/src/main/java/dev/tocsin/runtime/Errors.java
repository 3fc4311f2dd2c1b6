package dev.tocsin.runtime;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Map;

/**
 * The errors that calls end with, each with the details of google.rpc that its code promises.
 *
 * @see <a href="https://google.aip.dev/193">AIP-193</a>
 */
public final class Errors {
  /** The domain of every {@link ErrorInfo}. */
  public static final String DOMAIN = "tocsin.dev";

  /** Of each violation beside its own bytes: tag and length. */
  private static final int VIOLATION_OVERHEAD_BYTES = 4;

  private Errors() {}

  /**
   * What the violations of one error may take. They travel in the trailers, of which a client takes
   * 8 KiB in all unless told otherwise, and as base64.
   */
  static final int VIOLATIONS_BYTES_MAX = 4 << 10;

  /**
   * INVALID_ARGUMENT with every violation: field path, and what is wrong with it. At least one.
   * Those beyond 4 KiB are counted in a last one, which names no field.
   */
  public static StatusRuntimeException invalid(List<FieldViolation> violations) {
    FieldViolation first = violations.get(0);
    String told = first.getField() + ": " + first.getDescription();
    return invalid(
        violations.size() == 1 ? told : violations.size() + " fields are invalid, first " + told,
        violations);
  }

  /** INVALID_ARGUMENT with every violation, under a message of its own. */
  public static StatusRuntimeException invalid(String message, List<FieldViolation> violations) {
    BadRequest.Builder all = BadRequest.newBuilder();
    int bytes = 0;
    for (FieldViolation violation : violations) {
      bytes += violation.getSerializedSize() + VIOLATION_OVERHEAD_BYTES;
      if (bytes > VIOLATIONS_BYTES_MAX) {
        int left = violations.size() - all.getFieldViolationsCount();
        all.addFieldViolations(violation("", "and " + left + " more"));
        break;
      }
      all.addFieldViolations(violation);
    }
    return error(Code.INVALID_ARGUMENT, message, all.build());
  }

  /** INVALID_ARGUMENT with one violation. */
  public static StatusRuntimeException invalid(String field, String description) {
    return invalid(List.of(violation(field, description)));
  }

  /** A violation. */
  public static FieldViolation violation(String field, String description) {
    return FieldViolation.newBuilder().setField(field).setDescription(description).build();
  }

  /** UNAVAILABLE: ask again after the given time. */
  public static StatusRuntimeException unavailable(String message, java.time.Duration retryAfter) {
    return retry(Code.UNAVAILABLE, message, retryAfter);
  }

  /** RESOURCE_EXHAUSTED: ask again after the given time. */
  public static StatusRuntimeException exhausted(String message, java.time.Duration retryAfter) {
    return retry(Code.RESOURCE_EXHAUSTED, message, retryAfter);
  }

  /** NOT_FOUND. */
  public static StatusRuntimeException notFound(String message) {
    return error(Code.NOT_FOUND, message);
  }

  /** DEADLINE_EXCEEDED. */
  public static StatusRuntimeException deadline(String message) {
    return error(Code.DEADLINE_EXCEEDED, message);
  }

  /** Any code with an {@link ErrorInfo} of the given reason, an UPPER_SNAKE_CASE constant. */
  public static StatusRuntimeException because(
      Code code, String reason, String message, Map<String, String> metadata) {
    return error(code, message, info(reason, metadata));
  }

  /** The same, and when to ask again. */
  public static StatusRuntimeException because(
      Code code,
      String reason,
      String message,
      Map<String, String> metadata,
      java.time.Duration retryAfter) {
    return error(code, message, info(reason, metadata), retryInfo(retryAfter));
  }

  /** The wire form of a duration. */
  public static Duration duration(java.time.Duration duration) {
    return Duration.newBuilder()
        .setSeconds(duration.getSeconds())
        .setNanos(duration.getNano())
        .build();
  }

  private static StatusRuntimeException retry(
      Code code, String message, java.time.Duration retryAfter) {
    return error(code, message, retryInfo(retryAfter));
  }

  private static RetryInfo retryInfo(java.time.Duration retryAfter) {
    return RetryInfo.newBuilder().setRetryDelay(duration(retryAfter)).build();
  }

  private static ErrorInfo info(String reason, Map<String, String> metadata) {
    return ErrorInfo.newBuilder()
        .setDomain(DOMAIN)
        .setReason(reason)
        .putAllMetadata(metadata)
        .build();
  }

  private static StatusRuntimeException error(
      Code code, String message, com.google.protobuf.Message... details) {
    Status.Builder status = Status.newBuilder().setCode(code.getNumber()).setMessage(message);
    for (com.google.protobuf.Message detail : details) {
      status.addDetails(Any.pack(detail));
    }
    return StatusProto.toStatusRuntimeException(status.build());
  }
}
