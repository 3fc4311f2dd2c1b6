package dev.tocsin.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tocsin.runtime.Settings.SettingsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
  private static final Duration SECOND = Duration.ofSeconds(1);
  private static final Duration DAY = Duration.ofDays(1);

  private static Settings settings(String name, String value) {
    return Settings.of(Map.of(name, value));
  }

  @Test
  void values_areReadByTheirTypes() {
    Settings settings =
        Settings.of(
            Map.of("text", " a b ", "number", "7", "flag", "Yes", "list", "a , b,c", "time", "5s"));
    assertThat(settings.text("text", "")).isEqualTo("a b");
    assertThat(settings.required("text")).isEqualTo("a b");
    assertThat(settings.integer("number", 0, 0, 9)).isEqualTo(7);
    assertThat(settings.flag("flag", false)).isTrue();
    assertThat(settings.list("list", List.of())).containsExactly("a", "b", "c");
    assertThat(settings.duration("time", SECOND, SECOND, DAY)).isEqualTo(Duration.ofSeconds(5));
    settings.check();
  }

  @Test
  void values_thatAreAbsentOrBlankAreTheDefaults() {
    Settings settings = settings("text", "  ");
    assertThat(settings.text("text", "default")).isEqualTo("default");
    assertThat(settings.integer("number", 3, 0, 9)).isEqualTo(3);
    assertThat(settings.flag("flag", true)).isTrue();
    assertThat(settings.list("list", List.of("x"))).containsExactly("x");
    assertThat(settings.duration("time", SECOND, SECOND, DAY)).isEqualTo(SECOND);
    settings.check();
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 9})
  void integer_takesItsBounds(int bound) {
    Settings settings = settings("n", Integer.toString(bound));
    assertThat(settings.integer("n", 5, 1, 9)).isEqualTo(bound);
    settings.check();
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "10", "1.5", "x", "99999999999"})
  void integer_refusesWhatIsOutOfBoundsOrNoNumber(String text) {
    Settings settings = settings("n", text);
    assertThat(settings.integer("n", 5, 1, 9)).isEqualTo(5);
    assertThatThrownBy(settings::check)
        .isInstanceOf(SettingsException.class)
        .hasMessage("n: must be a whole number from 1 to 9, not '" + text + "'");
  }

  @ParameterizedTest
  @CsvSource({"1000ms, 1000", "1s, 1000", "2m, 120000", "3h, 10800000", "1d, 86400000"})
  void duration_takesEveryUnitUpToItsBounds(String text, long millis) {
    Settings settings = settings("t", text);
    assertThat(settings.duration("t", SECOND, SECOND, DAY)).isEqualTo(Duration.ofMillis(millis));
    settings.check();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"999ms", "25h", "5", "s", "1.5s", "-5s", "5 s", "5w", "9223372036854775807d"})
  void duration_refusesWhatIsOutOfBoundsOrNoDuration(String text) {
    Settings settings = settings("t", text);
    settings.duration("t", SECOND, SECOND, DAY);
    assertThatThrownBy(settings::check)
        .hasMessage(
            "t: must be a duration such as 200ms, 5s, 10m or 24h, from 1s to 86400s, not '"
                + text
                + "'");
  }

  @Test
  void flag_refusesAnythingElse() {
    Settings settings = settings("f", "maybe");
    settings.flag("f", false);
    assertThatThrownBy(settings::check).hasMessage("f: must be true or false, not 'maybe'");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a,,b", ",a", "a,"})
  void list_refusesAnEmptyName(String text) {
    Settings settings = settings("l", text);
    settings.list("l", List.of());
    assertThatThrownBy(settings::check).hasMessage("l: has an empty name in it");
  }

  @Test
  void check_tellsEveryFaultAtOnceAndUnknownNames() {
    Settings settings = Settings.of(Map.of("a", "x", "b", "y", "c", "z"));
    settings.integer("a", 1, 0, 2);
    settings.flag("b", true);
    settings.required("d");
    settings.fault("e", "excludes f");
    assertThatThrownBy(settings::check)
        .message()
        .hasLineCount(5)
        .contains("a: must be", "b: must be", "c: no such setting", "d: is missing", "e: excludes");
  }

  @Test
  void prefixed_givesWhatStartsSoAndMakesItKnown() {
    Settings settings = Settings.of(Map.of("kafka.acks", "all", "kafka.linger.ms", "5"));
    assertThat(settings.prefixed("kafka."))
        .containsExactlyInAnyOrderEntriesOf(Map.of("acks", "all", "linger.ms", "5"));
    assertThatCode(settings::check).doesNotThrowAnyException();
  }

  @Test
  void prefixed_takesTheEnvironmentOverTheFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("tocsin.properties");
    Files.writeString(file, "kafka.acks = 1\nkafka.linger.ms = 5\n");
    Settings settings =
        Settings.load(
            Optional.of(file),
            Map.of(
                "TOCSIN_KAFKA_BOOTSTRAP_SERVERS", "broker:9092 ",
                "TOCSIN_KAFKA_ACKS", "all",
                "TOCSIN_KAFKA_LINGER_MS", "",
                "TOCSIN_KAFKA_", "nothing",
                "KAFKA_RETRIES", "1"));
    assertThat(settings.prefixed("kafka."))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("acks", "all", "bootstrap.servers", "broker:9092"));
  }

  @Test
  void check_tellsAFaultOnceThatTwoPartsFound() {
    Settings settings = Settings.of(Map.of());
    settings.fault("a", "must be b");
    settings.fault("a", "must be b");
    settings.fault("a", "must be short");
    assertThatThrownBy(settings::check).hasMessage("a: must be b\na: must be short");
  }

  @Test
  void load_putsTheEnvironmentOverTheFile(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("tocsin.properties");
    Files.writeString(file, "edge.port = 1\nedge.call-threads = 2\n# a comment\n");
    Settings settings =
        Settings.load(
            Optional.of(file),
            Map.of("TOCSIN_EDGE_PORT", " 7 ", "TOCSIN_EDGE_CALL_THREADS", "", "PATH", "/bin"));
    assertThat(settings.integer("edge.port", 0, 0, 9)).isEqualTo(7);
    // An empty variable overrules too: by it a value of the file can be put back to its default.
    assertThat(settings.integer("edge.call-threads", 5, 0, 9)).isEqualTo(5);
    settings.check();
  }

  @Test
  void load_refusesAFileThatCannotBeRead(@TempDir Path folder) throws IOException {
    Path absent = folder.resolve("absent");
    assertThatThrownBy(() -> Settings.load(Optional.of(absent), Map.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("cannot be read");
    Path broken = Files.writeString(folder.resolve("broken"), "a=\\u12");
    assertThatThrownBy(() -> Settings.load(Optional.of(broken), Map.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("cannot be read");
  }
}
