package dev.tocsin.broker;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ParentWatchIT {
  @Test
  void watch_halts_whenACleanStopTakesTooLong() throws Exception {
    Process child =
        new ProcessBuilder(ChildJvm.command(Stuck.class.getName(), List.of(), List.of()))
            .inheritIO()
            .redirectInput(ProcessBuilder.Redirect.PIPE)
            .start();
    assertThat(child.waitFor(200, TimeUnit.MILLISECONDS)).isFalse();
    child.getOutputStream().close();
    assertThat(child.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(child.exitValue()).isEqualTo(ParentWatch.HALTED);
  }

  /** A main that is watched and whose clean stop never ends. */
  static final class Stuck {
    private Stuck() {}

    public static void main(String[] args) throws InterruptedException {
      CountDownLatch never = new CountDownLatch(1);
      Runtime.getRuntime().addShutdownHook(new Thread(() -> await(never)));
      ParentWatch.begin(System.in, Duration.ofMillis(300));
      never.await();
    }

    private static void await(CountDownLatch never) {
      try {
        never.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
