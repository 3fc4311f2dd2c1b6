package dev.tocsin.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.alerts.AlertMessage.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AlertLinesTest {
  private static final String GOOD = "{\"alert_id\":\"a\",\"source\":\"s\",\"title\":\"t\"}";

  @Test
  void next_readsEveryField() throws IOException {
    var alert =
        read("""
                {"alertId":"1","source":"s","title":"ü","severity":2,"type":"INCIDENT_TYPE_DATA",\
                "labels":{"k":"v"},"status":"RESOLVED","fired_at":"2026-11-20T16:00:00Z"}""")
            .get(0)
            .alert();

    assertThat(alert.getAlertId()).isEqualTo("1");
    assertThat(alert.getTitle()).isEqualTo("ü");
    assertThat(alert.getSeverityValue()).isEqualTo(2);
    assertThat(alert.getTypeValue()).isEqualTo(4);
    assertThat(alert.getLabelsMap()).containsEntry("k", "v");
    assertThat(alert.getStatus()).isEqualTo(Status.RESOLVED);
    assertThat(alert.getFiredAt().getSeconds()).isEqualTo(1795190400L);
  }

  @Test
  void next_ofNothing_isTheEnd() throws IOException {
    assertThat(read("")).isEmpty();
  }

  @Test
  void next_passesOverBlankLinesButCountsThem() throws IOException {
    var lines = read("\ufeff" + GOOD + "\r\n\n  \t\n" + GOOD);

    assertThat(lines).extracting(AlertLines.Line::number).containsExactly(1L, 4L);
    assertThat(lines).allMatch(line -> line.fault() == null);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"title\":                  | End of input",
        "nonsense                     | not a JSON object",
        "{nonsense}                   | Expected ':'",
        "[]                           | not a JSON object",
        "null                         | not a JSON object",
        "{} {\"title\":\"lost\"}      | something after the JSON object",
        "{\"titel\":\"t\"}            | titel",
        "{\"severity\":\"WORST\"}     | WORST",
        "{\"fired_at\":\"yesterday\"} | yesterday",
        "{\"labels\":[1]}             | map",
        "{\"title\":\"\\ud800\"}      | half a character",
      })
  void next_namesWhatIsWrongWithALine_andReadsOn(String broken, String reason) throws IOException {
    var lines = read(GOOD + "\n" + broken + "\n" + GOOD);

    assertThat(lines).hasSize(3);
    assertThat(lines.get(1).number()).isEqualTo(2);
    assertThat(lines.get(1).alert()).isNull();
    assertThat(lines.get(1).fault()).containsIgnoringCase(reason).doesNotContain("\n");
    assertThat(lines.get(2).alert()).isNotNull();
  }

  @Test
  void next_keepsAWholeSurrogatePair() throws IOException {
    assertThat(read("{\"title\":\"\\ud83d\\udd14\"}").get(0).alert().getTitle())
        .isEqualTo("\ud83d\udd14");
  }

  @Test
  void next_refusesWhatIsNotUtf8() throws IOException {
    byte[] latin1 = "{\"title\":\"\u00fc\"}\n".getBytes(StandardCharsets.ISO_8859_1);

    assertThat(read(new ByteArrayInputStream(latin1)).get(0).fault()).isEqualTo("not UTF-8");
  }

  @Test
  void next_skipsALineThatIsTooLong_withoutHoldingIt() throws IOException {
    long length = 40L * AlertLines.LINE_BYTES_MAX;
    InputStream in =
        new SequenceInputStream(
            new Letters(length),
            new ByteArrayInputStream(("\n" + GOOD).getBytes(StandardCharsets.UTF_8)));
    var lines = read(in);

    assertThat(lines.get(0).fault()).startsWith("longer than");
    assertThat(lines.get(1).alert()).isNotNull();
    assertThat(lines.get(1).number()).isEqualTo(2);
  }

  @Test
  void next_refusesAnAlertThatNoServerTakes() throws IOException {
    String title = "t".repeat(AlertLines.ALERT_BYTES_MAX);

    assertThat(read("{\"title\":\"" + title + "\"}").get(0).fault()).contains("over 4,194,304");
  }

  @Test
  void next_givesIdsToAlertsWithout_eachItsOwn() throws IOException {
    String line = "{\"title\":\"t\"}\n";
    Set<String> ids = new HashSet<>();
    read(line.repeat(3)).forEach(l -> ids.add(l.alert().getAlertId()));
    read(line.repeat(3)).forEach(l -> ids.add(l.alert().getAlertId()));

    assertThat(ids).hasSize(6).doesNotContain("");
  }

  private static List<AlertLines.Line> read(String text) throws IOException {
    return read(new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }

  private static List<AlertLines.Line> read(InputStream in) throws IOException {
    List<AlertLines.Line> lines = new ArrayList<>();
    try (AlertLines source = new AlertLines(in)) {
      for (var line = source.next(); line != null; line = source.next()) {
        lines.add(line);
      }
    }
    return lines;
  }

  /** So many times the letter x. */
  private static final class Letters extends InputStream {
    private long left;

    Letters(long count) {
      left = count;
    }

    @Override
    public int read() {
      return left-- > 0 ? 'x' : -1;
    }

    @Override
    public int read(byte[] into, int offset, int count) {
      if (left <= 0) {
        return -1;
      }
      int n = (int) Math.min(left, count);
      java.util.Arrays.fill(into, offset, offset + n, (byte) 'x');
      left -= n;
      return n;
    }
  }
}
