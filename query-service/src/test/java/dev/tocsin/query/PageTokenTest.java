package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.incidents.IncidentState;
import dev.tocsin.proto.incidents.ListIncidentsRequest;
import dev.tocsin.proto.incidents.Severity;
import dev.tocsin.schemas.IncidentId;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class PageTokenTest {
  private static final ListFilter FILTER =
      new ListFilter(
          "w",
          Set.of(IncidentState.INCIDENT_STATE_DETECTED),
          Set.of(Severity.SEVERITY_P0),
          "source",
          false);

  private static PageToken token(ListFilter filter) {
    return new PageToken(IncidentId.of(1, 2, 3), filter.digest());
  }

  @Property(tries = 200)
  void token_isReadAsItWasWritten(@ForAll long atMs, @ForAll long route, @ForAll long serial) {
    PageToken token = new PageToken(IncidentId.of(atMs, route, serial), FILTER.digest());
    assertThat(PageToken.parse(token.text())).contains(token);
    assertThat(token.text()).matches("[A-Za-z0-9_-]{44}");
  }

  @Property(tries = 200)
  void garbage_isNoTokenAndThrowsNothing(@ForAll String text) {
    assertThat(PageToken.parse(text)).isEmpty();
  }

  @Test
  void truncatedOverlongAndOtherForms_areNoTokens() {
    String text = token(FILTER).text();
    for (int length = 0; length < text.length(); length++) {
      assertThat(PageToken.parse(text.substring(0, length))).isEmpty();
    }
    assertThat(PageToken.parse(text + "A")).isEmpty();
    assertThat(PageToken.parse("A".repeat(1 << 20))).isEmpty();
    assertThat(PageToken.parse("B" + text.substring(1))).isEmpty();
    assertThat(PageToken.parse("*" + text.substring(1))).isEmpty();
    assertThat(PageToken.parse(text.substring(0, 43) + "=")).isEmpty();
  }

  @Test
  void token_belongsToItsOwnFilterOnly() {
    PageToken token = token(FILTER);
    Set<IncidentState> states = FILTER.states();
    Set<Severity> severities = FILTER.severities();
    assertThat(token.belongsTo(new ListFilter("w", states, severities, "source", false))).isTrue();
    assertThat(token.belongsTo(new ListFilter("w", states, severities, "source", true))).isFalse();
    assertThat(token.belongsTo(new ListFilter("v", states, severities, "source", false))).isFalse();
    assertThat(token.belongsTo(new ListFilter("w", Set.of(), severities, "source", false)))
        .isFalse();
    assertThat(token.belongsTo(new ListFilter("w", states, Set.of(), "source", false))).isFalse();
    assertThat(token.belongsTo(new ListFilter("w", states, severities, "", false))).isFalse();
    // Parts do not run into one another.
    assertThat(new ListFilter("ab", Set.of(), Set.of(), "c", false).digest())
        .isNotEqualTo(new ListFilter("a", Set.of(), Set.of(), "bc", false).digest());
  }

  @Test
  void filterDigest_doesNotDependOnOrderAndRepetition() {
    ListIncidentsRequest one =
        ListIncidentsRequest.newBuilder().addStatesValue(1).addStatesValue(5).build();
    ListIncidentsRequest other =
        ListIncidentsRequest.newBuilder()
            .addStatesValue(5)
            .addStatesValue(1)
            .addStatesValue(5)
            .build();
    assertThat(ListQuery.read(one, "w", 1).filter().digest())
        .isEqualTo(ListQuery.read(other, "w", 1).filter().digest());
  }
}
