package dev.tocsin.chaos;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/**
 * {@code tocsin chaos}: all parts on this machine under load, with faults, and at the end a
 * comparison with what must have come of it. Exit status 0: no difference; 1: there are some; 2:
 * the command line is wrong.
 */
@Command(
    name = "tocsin chaos",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    footer = {
      "",
      "Examples:",
      "  ./tocsin chaos --minutes 10 --seed 1",
      "  ./tocsin chaos --kinds zombie,kill-broker --faults 4"
    })
final class ChaosMain implements Callable<Integer> {
  private static final int HELP_WIDTH = 100;

  /** What is kept of each alert until the end is memory. */
  private static final long ALERTS_MAX = 5_000_000;

  @Option(
      names = "--minutes",
      defaultValue = "5",
      description = "No fault begins after this time under load (default: 5).")
  private int minutes;

  @Option(
      names = "--faults",
      defaultValue = "100000",
      description = "Nor after so many faults (default: by the time alone).")
  private int faults;

  @Option(
      names = "--seed",
      description = "The same seed and kinds give the same faults in the same order.")
  private Long seed;

  @Option(names = "--processors", defaultValue = "3", description = "2 or 3 (default: 3).")
  private int processors;

  @Option(
      names = "--rate",
      defaultValue = "300",
      description = "Alerts and commands a second, from 10 to 5,000 (default: 300).")
  private int rate;

  @Option(
      names = "--kinds",
      split = ",",
      converter = Kind.class,
      paramLabel = "KIND",
      description = "Only these faults, separated by commas; all if none is named.")
  private List<Fault> kinds = List.of();

  @Option(names = "--keep", description = "Keep the folder, also where there is no difference.")
  private boolean keepAlways;

  public static void main(String[] args) {
    System.setProperty("log4j2.configurationFile", "classpath:dev/tocsin/chaos/chaos-log4j2.xml");
    System.exit(commandLine().execute(args));
  }

  /** The command, whose help tells every kind of fault. */
  static CommandLine commandLine() {
    CommandLine command = new CommandLine(new ChaosMain());
    List<String> lines = new ArrayList<>();
    lines.add(
        "Runs a broker, processors, a query-service and an edge on this machine, sends alerts");
    lines.add("and commands, reads and follows incidents, and injects faults one after another:");
    lines.add("");
    for (Fault each : Fault.values()) {
      lines.add("  %-18s%s".formatted(each.label(), each.what()));
    }
    lines.add("");
    lines.add("At the end every acknowledged alert must have counted once, and nothing else.");
    lines.add("Everything that is started ends with it.");
    lines.add("");
    command.setUsageHelpWidth(HELP_WIDTH);
    command.getCommandSpec().usageMessage().description(lines.toArray(String[]::new));
    return command;
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<String> faultsOfUsage = misuse();
    if (!faultsOfUsage.isEmpty()) {
      faultsOfUsage.forEach(System.err::println);
      return CommandLine.ExitCode.USAGE;
    }
    long chosen = seed == null ? System.nanoTime() & 0xFFFFFF : seed;
    Path folder = Files.createTempDirectory("tocsin-chaos");
    System.setProperty("tocsin.chaos.log", folder.resolve("chaos.log").toString());
    System.err.printf("seed %d, in %s%n", chosen, folder);
    ChaosRun run =
        new ChaosRun(
            new ChaosRun.Plan(
                Duration.ofMinutes(minutes),
                faults,
                chosen,
                processors,
                rate,
                kinds.isEmpty() ? Arrays.asList(Fault.values()) : kinds),
            folder,
            System.err);
    Thread endAll = new Thread(() -> end(run, folder), "chaos-end");
    Runtime.getRuntime().addShutdownHook(endAll);
    try {
      Differences differences = run.run();
      report(run, differences, folder);
      return differences.count() == 0 ? CommandLine.ExitCode.OK : CommandLine.ExitCode.SOFTWARE;
    } finally {
      if (forget(endAll)) {
        end(run, folder);
      }
    }
  }

  private List<String> misuse() {
    List<String> wrong = new ArrayList<>();
    if (minutes < 1 || minutes > 1_440) {
      wrong.add("--minutes must be from 1 to 1440");
    }
    if (faults < 1) {
      wrong.add("--faults must be 1 or more");
    }
    if (processors < 2 || processors > 3) {
      wrong.add("--processors must be 2 or 3");
    }
    if (rate < 10 || rate > 5_000) {
      wrong.add("--rate must be from 10 to 5000");
    } else if (60L * minutes * rate > ALERTS_MAX) {
      wrong.add("--minutes and --rate come to more than " + ALERTS_MAX + " alerts");
    }
    return wrong;
  }

  private static void report(ChaosRun run, Differences differences, Path folder) {
    run.print(System.out);
    if (differences.count() == 0) {
      System.out.println("no difference");
      return;
    }
    System.out.printf("%d differences:%n", differences.count());
    differences.kept().forEach(each -> System.out.println("- " + each));
    System.out.println("what all parts said and kept is in " + folder);
  }

  private void end(ChaosRun run, Path folder) {
    try {
      run.close();
      if (!keepAlways && run.differences().count() == 0) {
        Cluster.remove(folder);
      }
    } catch (IOException e) {
      System.err.println("some of what was made is left: " + e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether the hook will not run; else it is running, and does what is to be done. */
  private static boolean forget(Thread hook) {
    try {
      return Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return false;
    }
  }

  /** A kind of fault by its label. */
  static final class Kind implements ITypeConverter<Fault> {
    @Override
    public Fault convert(String text) {
      return Arrays.stream(Fault.values())
          .filter(each -> each.label().equals(text.strip().toLowerCase(Locale.ROOT)))
          .findFirst()
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "no such fault: '%s'; there are %s"
                          .formatted(
                              text, Arrays.stream(Fault.values()).map(Fault::label).toList())));
    }
  }
}
