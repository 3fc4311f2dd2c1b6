package dev.tocsin.testsupport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.testsupport.SharedBroker.Kind;
import org.junit.jupiter.api.Test;

class SharedBrokerTest {
  @Test
  void kind_isOneOfThree() {
    assertThat(Kind.of("auto")).isEqualTo(Kind.AUTO);
    assertThat(Kind.of("container")).isEqualTo(Kind.CONTAINER);
    assertThat(Kind.of("embedded")).isEqualTo(Kind.EMBEDDED);
    assertThatThrownBy(() -> Kind.of("none"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("none")
        .hasMessageContaining("auto, container or embedded");
  }
}
