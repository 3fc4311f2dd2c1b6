package dev.tocsin.ops;

import dev.tocsin.schemas.Severity;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * Reads values of the kinds that rules are made of out of YAML nodes. What is of another kind is a
 * fault, and empty. Not thread-safe.
 */
final class NodeReader {
  private static final Pattern DURATION = Pattern.compile("(\\d{1,12})(ms|s|m|h|d)");
  private static final Pattern WHOLE_NUMBER = Pattern.compile("[-+]?\\d+");
  private static final String FLAG = "true or false";
  private static final Map<String, Long> UNITS_MS =
      Map.of("ms", 1L, "s", 1000L, "m", 60_000L, "h", 3_600_000L, "d", 86_400_000L);

  private final Faults faults;

  NodeReader(Faults faults) {
    this.faults = faults;
  }

  /** A mapping's values by their keys, of which only {@code known} ones may be there, once each. */
  Map<String, Node> mapping(Node node, String what, Collection<String> known) {
    Map<String, Node> values = new LinkedHashMap<>();
    for (Map.Entry<ScalarNode, Node> entry : entries(node, what)) {
      String key = entry.getKey().getValue();
      if (!known.contains(key)) {
        faults.add(entry.getKey(), "%s: no such key%s".formatted(key, hint(key, known)));
      } else if (values.putIfAbsent(key, entry.getValue()) != null) {
        faults.add(entry.getKey(), key + ": stands here twice");
      }
    }
    return values;
  }

  /** A mapping's entries. */
  List<Map.Entry<ScalarNode, Node>> entries(Node node, String what) {
    List<Map.Entry<ScalarNode, Node>> entries = new ArrayList<>();
    if (node instanceof MappingNode mapping) {
      for (NodeTuple tuple : mapping.getValue()) {
        if (tuple.getKeyNode() instanceof ScalarNode key) {
          entries.add(Map.entry(key, tuple.getValueNode()));
        } else {
          faults.add(tuple.getKeyNode(), what + ": a key must be a word");
        }
      }
    } else {
      wrong(node, what, "a mapping (key: value)");
    }
    return entries;
  }

  /** A list's items. */
  List<Node> list(Node node, String what) {
    if (node instanceof SequenceNode list) {
      return list.getValue();
    }
    wrong(node, what, "a list");
    return List.of();
  }

  /** A list of texts; empty if it is none, or not all of its items are. */
  Optional<List<String>> texts(Node node, String what) {
    if (!(node instanceof SequenceNode)) {
      wrong(node, what, "a list");
      return Optional.empty();
    }
    List<Node> items = list(node, what);
    List<String> texts = items.stream().flatMap(item -> text(item, what).stream()).toList();
    return texts.size() == items.size() ? Optional.of(texts) : Optional.empty();
  }

  Optional<String> text(Node node, String what) {
    return scalar(node, what, Tag.STR, "text; a number, true or null needs quotes to be one");
  }

  Optional<Boolean> flag(Node node, String what) {
    Optional<String> word = scalar(node, what, Tag.BOOL, FLAG);
    if (word.isPresent() && !word.get().equals("true") && !word.get().equals("false")) {
      wrong(node, what, FLAG); // a tag may say that anything is one
      return Optional.empty();
    }
    return word.map(Boolean::valueOf);
  }

  Optional<Integer> number(Node node, String what) {
    Optional<String> digits = scalar(node, what, Tag.INT, "a whole number");
    if (digits.isPresent() && !WHOLE_NUMBER.matcher(digits.get()).matches()) {
      wrong(node, what, "a whole number");
      return Optional.empty();
    }
    try {
      return digits.map(Integer::valueOf);
    } catch (NumberFormatException e) {
      faults.add(node, what + ": is too large: " + digits.get());
      return Optional.empty();
    }
  }

  /** A duration, in milliseconds. */
  Optional<Long> duration(Node node, String what) {
    String text = node instanceof ScalarNode scalar ? scalar.getValue() : "";
    Matcher matcher = DURATION.matcher(text);
    if (!matcher.matches()) {
      wrong(node, what, "a duration: a number and one of ms, s, m, h, d, such as 30s or 24h");
      return Optional.empty();
    }
    try {
      return Optional.of(
          Math.multiplyExact(
              Long.parseLong(matcher.group(1)), (long) UNITS_MS.get(matcher.group(2))));
    } catch (ArithmeticException e) {
      faults.add(node, what + ": is too long: " + text);
      return Optional.empty();
    }
  }

  Optional<Severity> severity(Node node, String what) {
    Optional<Severity> severity =
        Stream.of(Severity.values())
            .filter(each -> each != Severity.UNSPECIFIED)
            .filter(each -> node instanceof ScalarNode s && s.getValue().equals(each.name()))
            .findAny();
    if (severity.isEmpty()) {
      wrong(node, what, "one of P0, P1, P2, P3, P4");
    }
    return severity;
  }

  void wrong(Node node, String what, String wanted) {
    String found =
        switch (node.getNodeType()) {
          case SCALAR -> "'" + shortened(((ScalarNode) node).getValue()) + "'";
          case SEQUENCE -> "a list";
          case MAPPING -> "a mapping";
          default -> "something else";
        };
    faults.add(node, "%s: must be %s, not %s".formatted(what, wanted, found));
  }

  private Optional<String> scalar(Node node, String what, Tag tag, String wanted) {
    if (node instanceof ScalarNode scalar && scalar.getTag().equals(tag)) {
      return Optional.of(scalar.getValue());
    }
    wrong(node, what, wanted);
    return Optional.empty();
  }

  static String shortened(String text) {
    return text.length() <= 80 ? text : text.substring(0, 80) + "...";
  }

  /** The known name that is spelled most alike, if any is. */
  private static String hint(String name, Collection<String> known) {
    Map<Integer, String> byDistance = new HashMap<>();
    known.stream().sorted().forEach(each -> byDistance.putIfAbsent(distance(name, each), each));
    for (int distance = 1; distance <= Math.max(2, name.length() / 3); distance++) {
      if (byDistance.containsKey(distance)) {
        return "; is it " + byDistance.get(distance) + "?";
      }
    }
    return "; there are " + String.join(", ", known);
  }

  /** Levenshtein's: how many letters have to be put in, taken out or exchanged. */
  private static int distance(String one, String other) {
    if (Math.abs(one.length() - other.length()) > other.length()) {
      return Integer.MAX_VALUE;
    }
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int corner = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int changed = corner + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        corner = row[j];
        row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[other.length()];
  }
}
