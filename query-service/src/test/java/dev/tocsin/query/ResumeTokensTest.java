package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.Severity;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class ResumeTokensTest {
  private static final StreamFilter FILTER =
      new StreamFilter(
          "default", Set.of(IncidentState.INCIDENT_STATE_CLOSED), Severity.SEVERITY_P1, "s", false);

  private final ResumeTokens tokens = new ResumeTokens(key("a key"));

  private static byte[] key(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private String token(EventPosition... positions) {
    return tokens.writer("g1", FILTER).token(positions);
  }

  @Property(tries = 300)
  void token_isReadAsItWasWritten(@ForAll @Size(max = 40) List<@LongRange(min = -1) Long> offsets) {
    EventPosition[] positions =
        offsets.stream()
            .map(each -> new EventPosition(Math.max(0, each), each, each / 2))
            .toArray(EventPosition[]::new);
    ResumeToken read = tokens.parse(token(positions)).orElseThrow();
    assertThat(read.positions()).containsExactly(positions);
    assertThat(read.generation()).isEqualTo("g1");
    assertThat(read.filter()).isEqualTo(FILTER.digest());
    assertThat(read.workspace()).isEqualTo(FILTER.workspaceDigest());
  }

  @Test
  void token_isTakenByEveryInstanceOfTheSameKeyAndNoOther() {
    String token = token(EventPosition.at(7));
    assertThat(new ResumeTokens(key("a key")).parse(token)).isPresent();
    assertThat(new ResumeTokens(key("another")).parse(token)).isEmpty();
  }

  @Test
  void writer_givesATokenOfItsOwnForEachPosition() {
    ResumeTokens.Writer writer = tokens.writer("g1", FILTER);
    String first = writer.token(new EventPosition[] {EventPosition.at(1)});
    String second = writer.token(new EventPosition[] {EventPosition.at(2)});
    assertThat(tokens.parse(first).orElseThrow().positions().get(0).next()).isEqualTo(1);
    assertThat(tokens.parse(second).orElseThrow().positions().get(0).next()).isEqualTo(2);
  }

  @Property(tries = 500)
  void token_withAnyBitFlippedIsNone(@ForAll @IntRange(max = 100_000) int which) {
    byte[] bytes = Base64.getUrlDecoder().decode(token(new EventPosition(5, 6, 7)));
    int bit = which % (bytes.length * 8);
    bytes[bit / 8] ^= (byte) (1 << (bit % 8));
    assertThat(tokens.parse(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)))
        .isEmpty();
  }

  @Property(tries = 500)
  void token_withAnyCharacterChangedIsNone(
      @ForAll @IntRange(max = 100_000) int which, @ForAll char other) {
    StringBuilder text = new StringBuilder(token(new EventPosition(5, 6, 7)));
    int at = which % text.length();
    if (text.charAt(at) != other) {
      text.setCharAt(at, other);
      assertThat(tokens.parse(text.toString())).isEmpty();
    }
  }

  @Property(tries = 500)
  void token_cutOrLengthenedIsNone(@ForAll @IntRange(max = 100_000) int which) {
    String token = token(new EventPosition(5, 6, 7));
    assertThat(tokens.parse(token.substring(0, which % token.length()))).isEmpty();
    assertThat(tokens.parse(token + "A".repeat(1 + which % 9))).isEmpty();
  }

  @Property(tries = 1_000)
  void anythingElse_isNone(@ForAll String text, @ForAll byte[] bytes) {
    assertThat(tokens.parse(text)).isEmpty();
    assertThat(tokens.parse(Base64.getUrlEncoder().withoutPadding().encodeToString(bytes)))
        .isEmpty();
  }

  @Test
  void text_thatIsTooLongIsNotEvenDecoded() {
    assertThat(tokens.parse("A".repeat(ResumeTokens.CHARACTERS_MAX + 1))).isEmpty();
  }

  @Test
  void token_ofAsManyPartitionsAsThereCanBeIsRead() {
    EventPosition[] positions = new EventPosition[1_024];
    java.util.Arrays.fill(positions, new EventPosition(1L << 40, 1L << 40, 1L << 40));
    assertThat(tokens.parse(token(positions)).orElseThrow().positions()).hasSize(1_024);
  }
}
