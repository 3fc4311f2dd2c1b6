package dev.tocsin.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IncidentIdTest {
  private static final long TIME_MAX_MS = (1L << 48) - 1;

  @Test
  void of_laysOutTimeRouteAndSerial() {
    // Worked out by hand from the layout in IncidentId's description.
    assertThat(IncidentId.text(IncidentId.of(0x0123456789ABL, 0xFEDCBA9876543210L, 0x3FF)))
        .isEqualTo("01234567-89ab-8fed-b2ea-61d950c843ff");
    assertThat(IncidentId.text(IncidentId.of(1_763_683_200_000L, 0, 5)))
        .isEqualTo("019aa3b5-ec00-8000-8000-000000000005");
  }

  @Property
  void of_isAVersion8Uuid_thatTellsItsRoute(
      @ForAll @LongRange(max = TIME_MAX_MS) long atMs, @ForAll long route, @ForAll long serial) {
    Key128 id = IncidentId.of(atMs, route, serial);
    UUID uuid = UUID.fromString(IncidentId.text(id));
    assertThat(uuid.version()).isEqualTo(8);
    assertThat(uuid.variant()).isEqualTo(2);
    assertThat(uuid.getMostSignificantBits() >>> 16).isEqualTo(atMs);
    assertThat(uuid.getLeastSignificantBits() & 0x3FF).isEqualTo(serial & 0x3FF);
    assertThat(IncidentId.route(id)).isEqualTo(route);
    assertThat(IncidentId.isOurs(id)).isTrue();
    assertThat(IncidentId.parse(IncidentId.text(id))).contains(id);
  }

  @Property
  void ids_sortByTimeAsUnsignedBytes(
      @ForAll @LongRange(max = TIME_MAX_MS) long oneMs,
      @ForAll @LongRange(max = TIME_MAX_MS) long otherMs,
      @ForAll long route,
      @ForAll long otherRoute) {
    Key128 one = IncidentId.of(oneMs, route, 0);
    Key128 other = IncidentId.of(otherMs, otherRoute, 0);
    int byBytes = Arrays.compareUnsigned(one.bytes(), other.bytes());
    if (oneMs != otherMs) {
      assertThat(Integer.signum(byBytes)).isEqualTo(Long.compare(oneMs, otherMs));
    }
    assertThat(Integer.signum(one.compareTo(other))).isEqualTo(Integer.signum(byBytes));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "1-2-3-4-5",
        "019aa3b5ec008000800000000000005",
        "019aa3b5-ec00-8000-8000-00000000005",
        "019aa3b5-ec00-8000-8000-0000000000055",
        "019aa3b5-ec00-8000-8000-00000000000g",
        " 019aa3b5-ec00-8000-8000-000000000005",
        "019aa3b5-ec00-8000-8000-000000000005\n",
        "{019aa3b5-ec00-8000-8000-000000000005}",
        "019aa3b-5ec00-8000-8000-000000000005"
      })
  void parse_refusesWhatIsNotCanonical(String text) {
    assertThat(IncidentId.parse(text)).isEmpty();
  }

  @Test
  void parse_takesCapitals() {
    assertThat(IncidentId.parse("019AA3B5-EC00-8000-8000-00000000000A").map(IncidentId::text))
        .contains("019aa3b5-ec00-8000-8000-00000000000a");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "019aa3b5-ec00-7000-8000-000000000005",
        "019aa3b5-ec00-8000-c000-000000000005",
        "019aa3b5-ec00-8000-0000-000000000005"
      })
  void isOurs_isFalseForAnyOtherUuid(String text) {
    assertThat(IncidentId.isOurs(IncidentId.parse(text).orElseThrow())).isFalse();
  }
}
