package dev.tocsin.ops;

import dev.tocsin.engine.RulesCheck;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.avro.specific.SpecificRecordBase;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Fills rules from a document's nodes and remembers where each part stands, so that what the engine
 * finds wrong with the rules can be told at its place. Not thread-safe.
 */
final class RulesReader {
  private enum Kind {
    FIELDS,
    TEXTS,
    SEVERITY,
    TIME,
    NUMBER
  }

  /** A key of the document, the record's field that it sets, and what it takes. */
  private record Key(String field, Kind kind) {}

  /** Where a part of the rules stands, and under which key. */
  private record Place(Node node, String key) {}

  /** What may stand both for all and in a rule. */
  private static final Map<String, Key> SHARED = new LinkedHashMap<>();

  /** What may stand for all alone: it is the partition's, not an incident's. */
  private static final Map<String, Key> FOR_ALL = new LinkedHashMap<>();

  private static final Set<String> OF_RULE = new LinkedHashSet<>();

  static {
    SHARED.put("group_by", new Key("groupBy", Kind.FIELDS));
    SHARED.put("route_by", new Key("routeBy", Kind.FIELDS));
    SHARED.put("volatile_labels", new Key("volatileLabels", Kind.TEXTS));
    SHARED.put("default_severity", new Key("defaultSeverity", Kind.SEVERITY));
    SHARED.put("reopen_window", new Key("reopenWindowMs", Kind.TIME));
    SHARED.put("auto_resolve_after", new Key("autoResolveAfterMs", Kind.TIME));
    SHARED.put("close_after", new Key("closeAfterMs", Kind.TIME));
    SHARED.put("retention", new Key("retentionMs", Kind.TIME));
    SHARED.put("occurrence_interval", new Key("occurrenceIntervalMs", Kind.TIME));
    SHARED.put("timeline_max", new Key("timelineMax", Kind.NUMBER));
    SHARED.put("alerts_max", new Key("alertsMax", Kind.NUMBER));
    SHARED.put("notes_max", new Key("notesMax", Kind.NUMBER));
    FOR_ALL.putAll(SHARED);
    FOR_ALL.put("receipt_window", new Key("receiptWindowMs", Kind.TIME));
    FOR_ALL.put("receipts_max", new Key("receiptsMax", Kind.NUMBER));
    FOR_ALL.put("outcome_window", new Key("outcomeWindowMs", Kind.TIME));
    FOR_ALL.put("outcomes_max", new Key("outcomesMax", Kind.NUMBER));
    OF_RULE.addAll(List.of("name", "match"));
    OF_RULE.addAll(SHARED.keySet());
    OF_RULE.addAll(List.of("fingerprint_by", "severity", "suppress"));
  }

  private static final Pattern MATCHER =
      Pattern.compile("\\s*([^=!~\\s]+)\\s*(=~|!~|!=|=)(.*)", Pattern.DOTALL);

  private final Rules rules;
  private final Faults faults;
  private final NodeReader nodes;
  private final Map<String, Place> places = new HashMap<>();

  RulesReader(Rules rules, Faults faults) {
    this.rules = rules;
    this.faults = faults;
    this.nodes = new NodeReader(faults);
  }

  void read(Node root) {
    Map<String, Node> parts = nodes.mapping(root, "the document", List.of("defaults", "rules"));
    Node forAll = parts.get("defaults");
    if (forAll != null) {
      Map<String, Node> keys = nodes.mapping(forAll, "defaults", FOR_ALL.keySet());
      keys.forEach((key, node) -> set(rules, "", key, FOR_ALL.get(key), node));
      if (keys.containsKey("group_by") && !keys.containsKey("route_by")) {
        rules.setRouteBy(rules.getGroupBy());
        // What is wrong with these is wrong with those, and told once.
        Map.copyOf(places).forEach((path, at) -> places.put(path.replace("group", "route"), at));
      }
    }
    Node list = parts.get("rules");
    if (list != null) {
      places.put("rules", new Place(list, "rules"));
      List<Rule> all = new ArrayList<>();
      for (Node each : nodes.list(list, "rules")) {
        all.add(rule("rules[" + all.size() + "]", each));
      }
      rules.setRules(all);
    }
  }

  /** A fault that the engine found, told where it stands. */
  void place(RulesCheck.Fault fault) {
    String path = fault.path();
    while (!places.containsKey(path) && !path.isEmpty()) {
      path = path.substring(0, Math.max(0, Math.max(path.lastIndexOf('.'), path.lastIndexOf('['))));
    }
    Place place = places.get(path);
    if (place == null) {
      faults.add(fault.toString());
    } else {
      faults.add(place.node(), place.key() + ": " + fault.what());
    }
  }

