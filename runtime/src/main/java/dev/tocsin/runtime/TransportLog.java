package dev.tocsin.runtime;

import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.util.List;
import java.util.logging.Filter;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * What grpc-java's transport logs of its peers. It writes a line, mostly with a stack trace, for
 * each message over the limit, each caller who leaves while something is on its way to them, each
 * connection that does not speak HTTP/2 and each PING that is answered unasked: as often as anybody
 * likes. Here it is one line a minute of each kind of source, without traces.
 */
final class TransportLog {
  private static final String NETTY = NettyServerBuilder.class.getPackageName() + ".";

  /** Held, since a logger that nobody holds forgets its filter. */
  private static final List<Logger> SOURCES =
      List.of(
          Logger.getLogger(NETTY + "NettyServerStream"),
          Logger.getLogger(NETTY + "NettyServerHandler"),
          Logger.getLogger(NETTY + "NettyServerTransport.connections"));

  /** It takes a reset that we asked for as an internal error. */
  private static final Logger CALLS = Logger.getLogger("io.grpc.internal.ServerCallImpl");

  private TransportLog() {}

  /** From now on, in the whole process. */
  static synchronized void quiet() {
    for (Logger source : SOURCES) {
      if (!(source.getFilter() instanceof OneLine)) {
        source.setFilter(new OneLine(new SeldomLine()));
      }
    }
    CALLS.setFilter(record -> !CallReset.isReset(record.getThrown()));
  }

  private record OneLine(SeldomLine line) implements Filter {
    @Override
    public boolean isLoggable(LogRecord record) {
      if (!line.isDue()) {
        return false;
      }
      Throwable thrown = record.getThrown();
      record.setThrown(null);
      record.setMessage(
          "a peer's fault: "
              + record.getMessage()
              + (thrown == null ? "" : ": " + thrown)
              + "; left out since the last such line: "
              + line.leftOut());
      record.setParameters(null);
      return true;
    }
  }
}
