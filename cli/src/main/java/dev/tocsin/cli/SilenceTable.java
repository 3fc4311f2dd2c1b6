package dev.tocsin.cli;

import com.google.protobuf.Timestamp;
import dev.tocsin.proto.incidents.Silence;
import java.io.PrintStream;
import java.util.List;

/** Silences as rows. */
final class SilenceTable {
  private static final String ROW = "%-36s  %-7s  %-20s  %-20s  %-16s  %s%n";
  private static final int AUTHOR_MAX = 16;

  private SilenceTable() {}

  static void print(PrintStream out, List<Silence> silences, int partitions) {
    if (silences.isEmpty()) {
      return;
    }
    out.printf(ROW, "ID", "STATE", "START", "END", "AUTHOR", "MATCHERS");
    for (Silence each : silences) {
      out.printf(
          ROW,
          Terminal.clean(each.getId()),
          state(each),
          time(each.getStart()),
          time(each.getEnd()),
          IncidentTable.cut(Terminal.clean(each.getAuthor()), AUTHOR_MAX),
          Terminal.clean(String.join(", ", each.getMatchersList()))
              + "  # "
              + Terminal.clean(each.getComment())
              + (each.getPartitions() < partitions ? "  (not in all partitions yet)" : ""));
    }
  }

  /** One of them, and what was done to it. */
  static String text(String done, Silence silence) {
    return "%s %s  %s  %s to %s  %s"
        .formatted(
            done,
            Terminal.clean(silence.getId()),
            state(silence),
            time(silence.getStart()),
            time(silence.getEnd()),
            Terminal.clean(String.join(", ", silence.getMatchersList())));
  }

  private static String state(Silence silence) {
    return switch (silence.getState()) {
      case SILENCE_STATE_PENDING -> "PENDING";
      case SILENCE_STATE_ACTIVE -> "ACTIVE";
      case SILENCE_STATE_ENDED -> silence.getExpiredBy().isEmpty() ? "ENDED" : "EXPIRED";
      default -> Integer.toString(silence.getStateValue());
    };
  }

  private static String time(Timestamp time) {
    return IncidentTable.time(true, time);
  }
}
