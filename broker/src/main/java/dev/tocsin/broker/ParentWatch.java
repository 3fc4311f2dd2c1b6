package dev.tocsin.broker;

import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Ties this process to its parent's life. The parent holds the other end of standard input; when it
 * closes it, or ends in whatever way, reading here ends and this process with it: cleanly if that
 * takes no longer than {@link #STOP_MAX}, by halting otherwise.
 */
public final class ParentWatch {
  /** How long a clean stop may take. Kafka's takes half a second, or a few with much to flush. */
  static final Duration STOP_MAX = Duration.ofSeconds(20);

  /** Exit status of a process that did not stop in time. */
  static final int HALTED = 70;

  private ParentWatch() {}

  /**
   * Begins to watch, from a thread of its own.
   *
   * @param parent ends when the parent does
   * @param stopMax for a clean stop
   */
  public static void begin(InputStream parent, Duration stopMax) {
    Thread watch = new Thread(() -> awaitEnd(parent, stopMax), "parent-watch");
    watch.setDaemon(true);
    watch.start();
  }

  /**
   * Ignores the signals that end a whole process group: those of a terminal and of service managers
   * reach the broker at the same moment as its parent, which still needs it to drain.
   */
  static void ignoreGroupSignals() {
    for (String name : List.of("INT", "HUP", "TERM")) {
      try {
        ignore(name);
      } catch (ReflectiveOperationException | IllegalArgumentException e) {
        System.err.println("SIG" + name + " is not ignored: " + e);
      }
    }
  }

  private static void awaitEnd(InputStream parent, Duration stopMax) {
    try {
      while (parent.read() >= 0) {
        // nothing is said on this line, only its end counts
      }
    } catch (IOException e) {
      // as good as its end
    }
    Thread halt = new Thread(() -> haltAfter(stopMax), "parent-watch-halt");
    halt.setDaemon(true);
    halt.start();
    System.exit(0);
  }

  private static void haltAfter(Duration stopMax) {
    try {
      new CountDownLatch(1).await(stopMax.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      // nobody interrupts it; if someone does, it is time
    }
    Runtime.getRuntime().halt(HALTED);
  }

  /** By reflection, as Kafka does it too: javac cannot be told that sun.misc.Signal is meant. */
  private static void ignore(String name) throws ReflectiveOperationException {
    Class<?> signal = Class.forName("sun.misc.Signal");
    Class<?> handler = Class.forName("sun.misc.SignalHandler");
    InvocationHandler nothing = (proxy, method, args) -> null;
    signal
        .getMethod("handle", signal, handler)
        .invoke(
            null,
            signal.getConstructor(String.class).newInstance(name),
            Proxy.newProxyInstance(
                ParentWatch.class.getClassLoader(), new Class<?>[] {handler}, nothing));
  }
}
