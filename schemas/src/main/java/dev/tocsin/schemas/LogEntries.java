package dev.tocsin.schemas;

/** Makes each kind of {@link LogEntry}, with the lowest version of the engine that can apply it. */
public final class LogEntries {
  /** The first version of the engine that knows commands. */
  private static final int COMMANDS_SINCE = 2;

  /** The first version of the engine that knows rules beside those for all. */
  private static final int RULES_SINCE = 2;

  private LogEntries() {}

  /** One of alerts. */
  public static LogEntry of(Alerts alerts) {
    return LogEntry.newBuilder().setPayload(alerts).build();
  }

  /** One that activates rules. */
  public static LogEntry of(RulesActivated rules) {
    return LogEntry.newBuilder()
        .setPayload(rules)
        .setEngineVersionMin(rules.getRules().getRules().isEmpty() ? 1 : RULES_SINCE)
        .build();
  }

  /** One of nothing but its time. */
  public static LogEntry tick() {
    return LogEntry.newBuilder().setPayload(new Tick()).build();
  }

  /** One of a command. */
  public static LogEntry of(Command command) {
    return LogEntry.newBuilder()
        .setPayload(new Tick())
        .setCommand(command)
        .setEngineVersionMin(COMMANDS_SINCE)
        .build();
  }
}
