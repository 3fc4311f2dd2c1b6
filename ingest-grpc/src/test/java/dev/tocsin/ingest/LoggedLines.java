package dev.tocsin.ingest;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** What gRPC logs as long as this is open. */
final class LoggedLines extends Handler implements AutoCloseable {
  private static final Logger GRPC = Logger.getLogger("io.grpc");

  private final Queue<String> seen = new ConcurrentLinkedQueue<>();
  private final Queue<String> traces = new ConcurrentLinkedQueue<>();

  LoggedLines() {
    GRPC.addHandler(this);
  }

  Queue<String> seen() {
    return seen;
  }

  Queue<String> traces() {
    return traces;
  }

  @Override
  public void publish(LogRecord record) {
    seen.add(record.getLoggerName() + ": " + record.getMessage());
    if (record.getThrown() != null) {
      traces.add(record.getLoggerName() + ": " + record.getThrown());
    }
  }

  @Override
  public void flush() {}

  @Override
  public void close() {
    GRPC.removeHandler(this);
  }
}
