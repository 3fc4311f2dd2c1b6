package dev.tocsin.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.benchmarks.BenchResult.Round;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchResultTest {
  private static final BenchResult RESULT =
      BenchResult.of(
          "edge-stream",
          "alerts/s",
          List.of(new Round(50, 100), new Round(90, 100), new Round(160, 200)),
          1.234,
          56.789);

  @Test
  void of_takesTheMedianOfEach() {
    assertThat(RESULT.ours()).isEqualTo(90);
    assertThat(RESULT.reference()).isEqualTo(100);
    assertThat(RESULT.ratio()).isEqualTo(0.8); // of 0.5, 0.9 and 0.8, not 90 over 100
  }

  @Test
  void of_anEvenNumberOfRoundsTakesTheMeanOfTheMiddleTwo() {
    BenchResult result = BenchResult.of("b", "u", List.of(new Round(1, 1), new Round(3, 1)), 0, 0);
    assertThat(result.ratio()).isEqualTo(2);
  }

  @Test
  void json_hasWhatARowHas() {
    assertThat(RESULT.json())
        .isEqualTo(
            "{\"bench\":\"edge-stream\",\"ours\":90,\"reference\":100,\"ratio\":0.800,\"unit\":\"alerts/s\",\"p50_ms\":1.23,\"p99_ms\":56.79}");
    assertThat(RESULT.row().split("\\s+"))
        .containsExactly("edge-stream", "90", "100", "0.80", "alerts/s", "1.23", "56.79");
    assertThat(RESULT.row()).hasSameSizeAs(BenchResult.header());
  }
}
