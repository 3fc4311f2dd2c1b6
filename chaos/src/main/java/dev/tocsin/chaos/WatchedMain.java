package dev.tocsin.chaos;

import dev.tocsin.broker.ParentWatch;
import dev.tocsin.ingest.EdgeMain;
import dev.tocsin.processor.ProcessorMain;
import dev.tocsin.query.QueryMain;
import java.time.Duration;

/**
 * {@code WatchedMain PART FILE}: one part of Tocsin as it always runs, but for one thing: it ends
 * when the process that started it has gone, in whatever way.
 */
final class WatchedMain {
  private static final Duration STOP_MAX = Duration.ofSeconds(10);

  /** The parts that are processes of their own. */
  enum Part {
    EDGE,
    PROCESSOR,
    QUERY
  }

  private WatchedMain() {}

  /** Runs until it is told to end, or the parent closes standard input. */
  public static void main(String[] args) throws Exception {
    ParentWatch.begin(System.in, STOP_MAX);
    String[] file = {args[1]};
    switch (Part.valueOf(args[0])) {
      case EDGE -> EdgeMain.main(file);
      case PROCESSOR -> ProcessorMain.main(file);
      case QUERY -> QueryMain.main(file);
    }
  }
}
