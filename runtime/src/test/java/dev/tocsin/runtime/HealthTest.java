package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

class HealthTest {
  private final Health health = new Health();

  @Test
  void health_servesWhileEveryConditionIsMet() {
    assertThat(health.serving()).isTrue();
    health.require("kafka");
    health.require("owners");
    assertThat(health.problems())
        .isEqualTo(Map.of("kafka", "not known yet", "owners", "not known yet"));
    health.met("kafka");
    assertThat(health.serving()).isFalse();
    health.met("owners");
    assertThat(health.serving()).isTrue();
    health.unmet("kafka", "no broker answers");
    assertThat(health.problems()).isEqualTo(Map.of("kafka", "no broker answers"));
  }

  @Test
  void watchers_hearHowItIsAndThenChangesOnly() {
    List<Boolean> heard = new ArrayList<>();
    health.watch(heard::add);
    health.require("kafka");
    health.unmet("kafka", "one");
    health.unmet("kafka", "two");
    health.met("kafka");
    health.met("kafka");
    assertThat(heard).containsExactly(true, false, true);
  }

  @Test
  void watchers_hearTheLastChangeLastWhateverThreadsReport() throws InterruptedException {
    for (int round = 0; round < 200; round++) {
      Health health = new Health();
      health.require("a");
      List<Boolean> heard = new CopyOnWriteArrayList<>();
      health.watch(heard::add);
      Thread other = new Thread(() -> health.unmet("a", "away"));
      other.start();
      health.met("a");
      other.join();
      assertThat(heard.get(heard.size() - 1)).isEqualTo(health.serving());
    }
  }
}
