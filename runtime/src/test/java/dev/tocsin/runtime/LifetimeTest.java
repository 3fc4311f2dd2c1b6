package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LifetimeTest {
  private final List<String> closed = new ArrayList<>();
  private final Lifetime lifetime = new Lifetime();

  @Test
  void close_closesTheLastOpenedFirstAndOnceOnly() {
    lifetime.add(() -> closed.add("broker"));
    lifetime.add(() -> closed.add("server"));
    lifetime.close();
    lifetime.close();
    assertThat(closed).containsExactly("server", "broker");
  }

  @Test
  void close_goesOnWhereAPartFails() {
    lifetime.add(() -> closed.add("broker"));
    lifetime.add(
        () -> {
          throw new IllegalStateException("will not close");
        });
    lifetime.add(() -> closed.add("server"));
    lifetime.close();
    assertThat(closed).containsExactly("server", "broker");
  }

  @Test
  void close_keepsTheInterruption() {
    lifetime.add(() -> closed.add("broker"));
    lifetime.add(
        () -> {
          throw new InterruptedException();
        });
    lifetime.close();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(closed).containsExactly("broker");
  }

  @Test
  void add_afterClosingClosesAtOnceAndSaysSo() {
    lifetime.close();
    assertThatThrownBy(() -> lifetime.add(() -> closed.add("late")))
        .isInstanceOf(IllegalStateException.class);
    assertThat(closed).containsExactly("late");
  }

  @Test
  void add_givesThePartBack() {
    AutoCloseable part = () -> closed.add("part");
    assertThat(lifetime.add(part)).isSameAs(part);
  }
}
