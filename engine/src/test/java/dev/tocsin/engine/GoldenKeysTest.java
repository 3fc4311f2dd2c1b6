package dev.tocsin.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.schemas.Alert;
import dev.tocsin.schemas.AlertStatus;
import dev.tocsin.schemas.IncidentType;
import dev.tocsin.schemas.Key128;
import dev.tocsin.schemas.Rules;
import dev.tocsin.schemas.Severity;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/**
 * Keys decide partitions, groups and what counts as seen before; they are on every log there is. So
 * they never change: a difference here is a fault in the code, not in the file. The last 32 bits of
 * a receipt, which recognize nothing, are the one thing that did.
 */
class GoldenKeysTest {
  @Test
  void keys_areThoseOfEveryLogThereIs() throws IOException {
    List<String> lines = new ArrayList<>();
    Stamper byDefault = new Stamper(DefaultRules.read());
    lines.add(line("plain", byDefault, alert(), "", true));
    lines.add(line("resolved", byDefault, resolved(), "", true));
    lines.add(line("id-of-the-edge", byDefault, alert(), "", false));
    lines.add(line("dedup-key", byDefault, alert(), "disk-full:db1", true));
    lines.add(line("dedup-key-unicode", byDefault, alert(), "Größe \uD83D\uDD25", true));
    lines.add(line("no-labels", byDefault, labels(Map.of()), "", true));
    lines.add(line("empty-service", byDefault, labels(Map.of("service", "")), "", true));
    lines.add(line("other-label", byDefault, labels(Map.of("host", "db1")), "", true));
    lines.add(
        line("two-labels", byDefault, labels(Map.of("service", "db", "host", "db1")), "", true));
    lines.add(line("unicode", byDefault, unicode(), "", true));
    Rules rules = DefaultRules.read();
    rules.setVolatileLabels(List.of("host"));
    rules.setGroupBy(List.of("title", "labels.region", "source"));
    rules.setRouteBy(List.of("source"));
    Stamper byOthers = new Stamper(rules);
    lines.add(line("other-rules", byOthers, alert(), "", true));
    lines.add(
        line("volatile-label", byOthers, labels(Map.of("service", "db", "host", "x")), "", true));

    assertThat(lines).isEqualTo(golden());
  }

  private static List<String> golden() throws IOException {
    try (InputStream in = GoldenKeysTest.class.getResourceAsStream("/golden-keys.txt")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#"))
          .toList();
    }
  }

  private static String line(
      String name, Stamper stamper, Alert alert, String dedupKey, boolean ownId) {
    stamper.stamp(alert, dedupKey, ownId);
    return "%s %s %s %016x %s"
        .formatted(
            name,
            hex(alert.getFingerprint()),
            hex(alert.getGroup()),
            alert.getRoute(),
            alert.getReceipt() == null ? "-" : hex(alert.getReceipt()));
  }

  private static Alert alert() {
    return Alert.newBuilder()
        .setWorkspace("default")
        .setSource("prometheus")
        .setAlertId("a-1")
        .setStatus(AlertStatus.FIRING)
        .setFingerprint(new Key128(new byte[16]))
        .setGroup(new Key128(new byte[16]))
        .setRoute(0)
        .setTitle("Disk almost full")
        .setSeverity(Severity.P2)
        .setType(IncidentType.INFRASTRUCTURE)
        .setLabels(new TreeMap<>(Map.of("service", "db")))
        .setFiredAtMs(0)
        .build();
  }

  private static Alert resolved() {
    Alert alert = alert();
    alert.setStatus(AlertStatus.ENDED);
    return alert;
  }

  private static Alert labels(Map<String, String> labels) {
    Alert alert = alert();
    alert.setLabels(labels);
    return alert;
  }

  private static Alert unicode() {
    Alert alert = labels(Map.of("service", "注文", "größe", "ß\u0000"));
    alert.setTitle("Ошибка \uD83D\uDD25");
    alert.setSource("überwachung");
    alert.setWorkspace("équipe");
    return alert;
  }

  private static String hex(Key128 key) {
    return HexFormat.of().formatHex(key.bytes());
  }
}
