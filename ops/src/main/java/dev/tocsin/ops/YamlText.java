package dev.tocsin.ops;

import java.util.Optional;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * From text to YAML nodes, of documents that are what they look like: one document, bounded in
 * depth and number of nodes, no anchors and aliases, by which a small text could become a large
 * one. That is looked at first, event by event, before anything is built.
 */
final class YamlText {
  private static final int NODES_MAX = 20_000;
  private static final int DEPTH_MAX = 8;
  private static final LoadSettings SETTINGS =
      LoadSettings.builder().setAllowNonScalarKeys(true).build(); // they are told as faults

  private YamlText() {}

  /** The document's node; null if it has faults already, or is empty, which is one. */
  static Node compose(String text, Faults faults) {
    try {
      if (!look(text, faults)) {
        return null;
      }
      Optional<Node> root = new Compose(SETTINGS).composeString(text);
      if (root.isEmpty()) {
        faults.add("the document is empty");
      }
      return root.orElse(null);
    } catch (MarkedYamlEngineException e) {
      String context = e.getContext() == null ? "" : e.getContext() + ", ";
      faults.add(e.getProblemMark(), "no YAML: " + context + e.getProblem());
    } catch (YamlEngineException e) {
      faults.add("no YAML: " + e.getMessage());
    }
    return null;
  }

  private static boolean look(String text, Faults faults) {
    int before = faults.found().size();
    int nodes = 0;
    int depth = 0;
    int documents = 0;
    for (Event event : new Parse(SETTINGS).parseString(text)) {
      switch (event.getEventId()) {
        case DocumentStart -> {
          if (++documents == 2) {
            faults.add(event.getStartMark(), "a second document; one file is one document");
          }
        }
        case MappingStart, SequenceStart -> {
          if (++depth > DEPTH_MAX) {
            faults.add(event.getStartMark(), "nested deeper than " + DEPTH_MAX + " levels");
            return false;
          }
        }
        case MappingEnd, SequenceEnd -> depth--;
        default -> {}
      }
      if (event instanceof NodeEvent node) {
        if (++nodes > NODES_MAX) {
          faults.add(event.getStartMark(), "more than " + NODES_MAX + " values");
          return false;
        }
        if (node instanceof AliasEvent || node.getAnchor().isPresent()) {
          faults.add(event.getStartMark(), "anchors and aliases (& and *) are not taken");
        }
      }
    }
    return faults.found().size() == before;
  }
}
