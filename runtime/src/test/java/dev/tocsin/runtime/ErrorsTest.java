package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ErrorsTest {
  private static com.google.rpc.Status told(StatusRuntimeException error) {
    return StatusProto.fromThrowable(error);
  }

  private static BadRequest badRequest(StatusRuntimeException error)
      throws InvalidProtocolBufferException {
    return told(error).getDetails(0).unpack(BadRequest.class);
  }

  @Test
  void invalid_namesTheOneFieldInItsMessage() throws InvalidProtocolBufferException {
    StatusRuntimeException error = Errors.invalid("title", "must not be empty");
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
    assertThat(error.getStatus().getDescription()).isEqualTo("title: must not be empty");
    assertThat(badRequest(error).getFieldViolationsList())
        .containsExactly(Errors.violation("title", "must not be empty"));
  }

  @Test
  void invalid_carriesEveryViolation() throws InvalidProtocolBufferException {
    List<FieldViolation> violations =
        List.of(Errors.violation("a", "is odd"), Errors.violation("b", "is even"));
    StatusRuntimeException error = Errors.invalid(violations);
    assertThat(error.getStatus().getDescription())
        .isEqualTo("2 fields are invalid, first a: is odd");
    assertThat(badRequest(error).getFieldViolationsList()).isEqualTo(violations);
    assertThat(told(Errors.invalid("Invalid UUID", violations)).getMessage())
        .isEqualTo("Invalid UUID");
  }

  @Test
  void invalid_countsWhatDoesNotFitIntoTrailers() throws InvalidProtocolBufferException {
    List<FieldViolation> violations =
        IntStream.range(0, 10_000)
            .mapToObj(i -> Errors.violation("labels[" + i + "]", "is too long"))
            .toList();
    StatusRuntimeException error = Errors.invalid(violations);
    BadRequest told = badRequest(error);
    assertThat(told.getSerializedSize()).isLessThan(Errors.VIOLATIONS_BYTES_MAX + 100);
    int last = told.getFieldViolationsCount() - 1;
    assertThat(last).isGreaterThan(50);
    assertThat(told.getFieldViolationsList().subList(0, last))
        .isEqualTo(violations.subList(0, last));
    assertThat(told.getFieldViolations(last))
        .isEqualTo(Errors.violation("", "and " + (10_000 - last) + " more"));
  }

  @Test
  void unavailableAndExhausted_sayWhenToRetry() throws InvalidProtocolBufferException {
    for (StatusRuntimeException error :
        List.of(
            Errors.unavailable("busy", Duration.ofMillis(1500)),
            Errors.exhausted("busy", Duration.ofMillis(1500)))) {
      assertThat(told(error).getDetails(0).unpack(RetryInfo.class).getRetryDelay())
          .isEqualTo(
              com.google.protobuf.Duration.newBuilder()
                  .setSeconds(1)
                  .setNanos(500_000_000)
                  .build());
    }
    assertThat(Errors.unavailable("", Duration.ZERO).getStatus().getCode())
        .isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(Errors.exhausted("", Duration.ZERO).getStatus().getCode())
        .isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
  }

  @Test
  void because_carriesItsReason() throws InvalidProtocolBufferException {
    StatusRuntimeException error =
        Errors.because(Code.OUT_OF_RANGE, "RESUME_EXPIRED", "too old", Map.of("oldest", "7"));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.OUT_OF_RANGE);
    assertThat(told(error).getDetails(0).unpack(ErrorInfo.class))
        .isEqualTo(
            ErrorInfo.newBuilder()
                .setDomain("tocsin.dev")
                .setReason("RESUME_EXPIRED")
                .putMetadata("oldest", "7")
                .build());
  }

  @Test
  void because_mayAlsoSayWhenToRetry() throws InvalidProtocolBufferException {
    StatusRuntimeException error =
        Errors.because(Code.UNAVAILABLE, "NOT_APPENDED", "away", Map.of(), Duration.ofMillis(1500));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.UNAVAILABLE);
    assertThat(told(error).getDetails(0).unpack(ErrorInfo.class).getReason())
        .isEqualTo("NOT_APPENDED");
    assertThat(told(error).getDetails(1).unpack(RetryInfo.class).getRetryDelay())
        .isEqualTo(Errors.duration(Duration.ofMillis(1500)));
  }

  @Test
  void plainErrors_haveTheirCodes() {
    assertThat(Errors.notFound("x").getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
    assertThat(Errors.deadline("x").getStatus().getCode()).isEqualTo(Status.Code.DEADLINE_EXCEEDED);
  }
}
