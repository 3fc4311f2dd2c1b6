package dev.tocsin.schemas;

import org.apache.avro.util.ClassSecurityValidator;

/**
 * Makes Avro accept the classes generated from {@code tocsin.avdl}. From 1.12.2 on Avro
 * instantiates only classes that the process has declared trusted, generated ones not excepted; the
 * declaration is one for the whole JVM, so this adds this package to whatever is trusted already.
 *
 * <p>Thread-safe.
 */
public final class GeneratedClasses {
  private static final String PACKAGE = GeneratedClasses.class.getPackageName();

  static {
    ClassSecurityValidator.setGlobal(
        ClassSecurityValidator.composite(
            ClassSecurityValidator.getGlobal(), type -> type.getPackageName().equals(PACKAGE)));
  }

  private GeneratedClasses() {}

  /**
   * To be called, in a static initializer, by whatever builds, copies or reads records without a
   * {@link Codec}. Only the first call does anything.
   */
  public static void trust() {
    // the static initializer has done it
  }
}
