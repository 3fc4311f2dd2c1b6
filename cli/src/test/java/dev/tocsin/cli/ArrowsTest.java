package dev.tocsin.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** The command line knows what every other client knows: the public API. */
class ArrowsTest {
  @Test
  void cli_usesOnlyThePublicApi() {
    DescribedPredicate<JavaClass> ours = JavaClass.Predicates.resideInAPackage("dev.tocsin..");
    DescribedPredicate<JavaClass> internal =
        JavaClass.Predicates.resideInAPackage("dev.tocsin.proto.state..");
    classes()
        .that()
        .resideInAPackage("dev.tocsin.cli..")
        .should()
        .onlyDependOnClassesThat(
            DescribedPredicate.not(ours)
                .or(JavaClass.Predicates.resideInAPackage("dev.tocsin.cli.."))
                .or(
                    JavaClass.Predicates.resideInAPackage("dev.tocsin.proto..")
                        .and(DescribedPredicate.not(internal))))
        .check(
            new ClassFileImporter()
                .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
                .importPackages("dev.tocsin.cli"));
  }
}
