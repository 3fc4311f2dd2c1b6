package dev.tocsin.runtime;

import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Grpc;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

/**
 * Writes a line for a call that has ended: which, how, how long, by whom, from where, and under
 * which request id and trace. The id is the caller's own ({@code x-request-id}) where it is a plain
 * one, else made here; it goes back in the trailers of calls that fail. Nothing else of headers is
 * written, and so no token.
 */
final class AccessLog implements ServerInterceptor {
  static final Metadata.Key<String> REQUEST_ID =
      Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER);

  private static final Logger LOG = LoggerFactory.getLogger("tocsin.access");
  private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9._:/+=-]{1,128}");

  private final LoggedCalls which;
  private final Consumer<LoggedLine> lines;

  AccessLog(LoggedCalls which) {
    this(which, AccessLog::write);
  }

  /** With another place for the lines. */
  AccessLog(LoggedCalls which, Consumer<LoggedLine> lines) {
    this.which = which;
    this.lines = lines;
  }

  /** As text, with what it says as fields beside it: where the log is JSON they are its own. */
  private static void write(LoggedLine line) {
    LoggingEventBuilder event = LOG.atInfo();
    for (Map.Entry<String, String> field : line.fields().entrySet()) {
      event = event.addKeyValue(field.getKey(), field.getValue());
    }
    event.log(line.text());
  }

  @Override
  public <Q, R> ServerCall.Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    Caller.Told told = new Caller.Told();
    String id = id(headers);
    headers.discardAll(REQUEST_ID);
    headers.put(REQUEST_ID, id); // for whom the call is forwarded to
    LoggedCall<Q, R> logged = new LoggedCall<>(call, id, Trace.id(headers), told);
    return new SimpleForwardingServerCallListener<>(
        Contexts.interceptCall(told.in(Context.current()), logged, headers, next)) {
      @Override
      public void onCancel() {
        logged.ended(Status.CANCELLED);
        super.onCancel();
      }
    };
  }

  private static String id(Metadata headers) {
    String given = headers.get(REQUEST_ID);
    if (given != null && PLAIN.matcher(given).matches()) {
      return given;
    }
    ThreadLocalRandom random = ThreadLocalRandom.current(); // no secret, and made for each call
    return HexFormat.of().toHexDigits(random.nextLong())
        + HexFormat.of().toHexDigits(random.nextLong());
  }

  private final class LoggedCall<Q, R> extends SimpleForwardingServerCall<Q, R> {
    private final long begunNanos = System.nanoTime();
    private final AtomicBoolean ended = new AtomicBoolean();
    private final Caller.Told told;
    private final String id;
    private final String trace;

    LoggedCall(ServerCall<Q, R> call, String id, String trace, Caller.Told told) {
      super(call);
      this.id = id;
      this.trace = trace;
      this.told = told;
    }

    @Override
    public void close(Status status, Metadata trailers) {
      if (!status.isOk()) {
        trailers.discardAll(REQUEST_ID);
        trailers.put(REQUEST_ID, id);
      }
      ended(status);
      super.close(status, trailers);
    }

    void ended(Status status) {
      boolean first = ended.compareAndSet(false, true); // its caller may leave after its end
      boolean wanted = which == LoggedCalls.ALL || (which == LoggedCalls.ERRORS && !status.isOk());
      if (first && wanted) {
        lines.accept(
            new LoggedLine(
                getMethodDescriptor().getFullMethodName(),
                status.getCode(),
                TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begunNanos),
                told.caller(),
                String.valueOf(getAttributes().get(Grpc.TRANSPORT_ATTR_REMOTE_ADDR)),
                id,
                trace));
      }
    }
  }
}
