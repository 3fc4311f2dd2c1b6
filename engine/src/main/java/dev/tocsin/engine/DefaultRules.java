package dev.tocsin.engine;

import dev.tocsin.schemas.GeneratedClasses;
import dev.tocsin.schemas.Rules;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificDatumReader;

/**
 * Version 1 of the rules, as a log begins with them: the file {@code default-rules.json} beside
 * this class.
 */
public final class DefaultRules {
  static {
    GeneratedClasses.trust();
  }

  private DefaultRules() {}

  /** A fresh copy. */
  public static Rules read() {
    try (InputStream in = DefaultRules.class.getResourceAsStream("default-rules.json")) {
      var decoder = DecoderFactory.get().jsonDecoder(Rules.getClassSchema(), in);
      return new SpecificDatumReader<>(Rules.class).read(null, decoder);
    } catch (IOException e) {
      throw new UncheckedIOException("bundled default-rules.json", e);
    }
  }
}
