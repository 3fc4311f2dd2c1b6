package dev.tocsin.cli;

import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.FieldViolation;
import java.util.stream.Collectors;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * What a person sees of a stream under way, on standard error: a progress bar where a person looks,
 * and the lines that are at fault, a bounded number of them. Thread-safe.
 */
final class StreamReport implements AutoCloseable {
  /** More lines at fault than these are only counted. */
  static final int FAULTS_SHOWN_MAX = 10;

  private static final int FAULT_CHARS_MAX = 300;

  private final Terminal terminal;
  private final ProgressBar bar;
  private int faults;

  /**
   * Shows a bar only on a terminal.
   *
   * @param lines how many lines there will be; negative if nobody knows
   */
  StreamReport(Terminal terminal, long lines) {
    this.terminal = terminal;
    this.bar = terminal.errShown() ? bar(terminal, lines) : null;
  }

  /** So many alerts have their outcome, or were broken lines. */
  void done(long count) {
    if (bar != null) {
      bar.stepTo(count);
    }
  }

  synchronized void broken(AlertLines.Line line) {
    fault("line " + line.number() + " is broken: " + line.fault());
  }

  /** An alert that is given up: refused, or not taken after the last retry. */
  synchronized void refused(long lineNumber, AlertAck ack) {
    String violations =
        ack.getViolationsList().stream().map(StreamReport::text).collect(Collectors.joining("; "));
    fault(
        "line %d: alert '%s' is %s: %s"
            .formatted(
                lineNumber,
                ack.getAlertId(),
                ack.getStatus(),
                violations.isEmpty() ? ack.getMessage() : violations));
  }

  @Override
  public synchronized void close() {
    if (bar != null) {
      bar.close();
    }
    if (faults > FAULTS_SHOWN_MAX) {
      terminal.say("tocsin: and %,d more such lines".formatted(faults - FAULTS_SHOWN_MAX));
    }
  }

  private void fault(String text) {
    faults++;
    if (faults <= FAULTS_SHOWN_MAX) {
      String shown =
          text.length() <= FAULT_CHARS_MAX ? text : text.substring(0, FAULT_CHARS_MAX) + "...";
      terminal.say("tocsin: " + Terminal.clean(shown));
    }
  }

  private static String text(FieldViolation violation) {
    return violation.getField() + ": " + violation.getDescription();
  }

  private static ProgressBar bar(Terminal terminal, long lines) {
    return new ProgressBarBuilder()
        .setTaskName("alerts")
        .setInitialMax(lines)
        .setStyle(ProgressBarStyle.ASCII)
        .setUpdateIntervalMillis(200)
        .setConsumer(new ConsoleProgressBarConsumer(terminal.err(), terminal.columns() - 1))
        .clearDisplayOnFinish()
        .showSpeed()
        .build();
  }
}
