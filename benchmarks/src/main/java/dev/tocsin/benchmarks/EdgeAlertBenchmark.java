package dev.tocsin.benchmarks;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.tocsin.ingest.EdgeWork;
import dev.tocsin.proto.alerts.AlertMessage;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/**
 * What an alert of the storm costs the edge between its parsing and its entry. Public, and not
 * final, because JMH extends it.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class EdgeAlertBenchmark {
  /**
   * A power of two. So few that they stay in a processor's own cache, where an alert is that the
   * edge has just parsed.
   */
  private static final int ALERTS = 1 << 7;

  private final EdgeWork edge = new EdgeWork();
  private final AlertMessage[] alerts = new AlertMessage[ALERTS];
  private int next;

  /** Parses the alerts, as the transport would. */
  public EdgeAlertBenchmark() {
    StormAlerts storm = new StormAlerts(1, "storm-");
    try {
      for (int i = 0; i < ALERTS; i++) {
        alerts[i] = AlertMessage.parseFrom(storm.nextNew().toByteArray());
      }
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Check, keys and bytes of one alert. */
  @Benchmark
  public byte[] alert() {
    next = (next + 1) & (ALERTS - 1);
    return edge.entry(alerts[next]);
  }
}
