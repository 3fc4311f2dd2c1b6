package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tocsin.engine.DefaultRules;
import dev.tocsin.ingest.EdgeFixture.Logged;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.schemas.MatchOperator;
import dev.tocsin.schemas.Matcher;
import dev.tocsin.schemas.Rule;
import dev.tocsin.schemas.Rules;
import dev.tocsin.testsupport.SharedBroker;
import io.grpc.Status;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** An edge that follows the rules topic of a real broker. */
final class RulesFollowerIT {
  private static final Duration SOON = Duration.ofSeconds(20);

  private final String bootstrap = SharedBroker.bootstrap();
  private EdgeFixture edge;

  @AfterEach
  void close() {
    edge.close();
  }

  @Test
  void publishedVersion_isStampedUnder_onlyOnceItIsActive() throws Exception {
    edge = EdgeFixture.serving(bootstrap, Map.of());
    assertThat(edge.gauge("tocsin.edge.rules.version")).isEqualTo(1);
    String prefix = edge.topics.prefix();
    EdgeFixture.publish(bootstrap, prefix, rules(2));
    EdgeFixture.publish(bootstrap, prefix, DefaultRules.read()); // a first start, done twice
    assertThat(stampedUnder("before")).isEqualTo(1);
    EdgeFixture.nameActive(bootstrap, prefix, 2);
    awaitVersion(2);
    assertThat(stampedUnder("after")).isEqualTo(2);
    assertThat(edge.logged("after").orElseThrow().alert().getRule()).isEqualTo("test");
  }

  @Test
  void openStream_goesOverToTheNewVersion_andNoEntryMixesTwo() throws Exception {
    edge = EdgeFixture.serving(bootstrap, Map.of());
    Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
    var requests = edge.streams().streamAlerts(acks);
    int sent = 0;
    EdgeFixture.publish(bootstrap, edge.topics.prefix(), rules(2));
    for (; sent < 2000; sent++) {
      requests.onNext(Alerts.of("a-" + sent, sent % 10));
    }
    EdgeFixture.nameActive(bootstrap, edge.topics.prefix(), 2);
    while (edge.gauge("tocsin.edge.rules.version") < 2) {
      requests.onNext(Alerts.of("a-" + sent, sent++ % 10));
      if (sent % 100 == 0) {
        int upTo = sent - 1000; // no further ahead than that
        await().atMost(SOON).until(() -> acks.received.size() >= upTo);
      }
    }
    int from = sent;
    for (; sent < from + 500; sent++) {
      requests.onNext(Alerts.of("a-" + sent, sent % 10));
    }
    requests.onCompleted();
    assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
    assertThat(acks.received)
        .hasSize(sent)
        .allSatisfy(ack -> assertThat(ack.getStatus()).isEqualTo(AlertAck.Status.ACCEPTED));
    Map<String, Logged> log = new HashMap<>();
    for (Logged each : edge.log()) {
      log.put(each.alert().getAlertId(), each);
      assertThat(each.alert().getRule())
          .as("each is stamped under the version that its entry names")
          .isEqualTo(each.rulesVersion() == 1 ? "" : "test");
    }
    assertThat(log).hasSize(sent);
    assertThat(log.get("a-0").rulesVersion()).isEqualTo(1);
    assertThat(log.get("a-" + from).rulesVersion()).isEqualTo(2);
  }

  @Test
  void edgeThatWasAway_servesUnderTheVersionThatIsActiveByThen() throws Exception {
    String prefix = "t" + UUID.randomUUID();
    EdgeFixture.createLog(bootstrap, prefix, Map.of("max.message.bytes", "6291456"));
    EdgeFixture.publish(bootstrap, prefix, rules(2));
    EdgeFixture.nameActive(bootstrap, prefix, 2);
    EdgeFixture.publish(bootstrap, prefix, rules(3)); // half-done
    edge = EdgeFixture.withoutLog(bootstrap, prefix, Map.of());
    edge.awaitServing();
    assertThat(stampedUnder("first")).isEqualTo(2);
  }

  @Test
  void alert_isUnavailable_whileThereAreNoRules() throws Exception {
    String prefix = "t" + UUID.randomUUID();
    EdgeFixture.createTopics(bootstrap, prefix, Map.of("max.message.bytes", "6291456"));
    edge = EdgeFixture.withoutLog(bootstrap, prefix, Map.of());
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(edge.health.problems())
                    .containsOnlyKeys("rules")
                    .containsEntry("rules", "there are none yet in " + edge.topics.rules()));
    Acks<AlertMessage, AlertAck> acks = new Acks<>(true);
    var requests = edge.streams().streamAlerts(acks);
    requests.onNext(Alerts.of("early", 1));
    requests.onCompleted();
    assertThat(acks.awaitEnd()).isEqualTo(Status.OK);
    assertThat(acks.received.get(0).getStatus()).isEqualTo(AlertAck.Status.UNAVAILABLE);
    assertThat(acks.received.get(0).getMessage()).isEqualTo("the rules are not read yet");
    assertThat(acks.received.get(0).hasRetryAfter()).isTrue();
    assertThat(edge.count("tocsin.edge.refusals", "reason", "RULES_UNKNOWN")).isEqualTo(1);
    EdgeFixture.publish(bootstrap, prefix, DefaultRules.read());
    edge.awaitServing();
    assertThat(stampedUnder("late")).isEqualTo(1);
  }

  @Test
  void versionThatIsNotUnderstood_leavesTheLastOne_andIsReported() throws Exception {
    edge = EdgeFixture.serving(bootstrap, Map.of());
    Rules newer = rules(2);
    newer
        .getRules()
        .get(0)
        .setMatchers(List.of(new Matcher("title", MatchOperator.OTHER, "newer than this edge")));
    EdgeFixture.publish(bootstrap, edge.topics.prefix(), newer);
    EdgeFixture.nameActive(bootstrap, edge.topics.prefix(), 2);
    await()
        .atMost(SOON)
        .untilAsserted(
            () ->
                assertThat(edge.health.problems().get("rules"))
                    .startsWith("version 2 is not understood: rules[0].matchers[0].operator"));
    assertThat(stampedUnder("still")).isEqualTo(1);
    EdgeFixture.publish(bootstrap, edge.topics.prefix(), rules(3));
    EdgeFixture.nameActive(bootstrap, edge.topics.prefix(), 3);
    awaitVersion(3);
    edge.awaitServing();
  }

  private void awaitVersion(int version) {
    await().atMost(SOON).until(() -> edge.gauge("tocsin.edge.rules.version") == version);
  }

  private int stampedUnder(String alertId) {
    edge.calls().submitAlert(Alerts.alert(alertId).build());
    return edge.logged(alertId).orElseThrow().rulesVersion();
  }

  private static Rules rules(int version) {
    Rules rules = DefaultRules.read();
    rules.setVersion(version);
    rules.setRules(List.of(Rule.newBuilder().setName("test").build()));
    return rules;
  }
}
