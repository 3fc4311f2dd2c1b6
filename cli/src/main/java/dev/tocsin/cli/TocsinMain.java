package dev.tocsin.cli;

import java.time.Duration;
import java.util.logging.LogManager;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Help;
import picocli.CommandLine.IExecutionExceptionHandler;
import picocli.CommandLine.IParameterExceptionHandler;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The {@code tocsin} command. Results go to standard output, everything else to standard error.
 *
 * <p>Exit codes: 0 all went well, 1 the work failed, 2 the command line is wrong, 64 and more a
 * gRPC status, its number added to 64.
 */
@Command(
    name = "tocsin",
    description = "Sends alerts to Tocsin, and reads and changes the incidents that they become.",
    synopsisSubcommandLabel = "COMMAND",
    versionProvider = TocsinMain.Version.class,
    subcommands = {
      UpCommand.class,
      DemoCommand.class,
      AlertCommand.class,
      IncidentCommand.class,
      SilenceCommand.class,
      RulesCommand.class,
      DigestCommand.class,
      TokenCommand.class,
      BenchCommand.class,
      ChaosCommand.class,
      CompletionCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  tocsin up                            start everything on this machine",
      "  tocsin demo                          see alerts become incidents, and leave nothing behind",
      "  tocsin alert send --source disk --title 'Disk full' --severity P1 --label service=db",
      "  tocsin alert stream alerts.jsonl     send a file, one alert a line",
      "  tocsin incident list --state open    what is wrong now",
      "  tocsin incident resolve ID           say that it is over",
      "  tocsin silence create 'source = disk' --for 2h --comment 'new disks'",
      "  tocsin rules activate rules.yaml     group, suppress, rate otherwise",
      "  tocsin --target prod:9000 digest     compare two states",
      "",
      "Exit codes:",
      "  0      done",
      "  1      the work failed, for instance an alert was refused",
      "  2      the command line is wrong",
      "  64+N   the server answered with gRPC status N, for instance 69 NOT_FOUND, 78 UNAVAILABLE"
    })
public final class TocsinMain implements Runnable {
  private static final Pattern HOST_PORT =
      Pattern.compile("(\\[[0-9a-fA-F:.%]+]|[^:/\\s]+):(\\d{1,5})");

  @Spec CommandSpec spec;

  @Mixin HelpFlag help;

  @Option(
      names = {"-V", "--version"},
      versionHelp = true,
      description = "Print the version.")
  boolean version;

  @Option(
      names = "--target",
      scope = ScopeType.INHERIT,
      paramLabel = "HOST:PORT",
      defaultValue = "${env:TOCSIN_TARGET:-localhost:9000}",
      description =
          "The server; also by the environment variable TOCSIN_TARGET. Default: localhost:9000.")
  String target;

  @Option(
      names = "--timeout",
      scope = ScopeType.INHERIT,
      paramLabel = "TIME",
      defaultValue = "10s",
      converter = Durations.class,
      description =
          "How long to wait for an answer: 500ms, 10s, 2m; a bare number is seconds. Default: 10s.")
  Duration timeout;

  @Mixin Login.Flags login;

  @Option(
      names = "--json",
      description = "Print results as JSON. May also stand after the command.")
  boolean json;

  private final Terminal terminal;

  private TocsinMain(Terminal terminal) {
    this.terminal = terminal;
  }

  /** Runs the command line and exits with its code. */
  public static void main(String[] args) {
    LogManager.getLogManager().reset(); // what goes wrong is said once, by us
    Terminal terminal = Terminal.system();
    int code = run(args, terminal);
    terminal.out().flush();
    terminal.err().flush();
    System.exit(code);
  }

  /** Runs the command line against the given terminal and returns the exit code. */
  static int run(String[] args, Terminal terminal) {
    CommandLine commands = commandLine(terminal);
    return commands.execute(args);
  }

  static CommandLine commandLine(Terminal terminal) {
    CommandLine commands = new CommandLine(new TocsinMain(terminal));
    commands.setOut(terminal.outWriter());
    commands.setErr(terminal.errWriter());
    commands.setColorScheme(colors(terminal.outShown()));
    commands.setParameterExceptionHandler(misuse(terminal));
    commands.setUsageHelpWidth(100);
    commands.setUsageHelpLongOptionsMaxWidth(30);
    commands.setExecutionExceptionHandler(failures(terminal));
    return commands;
  }

  /** The top command that {@code command} was reached through. */
  static TocsinMain above(CommandSpec command) {
    return (TocsinMain) command.root().userObject();
  }

  Terminal terminal() {
    return terminal;
  }

  /** Whether the command line itself names the target, before or behind the command. */
  static boolean targetGiven(CommandSpec command) {
    return command.commandLine().getParseResult().hasMatchedOption("--target")
        || command.root().commandLine().getParseResult().hasMatchedOption("--target");
  }

  /** Connects to the target, lazily. */
  Server server() {
    Matcher address = HOST_PORT.matcher(target);
    if (!address.matches() || Integer.parseInt(address.group(2)) > 65535) {
      throw new ParameterException(
          spec.commandLine(), "--target: '" + target + "' is not HOST:PORT");
    }
    return new Server(target, timeout, login.login(System.getenv()));
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "name a command");
  }

  /** As picocli does by itself, but in colour only if a person looks at standard error. */
  private static IParameterExceptionHandler misuse(Terminal terminal) {
    return (thrown, args) -> {
      CommandLine command = thrown.getCommandLine();
      Help.ColorScheme colors = colors(terminal.errShown());
      command.getErr().println(colors.errorText(thrown.getMessage()));
      if (!UnmatchedArgumentException.printSuggestions(thrown, command.getErr())) {
        command.usage(command.getErr(), colors);
      }
      return command.getCommandSpec().exitCodeOnInvalidInput();
    };
  }

  private static Help.ColorScheme colors(boolean shown) {
    return Help.defaultColorScheme(shown ? Help.Ansi.ON : Help.Ansi.OFF);
  }

  private static IExecutionExceptionHandler failures(Terminal terminal) {
    return (thrown, command, parsed) -> {
      Failure failure = Failure.of(thrown);
      terminal.say("tocsin: " + failure.getMessage());
      return failure.exitCode();
    };
  }

  /** The version that the jar was built as. */
  static final class Version implements CommandLine.IVersionProvider {
    @Override
    public String[] getVersion() {
      String version = TocsinMain.class.getPackage().getImplementationVersion();
      return new String[] {"tocsin " + (version == null ? "(not packaged)" : version)};
    }
  }
}
