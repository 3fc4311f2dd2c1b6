package dev.tocsin.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tocsin.benchmarks.BenchResult.Round;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;
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
  void of_takesTheMedianRoundsLatency() {
    List<Histogram> rounds = List.of(latency(1_000), latency(400_000), latency(3_000));

    BenchResult result = BenchResult.of("b", "u", List.of(new Round(1, 1)), rounds);

    assertThat(result.p50Ms()).isCloseTo(3, within(0.01));
    assertThat(result.p99Ms()).isCloseTo(3, within(0.01)); // of all rounds together it is 400
  }

  private static Histogram latency(long micros) {
    Histogram latency = new Histogram(3);
    latency.recordValue(micros);
    return latency;
  }

  @Test
  void stolenTime_isThatShareOfAllTime() {
    long[] before = {100, 0, 50, 800, 10, 0, 5, 35};
    long[] after = {160, 0, 70, 900, 10, 0, 10, 50};

    assertThat(StolenTime.text(before, after))
        .isEqualTo(", 7.5 % of the CPUs' time stolen by the host");
    assertThat(StolenTime.text(before, before)).isEmpty();
  }

  @Test
  void json_hasWhatARowHas() {
    assertThat(RESULT.json(Bar.ratioAtLeast(0.9)))
        .isEqualTo(
            "{\"bench\":\"edge-stream\",\"ours\":90.000,\"reference\":100.000,\"ratio\":0.800,\"unit\":\"alerts/s\",\"p50_ms\":1.23,\"p99_ms\":56.79,\"bar\":\"ratio >= 0.90\",\"met\":false}");
    assertThat(RESULT.row(Bar.ratioAtLeast(0.8)).split("\\s+"))
        .containsExactly(
            "edge-stream",
            "90.00",
            "100.00",
            "0.80",
            "alerts/s",
            "1.23",
            "56.79",
            "met",
            "ratio",
            ">=",
            "0.80");
  }

  @Test
  void row_leavesOutWhatThereIsNot() {
    BenchResult result =
        BenchResult.of("b", "u", List.of(Round.of(12_345)), Double.NaN, Double.NaN)
            .with(Map.of("rss_mib", 700.04));

    assertThat(result.json(Bar.NONE))
        .isEqualTo(
            "{\"bench\":\"b\",\"ours\":12345,\"reference\":null,\"ratio\":null,\"unit\":\"u\",\"p50_ms\":null,\"p99_ms\":null,\"figures\":{\"rss_mib\":700.0}}");
    assertThat(result.row(Bar.NONE).lines().map(line -> line.strip().split("\\s+")))
        .containsExactly(
            new String[] {"b", "12,345", "-", "-", "u", "-", "-", "-"},
            new String[] {"rss_mib", "700.0"});
  }

  @Test
  void bar_isMetOnlyIfAllOfItIs() {
    Bar bar = Bar.p99Below(57).and(Bar.figureAtMost("rss_mib", 768));

    assertThat(bar.verdict(RESULT.with(Map.of("rss_mib", 768.0)))).isEqualTo("met");
    assertThat(bar.verdict(RESULT.with(Map.of("rss_mib", 768.1)))).isEqualTo("NOT MET");
    assertThat(Bar.p99Below(56).verdict(RESULT)).isEqualTo("NOT MET");
    assertThat(Bar.oursBelow(90, "u").verdict(RESULT)).isEqualTo("NOT MET");
    assertThat(Bar.ratioAtMost(0.8).verdict(RESULT)).isEqualTo("met");
    assertThat(Bar.NONE.verdict(RESULT)).isEqualTo("-");
  }
}
