package dev.tocsin.schemas;

/** Makes each kind of {@link LogEntry}, with the lowest version of the engine that can apply it. */
public final class LogEntries {
  /** The first version of the engine that knows commands. */
  private static final int COMMANDS_SINCE = 2;

  /** The first version of the engine that knows rules beside those for all. */
  private static final int RULES_SINCE = 2;

  /** The first version of the engine that knows flapping, inhibitions, silences and merging. */
  private static final int STEERING_SINCE = 3;

  private LogEntries() {}

  /** One of alerts. */
  public static LogEntry of(Alerts alerts) {
    return LogEntry.newBuilder().setPayload(alerts).build();
  }

  /** One that activates rules. */
  public static LogEntry of(RulesActivated rules) {
    return LogEntry.newBuilder()
        .setPayload(rules)
        .setEngineVersionMin(since(rules.getRules()))
        .build();
  }

  private static int since(Rules rules) {
    boolean steers =
        !rules.getInhibitions().isEmpty()
            || rules.getFlapping() != null
            || rules.getRules().stream().anyMatch(rule -> rule.getFlapping() != null);
    if (steers) {
      return STEERING_SINCE;
    }
    return rules.getRules().isEmpty() ? 1 : RULES_SINCE;
  }

  /** One of nothing but its time. */
  public static LogEntry tick() {
    return LogEntry.newBuilder().setPayload(new Tick()).build();
  }

  /** One that begins a silence. */
  public static LogEntry of(Silence silence) {
    return LogEntry.newBuilder()
        .setPayload(new Tick())
        .setSilence(silence)
        .setEngineVersionMin(STEERING_SINCE)
        .build();
  }

  /** One that ends a silence. */
  public static LogEntry of(SilenceExpired silence) {
    return LogEntry.newBuilder()
        .setPayload(new Tick())
        .setSilenceExpired(silence)
        .setEngineVersionMin(STEERING_SINCE)
        .build();
  }

  /** One of a command. */
  public static LogEntry of(Command command) {
    return LogEntry.newBuilder()
        .setPayload(new Tick())
        .setCommand(command)
        .setEngineVersionMin(
            command.getMerge() != null || command.getMergedFrom() != null
                ? STEERING_SINCE
                : COMMANDS_SINCE)
        .build();
  }
}
