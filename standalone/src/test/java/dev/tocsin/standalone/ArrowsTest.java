package dev.tocsin.standalone;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.tocsin.engine.DefaultRules;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Which module may know which, over the classes of all that standalone is made of. */
class ArrowsTest {
  private static final String ROOT = "dev.tocsin.";

  /** Module (its package) to the modules that it may use beside itself. */
  private static final Map<String, List<String>> ARROWS =
      new TreeMap<>(
          Map.ofEntries(
              Map.entry("proto", List.of()),
              Map.entry("schemas", List.of()),
              Map.entry("broker", List.of()),
              Map.entry("testsupport", List.of("broker")),
              Map.entry("engine", List.of("schemas")),
              Map.entry("runtime", List.of("proto", "schemas")),
              Map.entry("access", List.of("proto", "runtime")),
              Map.entry("ingest", List.of("proto", "schemas", "engine", "runtime", "access")),
              Map.entry("processor", List.of("proto", "schemas", "engine", "runtime", "access")),
              Map.entry("ops", List.of("proto", "schemas", "engine", "runtime")),
              Map.entry("query", List.of("proto", "schemas", "runtime", "access", "ops")),
              Map.entry(
                  "standalone",
                  List.of(
                      "proto",
                      "schemas",
                      "engine",
                      "runtime",
                      "access",
                      "broker",
                      "ingest",
                      "processor",
                      "query",
                      "ops"))));

  private static final JavaClasses ALL =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.tocsin");

  private static final DescribedPredicate<JavaClass> ENGINE =
      JavaClass.Predicates.resideInAPackage(ROOT + "engine..");

  @Test
  void modules_useOnlyWhatTheyMay() {
    ARROWS.forEach(
        (module, may) ->
            noClasses()
                .that()
                .resideInAPackage(ROOT + module + "..")
                .should()
                .dependOnClassesThat(
                    JavaClass.Predicates.resideInAPackage("dev.tocsin..")
                        .and(
                            DescribedPredicate.not(
                                JavaClass.Predicates.resideInAnyPackage(packages(module, may)))))
                .as("%s may use only %s of Tocsin".formatted(module, may))
                .check(ALL));
  }

  @Test
  void modules_areAllLookedAt() {
    assertThat(ALL.stream().map(ArrowsTest::module).distinct())
        .containsExactlyInAnyOrderElementsOf(ARROWS.keySet());
  }

  @Test
  void modules_areFlatPackages() {
    assertThat(ALL)
        .filteredOn(each -> !module(each).equals("proto"))
        .allSatisfy(each -> assertThat(each.getPackageName()).isEqualTo(ROOT + module(each)));
  }

  @Test
  void engine_isPureJavaOverTheSchemas() {
    classes()
        .that(ENGINE)
        .should()
        .onlyDependOnClassesThat()
        .resideInAnyPackage(
            ROOT + "engine",
            ROOT + "schemas",
            "java..",
            "com.dynatrace.hash4j..",
            "com.google.re2j..",
            "org.apache.avro..")
        .check(ALL);
  }

  /** DefaultRules reads a file of its own jar, before any fold. */
  @Test
  void engine_readsNoClockNoChanceAndNoFile() {
    noClasses()
        .that(ENGINE)
        .and()
        .doNotBelongToAnyOf(DefaultRules.class)
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Clock.class, Random.class, ThreadLocalRandom.class)
        .orShould()
        .dependOnClassesThat()
        .resideInAnyPackage("java.io..", "java.nio.file..", "java.nio.channels..", "java.net..")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "getenv", String.class)
        .orShould()
        .callMethod(System.class, "getProperty", String.class)
        .orShould()
        .callMethod(Instant.class, "now")
        .orShould()
        .callMethod(Math.class, "random")
        .orShould()
        .callMethod(UUID.class, "randomUUID")
        .check(ALL);
  }

  @Test
  void schemas_knowNothingOfTheirTransport() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + "schemas..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("org.apache.kafka..", "io.grpc..")
        .check(ALL);
  }

  private static String[] packages(String module, List<String> may) {
    return Stream.concat(Stream.of(module), may.stream())
        .map(each -> ROOT + each + "..")
        .toArray(String[]::new);
  }

  private static String module(JavaClass each) {
    String below = each.getPackageName().substring(ROOT.length());
    int dot = below.indexOf('.');
    return dot < 0 ? below : below.substring(0, dot);
  }
}
