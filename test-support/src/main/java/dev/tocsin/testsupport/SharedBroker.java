package dev.tocsin.testsupport;

import java.util.Locale;
import java.util.Optional;

/**
 * One broker for all tests of a JVM: started when first asked for, and ended with the JVM. Tests
 * keep apart from one another by the prefix of their topics.
 *
 * <p>The system property {@code kafka} says which kind: {@code container}, {@code embedded} for the
 * project's own, or {@code auto}, the default: a container where one can be had.
 */
public final class SharedBroker {
  /** What the system property may say. */
  enum Kind {
    AUTO,
    CONTAINER,
    EMBEDDED;

    static Kind of(String name) {
      for (Kind kind : values()) {
        if (kind.name().toLowerCase(Locale.ROOT).equals(name)) {
          return kind;
        }
      }
      throw new IllegalArgumentException(
          "-Dkafka must be auto, container or embedded, not '" + name + "'");
    }
  }

  private SharedBroker() {}

  private static final class Holder {
    static final String BOOTSTRAP = start(Kind.of(System.getProperty("kafka", "auto")));
  }

  /**
   * Where it is reached: {@code HOST:PORT}.
   *
   * @throws IllegalStateException if the kind that was asked for does not come up
   */
  public static String bootstrap() {
    return Holder.BOOTSTRAP;
  }

  static String start(Kind kind) {
    return switch (kind) {
      case CONTAINER -> told("a container of " + ContainerBroker.IMAGE, ContainerBroker.start());
      case EMBEDDED -> told("the project's own", EmbeddedBroker.start());
      case AUTO -> containerElseEmbedded();
    };
  }

  private static String containerElseEmbedded() {
    Optional<String> unavailable = ContainerBroker.unavailable();
    if (unavailable.isPresent()) {
      say("no container of " + ContainerBroker.IMAGE + ": " + unavailable.get());
      return start(Kind.EMBEDDED);
    }
    try {
      return start(Kind.CONTAINER);
    } catch (IllegalStateException e) {
      say(e.getMessage());
      return start(Kind.EMBEDDED);
    }
  }

  private static String told(String kind, String bootstrap) {
    say("tests run on " + kind + ", at " + bootstrap);
    return bootstrap;
  }

  /** Whoever reads a build's output must see which broker it was. */
  private static void say(String line) {
    System.err.println("kafka: " + line);
  }
}
