package dev.tocsin.ops;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.engine.RulesCheck;
import dev.tocsin.schemas.Rules;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Rules as people write them: a YAML document, described in {@code docs/RULES.md}. Reading finds
 * every fault at once, each with its place. Immutable.
 */
public final class RulesDocument {
  /** Of the document, in UTF-8. */
  static final int BYTES_MAX = 256 << 10;

  private static final int FAULTS_MAX = 100;

  /**
   * One fault.
   *
   * @param line from 1
   * @param column from 1, in characters
   * @param message what is wrong, beginning with the key
   */
  public record Fault(int line, int column, String message) {
    /** {@code LINE:COLUMN: MESSAGE}. */
    @Override
    public String toString() {
      return line + ":" + column + ": " + message;
    }
  }

  private final Rules rules;
  private final List<Fault> faults;

  private RulesDocument(Rules rules, List<Fault> faults) {
    this.rules = rules;
    this.faults = List.copyOf(faults);
  }

  /** Reads and checks a document. Never throws for what is wrong with it. */
  public static RulesDocument parse(String text) {
    Faults faults = new Faults();
    Rules rules = DefaultRules.read();
    rules.setText(text);
    int bytes = text.getBytes(StandardCharsets.UTF_8).length;
    if (bytes > BYTES_MAX) {
      faults.add("the document has %d bytes; at most %d are taken".formatted(bytes, BYTES_MAX));
    } else {
      Node root = YamlText.compose(text, faults);
      if (root != null) {
        RulesReader reader = new RulesReader(rules, faults);
        reader.read(root);
        RulesCheck.faults(rules).forEach(reader::place);
      }
    }
    return new RulesDocument(rules, ordered(faults.found()));
  }

  /** Every fault, in the order of the document; after a hundred only how many more there are. */
  public List<Fault> faults() {
    return faults;
  }

  /**
   * The rules that it makes, as that version.
   *
   * @throws IllegalStateException if there are faults
   */
  public Rules rules(int version) {
    if (!faults.isEmpty()) {
      throw new IllegalStateException("the document has faults: " + faults);
    }
    return Rules.newBuilder(rules).setVersion(version).build();
  }

  private static List<Fault> ordered(List<Fault> found) {
    List<Fault> all = new ArrayList<>(found.stream().distinct().toList());
    all.sort(Comparator.comparingInt(Fault::line).thenComparingInt(Fault::column));
    if (all.size() <= FAULTS_MAX) {
      return all;
    }
    List<Fault> some = new ArrayList<>(all.subList(0, FAULTS_MAX));
    Fault next = all.get(FAULTS_MAX);
    some.add(
        new Fault(
            next.line(),
            next.column(),
            "this and %d more faults follow".formatted(all.size() - FAULTS_MAX - 1)));
    return some;
  }
}
