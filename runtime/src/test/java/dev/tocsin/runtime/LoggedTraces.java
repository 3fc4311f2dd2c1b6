package dev.tocsin.runtime;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What gRPC logs with a stack trace, as long as this is open. */
final class LoggedTraces extends Handler implements AutoCloseable {
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  private final Queue<String> seen = new ConcurrentLinkedQueue<>();

  LoggedTraces() {
    GRPC.addHandler(this);
  }

  Queue<String> seen() {
    return seen;
  }

  @Override
  public void publish(LogRecord record) {
    if (record.getThrown() != null) {
      seen.add(record.getLoggerName() + ": " + record.getThrown());
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    GRPC.removeHandler(this);
  }
}
