package dev.tocsin.runtime;

import java.io.IOException;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * The configuration, as one file with the environment over it: {@code edge.port} of the file is
 * overruled by the variable {@code TOCSIN_EDGE_PORT}. Every value is asked for by name, with its
 * default and bounds; faults are collected and told all at once by {@link #check()}.
 *
 * <p>Not thread-safe: read at start, into records.
 */
public final class Settings {
  /** The exit status for a configuration that cannot be used (EX_CONFIG of sysexits.h). */
  public static final int EXIT_CONFIG = 78;

  private final Map<String, String> file;
  private final Map<String, String> environment;
  private final Set<String> known = new HashSet<>();
  private final Set<String> knownPrefixes = new HashSet<>();
  private final List<String> faults = new ArrayList<>();

  /** The configuration cannot be used. Its message has a line for each fault. */
  public static final class SettingsException extends RuntimeException {
    SettingsException(List<String> faults) {
      super(String.join("\n", faults));
    }
  }

  private Settings(Map<String, String> file, Map<String, String> environment) {
    this.file = file;
    this.environment = environment;
  }

  /** Settings from values given here, as a file would give them; no environment. */
  public static Settings of(Map<String, String> values) {
    return new Settings(new TreeMap<>(values), Map.of());
  }

  /**
   * Settings from a Java properties file, if one is named, and the environment.
   *
   * @throws SettingsException if the file cannot be read
   */
  public static Settings load(Optional<Path> file, Map<String, String> environment) {
    Map<String, String> values = new TreeMap<>();
    if (file.isPresent()) {
      Properties read = new Properties();
      try (Reader in = Files.newBufferedReader(file.get(), StandardCharsets.UTF_8)) {
        read.load(in);
      } catch (IOException | IllegalArgumentException e) {
        throw new SettingsException(List.of(file.get() + ": cannot be read: " + e));
      }
      read.stringPropertyNames().forEach(name -> values.put(name, read.getProperty(name).strip()));
    }
    return new Settings(values, Map.copyOf(environment));
  }

  /**
   * These settings with {@code values} above both file and environment, as a command line gives
   * them. What was asked for and found wrong so far goes along.
   */
  public Settings with(Map<String, String> values) {
    Map<String, String> over = new TreeMap<>(file);
    over.putAll(values);
    Map<String, String> under = new TreeMap<>(environment);
    values.keySet().forEach(name -> under.remove(variable(name)));
    Settings settings = new Settings(over, under);
    settings.known.addAll(known);
    settings.knownPrefixes.addAll(knownPrefixes);
    settings.faults.addAll(faults);
    return settings;
  }

  /** A text. */
  public String text(String name, String fallback) {
    return find(name).orElse(fallback);
  }

  /** A text that has to be given. */
  public String required(String name) {
    return find(name).orElseGet(() -> fault(name, "is missing", ""));
  }

  /** A whole number within bounds, both included. */
  public int integer(String name, int fallback, int min, int max) {
    return read(
        name,
        fallback,
        Integer::valueOf,
        n -> n >= min && n <= max,
        "a whole number from " + min + " to " + max);
  }

  /** A switch. */
  public boolean flag(String name, boolean fallback) {
    return read(
        name,
        fallback,
        text ->
            switch (text.toLowerCase(Locale.ROOT)) {
              case "true", "yes", "on" -> true;
              case "false", "no", "off" -> false;
              default -> throw new IllegalArgumentException(text);
            },
        value -> true,
        "true or false");
  }

  /**
   * A length of time within bounds, both included, written as {@code 200ms}, {@code 5s}, {@code
   * 10m} or {@code 24h}.
   */
  public Duration duration(String name, Duration fallback, Duration min, Duration max) {
    return read(
        name,
        fallback,
        Settings::parseDuration,
        value -> value.compareTo(min) >= 0 && value.compareTo(max) <= 0,
        "a duration such as 200ms, 5s, 10m or 24h, from %s to %s".formatted(text(min), text(max)));
  }

  /** Names separated by commas. */
  public List<String> list(String name, List<String> fallback) {
    Optional<String> text = find(name);
    if (text.isEmpty()) {
      return fallback;
    }
    List<String> names = List.of(text.get().split("\\s*,\\s*", -1));
    return names.contains("") ? fault(name, "has an empty name in it", fallback) : names;
  }

  /**
   * What is handed on to a library: every value whose name starts with {@code prefix}, without it.
   * The environment's names do not tell dots from underscores; here each underscore is a dot, as
   * all names of Kafka's clients have it: {@code TOCSIN_KAFKA_BOOTSTRAP_SERVERS}.
   */
  public Map<String, String> prefixed(String prefix) {
    knownPrefixes.add(prefix);
    Map<String, String> found = new TreeMap<>();
    file.forEach(
        (name, value) -> {
          if (name.startsWith(prefix)) {
            found.put(name.substring(prefix.length()), value);
          }
        });
    String start = variable(prefix);
    environment.forEach(
        (name, value) -> {
          if (name.startsWith(start) && name.length() > start.length()) {
            String rest = name.substring(start.length()).toLowerCase(Locale.ROOT);
            found.put(rest.replace('_', '.'), value.strip());
          }
        });
    found.values().removeIf(String::isEmpty); // an empty variable puts back to the default
    return found;
  }

  /** Adds a fault that a reader found by itself, such as two values that exclude each other. */
  public void fault(String name, String what) {
    fault(name, what, null);
  }

  /**
   * To be called when everything is read.
   *
   * @throws SettingsException if there was any fault, or the file names a setting that nobody asked
   *     for
   */
  public void check() {
    for (String name : file.keySet()) {
      if (!known.contains(name) && knownPrefixes.stream().noneMatch(name::startsWith)) {
        faults.add(name + ": no such setting");
      }
    }
    if (!faults.isEmpty()) {
      throw new SettingsException(List.copyOf(faults));
    }
  }

  /** The name of the environment variable that overrules {@code name}. */
  static String variable(String name) {
    return "TOCSIN_" + name.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  private <T> T read(
      String name,
      T fallback,
      Function<String, T> parse,
      Function<T, Boolean> fits,
      String expected) {
    Optional<String> text = find(name);
    if (text.isEmpty()) {
      return fallback;
    }
    try {
      T value = parse.apply(text.get());
      if (fits.apply(value)) {
        return value;
      }
    } catch (IllegalArgumentException | ArithmeticException e) {
      // told below, as a value out of its bounds is
    }
    return fault(name, "must be " + expected + ", not '" + text.get() + "'", fallback);
  }

  private Optional<String> find(String name) {
    known.add(name);
    String overruled = environment.get(variable(name));
    return Optional.ofNullable(overruled != null ? overruled : file.get(name))
        .map(String::strip)
        .filter(value -> !value.isEmpty());
  }

  private <T> T fault(String name, String what, T instead) {
    String fault = name + ": " + what;
    if (!faults.contains(fault)) { // parts that run together may read the same setting
      faults.add(fault);
    }
    return instead;
  }

  private static Duration parseDuration(String text) {
    String number = text.replaceAll("[a-z]+$", "");
    long amount = Long.parseLong(number);
    return switch (text.substring(number.length())) {
      case "ms" -> Duration.ofMillis(amount);
      case "s" -> Duration.ofSeconds(amount);
      case "m" -> Duration.ofMinutes(amount);
      case "h" -> Duration.ofHours(amount);
      case "d" -> Duration.ofDays(amount);
      default -> throw new IllegalArgumentException(text);
    };
  }

  private static String text(Duration duration) {
    return duration.toMillis() % 1000 == 0
        ? duration.toSeconds() + "s"
        : duration.toMillis() + "ms";
  }
}
