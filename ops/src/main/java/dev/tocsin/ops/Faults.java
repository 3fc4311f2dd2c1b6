package dev.tocsin.ops;

import dev.tocsin.ops.RulesDocument.Fault;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.nodes.Node;

/** The faults of a document as they are found. Not thread-safe. */
final class Faults {
  private final List<Fault> found = new ArrayList<>();

  /** Of the whole. */
  void add(String message) {
    found.add(new Fault(1, 1, message));
  }

  void add(Node at, String message) {
    add(at.getStartMark(), message);
  }

  void add(Optional<Mark> at, String message) {
    found.add(
        new Fault(
            at.map(Mark::getLine).orElse(0) + 1, at.map(Mark::getColumn).orElse(0) + 1, message));
  }

  List<Fault> found() {
    return found;
  }
}
