package dev.tocsin.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.apache.kafka.common.internals.Topic;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TopicsTest {
  @Test
  void names_carryPrefixAndGeneration() {
    Topics topics = new Topics("prod.eu-1", "g2");
    assertThat(topics.log()).isEqualTo("prod.eu-1.log");
    assertThat(topics.rules()).isEqualTo("prod.eu-1.rules");
    assertThat(topics.schemas()).isEqualTo("prod.eu-1.schemas");
    assertThat(topics.deadLetters()).isEqualTo("prod.eu-1.dead-letters");
    assertThat(topics.events()).isEqualTo("prod.eu-1.events.g2");
    assertThat(topics.applicationId()).isEqualTo("prod.eu-1-processor-g2");
    assertThat(Topics.DEFAULT.log()).isEqualTo("tocsin.log");
    assertThat(Topics.DEFAULT.events()).isEqualTo("tocsin.events.g1");
  }

  @Test
  void names_areTopicsToKafka_whenTheyAreLongest() {
    Topics topics = new Topics("p".repeat(100), "g".repeat(20));
    List.of(topics.log(), topics.rules(), topics.schemas(), topics.deadLetters(), topics.events())
        .forEach(Topic::validate);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "ä", "a/b", "a\n"})
  void prefix_isRefused(String prefix) {
    assertThatThrownBy(() -> new Topics(prefix, "g1"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("prefix");
    assertThatThrownBy(() -> new Topics("p".repeat(101), "g1"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "g.1", "g-1", "g1\n"})
  void generation_isRefused(String generation) {
    assertThatThrownBy(() -> new Topics("tocsin", generation))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("generation");
    assertThatThrownBy(() -> new Topics("tocsin", "g".repeat(21)))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
