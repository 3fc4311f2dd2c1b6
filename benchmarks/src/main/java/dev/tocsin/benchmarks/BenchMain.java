package dev.tocsin.benchmarks;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * {@code tocsin bench}: runs what is asked for, and prints a table of ratios against references
 * measured in the same run.
 */
@Command(
    name = "tocsin bench",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  ./tocsin bench edge-stream --rounds 5",
      "  ./tocsin bench --json"
    })
final class BenchMain implements Callable<Integer> {
  private static final int HELP_WIDTH = 100;

  @Parameters(arity = "0..*", paramLabel = "BENCH", description = "Which; all if none is named.")
  private List<String> names = List.of();

  @Option(names = "--json", description = "One JSON object a row in place of the table.")
  private boolean json;

  @Option(
      names = "--rounds",
      defaultValue = "3",
      description = "Rounds of ours and reference (default: 3).")
  private int rounds;

  @Option(
      names = "--seconds",
      defaultValue = "8",
      description = "Measured time of a round (default: 8).")
  private int seconds;

  public static void main(String[] args) {
    System.exit(commandLine().execute(args));
  }

  /** The command, whose help tells every row. */
  static CommandLine commandLine() {
    CommandLine command = new CommandLine(new BenchMain());
    List<String> lines = new ArrayList<>();
    lines.add("Measures ours and a reference in turn, on this machine, and prints the ratio.");
    lines.add("");
    for (BenchRow row : BenchRow.ALL) {
      lines.add("  %-19s%s".formatted(row.name(), row.what().get(0)));
      row.what().stream().skip(1).forEach(more -> lines.add(" ".repeat(21) + more));
      if (row.bar().isSet()) {
        lines.add(" ".repeat(21) + "bar: " + row.bar().text());
      }
    }
    lines.add("");
    lines.add("Everything that is started ends with it. Without a name all benches run.");
    lines.add("A bar that is not met does not change the exit status; a bench that fails does.");
    lines.add("");
    command.setUsageHelpWidth(HELP_WIDTH);
    command.getCommandSpec().usageMessage().description(lines.toArray(String[]::new));
    return command;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (rounds < 1 || rounds > 100 || seconds < 1 || seconds > 600) {
      System.err.println("--rounds must be from 1 to 100, --seconds from 1 to 600");
      return CommandLine.ExitCode.USAGE;
    }
    List<String> known = BenchRow.ALL.stream().map(BenchRow::name).toList();
    List<String> unknown = names.stream().filter(name -> !known.contains(name)).toList();
    if (!unknown.isEmpty()) {
      System.err.println("no such bench: " + String.join(", ", unknown) + "; there are " + known);
      return CommandLine.ExitCode.USAGE;
    }
    EdgeStand stand = new EdgeStand();
    Thread endAll = new Thread(() -> endAll(stand), "bench-end");
    Runtime.getRuntime().addShutdownHook(endAll);
    try (stand) {
      return run(stand);
    } finally {
      forget(endAll);
    }
  }

  private int run(EdgeStand stand) throws InterruptedException {
    if (!json) {
      System.out.println(BenchResult.header());
    }
    int status = CommandLine.ExitCode.OK;
    for (BenchRow row : BenchRow.ALL) {
      if (names.isEmpty() || names.contains(row.name())) {
        status = Math.max(status, run(row, stand));
      }
    }
    return status;
  }

  /** One row; that it cannot be measured keeps no other from it. */
  private int run(BenchRow row, EdgeStand stand) throws InterruptedException {
    try {
      BenchResult result =
          row.bench().run(stand, new Rounds(rounds, Duration.ofSeconds(seconds), System.err));
      System.out.println(json ? result.json(row.bar()) : result.row(row.bar()));
      return CommandLine.ExitCode.OK;
    } catch (MissingProgramException e) {
      System.err.println(row.name() + " is not run: " + e.getMessage());
      return names.isEmpty() ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    } catch (IOException e) {
      System.err.println(row.name() + " failed: " + Objects.toString(e.getMessage(), e.toString()));
      return CommandLine.ExitCode.SOFTWARE;
    }
  }

  /** When the bench is told to end before it has. */
  private static void endAll(EdgeStand stand) {
    ProcessHandle.current().children().forEach(ProcessHandle::destroy);
    try {
      stand.close();
    } catch (IOException e) {
      System.err.println("some of what the bench made is left: " + e);
    }
  }

  private static void forget(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // it is running: then it does what is to be done
    }
  }
}