  private Rule rule(String path, Node node) {
    Rule rule = Rule.newBuilder().setName("unnamed" + path.replaceAll("\\D", "-")).build();
    places.put(path, new Place(node, "rule"));
    int before = faults.found().size();
    Map<String, Node> keys = nodes.mapping(node, "rule", OF_RULE);
    if (!keys.containsKey("name") && faults.found().size() == before) {
      faults.add(node, "rule: needs a name");
    }
    for (Map.Entry<String, Node> entry : keys.entrySet()) {
      String key = entry.getKey();
      Node value = entry.getValue();
      switch (key) {
        case "name" -> {
          places.put(path + ".name", new Place(value, key));
          nodes.text(value, key).ifPresent(rule::setName);
        }
        case "match" -> rule.setMatchers(matchers(path, value));
        case "fingerprint_by" ->
            set(rule, path + ".", key, new Key("fingerprintBy", Kind.FIELDS), value);
        case "severity" -> severity(rule, path, value);
        case "suppress" -> nodes.flag(value, key).ifPresent(rule::setSuppress);
        default -> set(rule, path + ".", key, SHARED.get(key), value);
      }
    }
    return rule;
  }

  private List<Matcher> matchers(String path, Node node) {
    List<Matcher> matchers = new ArrayList<>();
    places.put(path + ".matchers", new Place(node, "match"));
    for (Node each : nodes.list(node, "match")) {
      Optional<Matcher> matcher = nodes.text(each, "match").flatMap(text -> matcher(each, text));
      if (matcher.isPresent()) {
        places.put(path + ".matchers[" + matchers.size() + "]", new Place(each, "match"));
        matchers.add(matcher.get());
      }
    }
    // What could not be read would have matched something: nothing is said of the rules behind.
    if (matchers.isEmpty() && !(node instanceof SequenceNode l && l.getValue().isEmpty())) {
      matchers.add(new Matcher("title", MatchOperator.EQUAL, ""));
    }
    return matchers;
  }

  private Optional<Matcher> matcher(Node node, String text) {
    java.util.regex.Matcher parts = MATCHER.matcher(text);
    if (!parts.matches()) {
      nodes.wrong(node, "match", "FIELD OPERATOR VALUE, the operator one of =, !=, =~, !~");
      return Optional.empty();
    }
    String value = parts.group(3).strip();
    if (value.startsWith("\"")) {
      if (value.length() < 2 || !value.endsWith("\"")) {
        faults.add(node, "match: the value has no closing quote");
        return Optional.empty();
      }
      value = value.substring(1, value.length() - 1);
    }
    MatchOperator operator =
        switch (parts.group(2)) {
          case "=" -> MatchOperator.EQUAL;
          case "!=" -> MatchOperator.NOT_EQUAL;
          case "=~" -> MatchOperator.MATCHES;
          default -> MatchOperator.NOT_MATCHES;
        };
    return Optional.of(new Matcher(parts.group(1), operator, value));
  }

  private void severity(Rule rule, String path, Node node) {
    int before = faults.found().size();
    Map<String, Node> parts = nodes.mapping(node, "severity", List.of("from", "map"));
    if (faults.found().size() > before) {
      return;
    }
    places.put(path + ".severityFrom", new Place(node, "severity"));
    places.put(path + ".severities", new Place(node, "severity"));
    Node from = parts.get("from");
    Node map = parts.get("map");
    if (from == null || map == null) {
      faults.add(node, "severity: needs both from (a field) and map (its values to P0 to P4)");
      return;
    }
    places.put(path + ".severityFrom", new Place(from, "from"));
    places.put(path + ".severities", new Place(map, "map"));
    Map<String, Severity> severities = new LinkedHashMap<>();
    for (Map.Entry<ScalarNode, Node> entry : nodes.entries(map, "map")) {
      String value = entry.getKey().getValue();
      Optional<Severity> severity = nodes.severity(entry.getValue(), value);
      if (severity.isPresent() && severities.put(value, severity.get()) != null) {
        faults.add(entry.getKey(), value + ": stands here twice");
      }
    }
    Optional<String> field = nodes.text(from, "from");
    if (nodes.entries(map, "map").isEmpty()) {
      faults.add(map, "map: must name at least one value");
    } else if (field.isPresent() && !severities.isEmpty()) {
      rule.setSeverityFrom(field.get());
      rule.setSeverities(severities);
    }
  }

  private void set(SpecificRecordBase record, String path, String key, Key known, Node node) {
    places.put(path + known.field(), new Place(node, key));
    Optional<?> value =
        switch (known.kind()) {
          case FIELDS -> fields(path + known.field(), key, node);
          case TEXTS -> nodes.texts(node, key);
          case SEVERITY -> nodes.severity(node, key);
          case TIME -> nodes.duration(node, key);
          case NUMBER -> nodes.number(node, key);
        };
    int field = record.getSchema().getField(known.field()).pos();
    value.ifPresent(found -> record.put(field, found));
  }

  private Optional<List<String>> fields(String path, String key, Node node) {
    Optional<List<String>> names = nodes.texts(node, key);
    if (names.isPresent() && names.get().isEmpty()) {
      faults.add(node, key + ": must name at least one field");
      return Optional.empty();
    }
    if (node instanceof SequenceNode list && names.isPresent()) {
      for (int i = 0; i < list.getValue().size(); i++) {
        places.put(path + "[" + i + "]", new Place(list.getValue().get(i), key));
      }
    }
    return names;
  }
}
