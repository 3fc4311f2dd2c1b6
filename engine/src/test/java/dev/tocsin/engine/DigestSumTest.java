package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.EventType;
import dev.tocsin.schemas.Incident;
import dev.tocsin.schemas.IncidentAlert;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Note;
import dev.tocsin.schemas.Severity;
import dev.tocsin.schemas.Tally;
import dev.tocsin.schemas.TimelineEntry;
import dev.tocsin.schemas.TimelineKind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecordBase;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class DigestSumTest {
  /** What only the exact digest holds: ids, times, positions and versions. */
  private static final Set<String> EXACT_ONLY =
      Set.of(
          "id",
          "route",
          "createdAtMs",
          "updatedAtMs",
          "resolvedAtMs",
          "closedAtMs",
          "silencedUntilMs",
          "openedOffset",
          "openedIndex",
          "rulesVersion",
          "lastSeenMs",
          "joinedAtMs",
          "atMs",
          "offset",
          "index");

  /** How far the tally is published is no part of what happened to the incident. */
  /** What a tally repeats of its incident, which counts there. */
  private static final Set<String> OF_THE_INCIDENT =
      Set.of("state", "severity", "workspace", "source", "rule", "revision", "whole");

  private static final Set<String> NEITHER =
      Set.of("publishedOccurrences", "publishedAtMs", "publishArmed");

  @Test
  void ofNothing_isZero() {
    DigestSum sum = new DigestSum();
    assertThat(sum.content()).isEqualTo("0".repeat(32));
    assertThat(sum.exact()).isEqualTo("0".repeat(32));
    assertThat(sum.incidents()).isZero();
  }

  @Property(tries = 50)
  void order_doesNotMatter(@ForAll Random random) {
    List<Incident> incidents = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      Incident incident = incident();
      incident.setTitle("title " + i);
      incidents.add(incident);
    }
    DigestSum ordered = sum(incidents);
    Collections.shuffle(incidents, random);
    DigestSum shuffled = sum(incidents);
    assertThat(shuffled.content()).isEqualTo(ordered.content());
    assertThat(shuffled.exact()).isEqualTo(ordered.exact());
    assertThat(shuffled.incidents()).isEqualTo(20);
  }

  @Test
  void sum_isModulo2To128() {
    BigInteger content = BigInteger.ZERO;
    BigInteger exact = BigInteger.ZERO;
    DigestSum sum = new DigestSum();
    for (int i = 0; i < 200; i++) { // half of the additions carry
      Incident incident = incident();
      incident.setTitle("title " + i);
      DigestSum one = sum(List.of(incident));
      content = content.add(new BigInteger(one.content(), 16));
      exact = exact.add(new BigInteger(one.exact(), 16));
      sum.add(incident, tally());
    }
    BigInteger modulus = BigInteger.ONE.shiftLeft(128);
    assertThat(new BigInteger(sum.content(), 16)).isEqualTo(content.mod(modulus));
    assertThat(new BigInteger(sum.exact(), 16)).isEqualTo(exact.mod(modulus));
  }

  @Test
  void sameIncidentTwice_isNotNone() {
    assertThat(sum(List.of(incident(), incident())).content())
        .isNotEqualTo(sum(List.of()).content())
        .isNotEqualTo(sum(List.of(incident())).content());
  }

  static Stream<String> incidentFields() {
    return Incident.getClassSchema().getFields().stream().map(Schema.Field::name);
  }

  @ParameterizedTest
  @MethodSource("incidentFields")
  void everyField_ofAnIncident_counts(String field) {
    Incident changed = incident();
    change(changed, field);
    assertCounts(field, changed, tally());
  }

  static Stream<String> alertFields() {
    return IncidentAlert.getClassSchema().getFields().stream().map(Schema.Field::name);
  }

  @ParameterizedTest
  @MethodSource("alertFields")
  void everyField_ofAnAlert_counts(String field) {
    Incident changed = incident();
    change(changed.getAlerts().get(1), field);
    assertCounts(field, changed, tally());
  }

  static Stream<String> timelineFields() {
    return TimelineEntry.getClassSchema().getFields().stream().map(Schema.Field::name);
  }

  @ParameterizedTest
  @MethodSource("timelineFields")
  void everyField_ofATimelineEntry_counts(String field) {
    Incident changed = incident();
    change(changed.getTimeline().get(0), field);
    assertCounts(field, changed, tally());
  }

  static Stream<String> noteFields() {
    return Note.getClassSchema().getFields().stream().map(Schema.Field::name);
  }

  @ParameterizedTest
  @MethodSource("noteFields")
  void everyField_ofANote_counts(String field) {
    Incident changed = incident();
    change(changed.getNotes().get(1), field);
    assertCounts(field, changed, tally());
  }

  @Test
  void notes_andTheirNumber_countByThemselves() {
    Incident none = incident();
    none.setNotes(List.of());
    Incident dropped = incident();
    dropped.setNotes(List.of());
    dropped.setNotesAdded(3L);
    assertThat(Set.of(content(none), content(dropped), content(incident()))).hasSize(3);
  }

  @Test
  void actor_ofWhichLine_counts() {
    Incident first = incident();
    first.getTimeline().get(0).setActor("anna");
    Incident second = incident();
    second.getTimeline().get(1).setActor("anna");
    assertThat(content(first)).isNotEqualTo(content(second));
  }

  static Stream<String> tallyFields() {
    return Tally.getClassSchema().getFields().stream()
        .map(Schema.Field::name)
        .filter(field -> !OF_THE_INCIDENT.contains(field));
  }

  @ParameterizedTest
  @MethodSource("tallyFields")
  void everyField_ofATally_countsUnlessItIsOfPublishing(String field) {
    Tally changed = tally();
    change(changed, field);
    assertCounts(field, incident(), changed);
  }

  @Test
  void mapsOrder_doesNotMatter_butWhereNamesEndDoes() {
    Incident one = incident();
    one.setLabels(new java.util.LinkedHashMap<>(Map.of("a", "1", "b", "2", "c", "3")));
    Incident other = incident();
    Map<String, String> backwards = new java.util.LinkedHashMap<>();
    List.of("c", "b", "a").forEach(name -> backwards.put(name, one.getLabels().get(name)));
    other.setLabels(backwards);
    assertThat(content(one)).isEqualTo(content(other));
    one.setLabels(Map.of("ab", "c"));
    other.setLabels(Map.of("a", "bc"));
    assertThat(content(one)).isNotEqualTo(content(other));
    one.setTitle("ab");
    one.setDescription("c");
    one.setLabels(Map.of());
    other.setTitle("a");
    other.setDescription("bc");
    other.setLabels(Map.of());
    assertThat(content(one)).isNotEqualTo(content(other));
  }

  private static void assertCounts(String field, Incident changed, Tally tally) {
    DigestSum before = sum(List.of(incident()));
    DigestSum after = new DigestSum();
    after.add(changed, tally);
    assertThat(after.exact().equals(before.exact())).as(field).isEqualTo(NEITHER.contains(field));
    assertThat(after.content().equals(before.content()))
        .as(field)
        .isEqualTo(NEITHER.contains(field) || EXACT_ONLY.contains(field));
  }

  /** Puts something else into a field. */
  private static void change(SpecificRecordBase record, String field) {
    Schema.Field at = record.getSchema().getField(field);
    Object before = record.get(at.pos());
    record.put(at.pos(), other(at.schema(), before));
    assertThat(record.get(at.pos())).as(field).isNotEqualTo(before);
  }

  @SuppressWarnings("EnumOrdinal") // any other constant
  private static Object other(Schema schema, Object before) {
    return switch (schema.getType()) {
      case STRING -> before + "x";
      case LONG -> (Long) before + 1;
      case INT -> (Integer) before + 1;
      case BOOLEAN -> !(Boolean) before;
      case FIXED -> key("another");
      case ENUM -> {
        Object[] all = before.getClass().getEnumConstants();
        yield all[(((Enum<?>) before).ordinal() + 1) % all.length];
      }
      case MAP -> Map.of("another", "value");
      case ARRAY ->
          ((List<?>) before).isEmpty()
              ? List.of(key("another"))
              : new ArrayList<>(((List<?>) before).subList(0, 1));
      case UNION -> key("another"); // or none
      default -> throw new IllegalStateException(schema + " in a test of " + EventType.OTHER);
    };
  }

  private static String content(Incident incident) {
    return sum(List.of(incident)).content();
  }

  private static DigestSum sum(List<Incident> incidents) {
    DigestSum sum = new DigestSum();
    incidents.forEach(incident -> sum.add(incident, tally()));
    return sum;
  }

  private static Incident incident() {
    Log log = new Log();
    log.send(Sighting.firing("a"), Sighting.firing("b").as(Severity.P1));
    Incident incident = log.only();
    incident.setAffectedResources(List.of("one", "two"));
    incident.setTimeline(
        new ArrayList<>(
            List.of(
                new TimelineEntry(1L, TimelineKind.OPENED, 2L, 3, "text", ""),
                new TimelineEntry(4L, TimelineKind.RESOLVED, 5L, 6, "", ""))));
    incident.setNotes(
        new ArrayList<>(List.of(new Note(7L, "anna", "one"), new Note(8L, "ben", "two"))));
    return incident;
  }

  private static Tally tally() {
    return Tally.newBuilder()
        .setOccurrences(1)
        .setLastSeenMs(2)
        .setPublishedOccurrences(3)
        .setPublishedAtMs(4)
        .build();
  }

  private static Key128 key(String name) {
    return Sighting.key(name);
  }
}
