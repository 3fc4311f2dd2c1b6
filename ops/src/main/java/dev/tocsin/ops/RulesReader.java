package dev.tocsin.ops;

import dev.tocsin.engine.MatcherText;
import dev.tocsin.engine.RulesCheck;
import dev.tocsin.schemas.FlappingRule;
import dev.tocsin.schemas.Inhibition;
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
    NUMBER,
    FLAPPING
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

  private static final List<String> PARTS = List.of("defaults", "rules", "inhibitions");
  private static final List<String> OF_INHIBITION = List.of("name", "source", "target", "equal");

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
    SHARED.put("flapping", new Key("flapping", Kind.FLAPPING));
    FOR_ALL.putAll(SHARED);
    FOR_ALL.put("receipt_window", new Key("receiptWindowMs", Kind.TIME));
    FOR_ALL.put("receipts_max", new Key("receiptsMax", Kind.NUMBER));
    FOR_ALL.put("outcome_window", new Key("outcomeWindowMs", Kind.TIME));
    FOR_ALL.put("outcomes_max", new Key("outcomesMax", Kind.NUMBER));
    OF_RULE.addAll(List.of("name", "match"));
    OF_RULE.addAll(SHARED.keySet());
    OF_RULE.addAll(List.of("fingerprint_by", "severity", "suppress"));
  }

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
    Map<String, Node> parts = nodes.mapping(root, "the document", PARTS);
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
    Node inhibitions = parts.get("inhibitions");
    if (inhibitions != null) {
      inhibitions(inhibitions);
    }
  }

  private void inhibitions(Node list) {
    places.put("inhibitions", new Place(list, "inhibitions"));
    List<Inhibition> all = new ArrayList<>();
    int before = faults.found().size();
    for (Node each : nodes.list(list, "inhibitions")) {
      inhibition("inhibitions[" + all.size() + "]", each).ifPresent(all::add);
    }
    if (faults.found().size() == before) { // else what is missing would be told twice
      rules.setInhibitions(all);
    }
  }

  private Optional<Inhibition> inhibition(String path, Node node) {
    places.put(path, new Place(node, "inhibition"));
    int before = faults.found().size();
    Map<String, Node> keys = nodes.mapping(node, "inhibition", OF_INHIBITION);
    if (faults.found().size() > before) {
      return Optional.empty();
    }
    for (String key : OF_INHIBITION) {
      if (!keys.containsKey(key)) {
        faults.add(node, "inhibition: needs " + key);
        return Optional.empty();
      }
    }
    places.put(path + ".name", new Place(keys.get("name"), "name"));
    places.put(path + ".equal", new Place(keys.get("equal"), "equal"));
    Optional<String> name = nodes.text(keys.get("name"), "name");
    List<Matcher> source = matchers(path + ".source", "source", keys.get("source"));
    List<Matcher> target = matchers(path + ".target", "target", keys.get("target"));
    Optional<List<String>> equal = fields(path + ".equal", "equal", keys.get("equal"));
    return name.isPresent() && equal.isPresent()
        ? Optional.of(new Inhibition(name.get(), source, target, equal.get()))
        : Optional.empty();
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
        case "match" -> rule.setMatchers(matchers(path + ".matchers", key, value));
        case "fingerprint_by" ->
            set(rule, path + ".", key, new Key("fingerprintBy", Kind.FIELDS), value);
        case "severity" -> severity(rule, path, value);
        case "suppress" -> nodes.flag(value, key).ifPresent(rule::setSuppress);
        default -> set(rule, path + ".", key, SHARED.get(key), value);
      }
    }
    return rule;
  }

  private List<Matcher> matchers(String path, String key, Node node) {
    List<Matcher> matchers = new ArrayList<>();
    places.put(path, new Place(node, key));
    for (Node each : nodes.list(node, key)) {
      Optional<Matcher> matcher = nodes.text(each, key).flatMap(text -> matcher(each, key, text));
      if (matcher.isPresent()) {
        places.put(path + "[" + matchers.size() + "]", new Place(each, key));
        matchers.add(matcher.get());
      }
    }
    // What could not be read would have matched something: nothing is said of the rules behind.
    if (matchers.isEmpty() && !(node instanceof SequenceNode l && l.getValue().isEmpty())) {
      matchers.add(new Matcher("title", MatchOperator.EQUAL, ""));
    }
    return matchers;
  }

  private Optional<Matcher> matcher(Node node, String key, String text) {
    try {
      return Optional.of(MatcherText.read(text));
    } catch (IllegalArgumentException e) {
      faults.add(node, key + ": " + e.getMessage());
      return Optional.empty();
    }
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
          case FLAPPING -> flapping(path + known.field(), node);
        };
    int field = record.getSchema().getField(known.field()).pos();
    value.ifPresent(found -> record.put(field, found));
  }

  private Optional<FlappingRule> flapping(String path, Node node) {
    int before = faults.found().size();
    Map<String, Node> parts = nodes.mapping(node, "flapping", List.of("changes", "window"));
    if (faults.found().size() > before) {
      return Optional.empty();
    }
    if (parts.size() < 2) {
      faults.add(node, "flapping: needs both changes (a number) and window (a duration)");
      return Optional.empty();
    }
    places.put(path + ".changes", new Place(parts.get("changes"), "changes"));
    places.put(path + ".windowMs", new Place(parts.get("window"), "window"));
    Optional<Integer> changes = nodes.number(parts.get("changes"), "changes");
    Optional<Long> windowMs = nodes.duration(parts.get("window"), "window");
    return changes.isPresent() && windowMs.isPresent()
        ? Optional.of(new FlappingRule(changes.get(), windowMs.get()))
        : Optional.empty();
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
