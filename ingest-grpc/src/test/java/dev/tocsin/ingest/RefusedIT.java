package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.tocsin.proto.alerts.AlertAck;
import dev.tocsin.proto.alerts.AlertBatch;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.acl.AccessControlEntry;
import org.apache.kafka.common.acl.AclBinding;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.acl.AclPermissionType;
import org.apache.kafka.common.resource.PatternType;
import org.apache.kafka.common.resource.ResourcePattern;
import org.apache.kafka.common.resource.ResourceType;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A log that takes nothing until an operator acts: deleted, or closed to this edge. */
@Timeout(180)
final class RefusedIT {
  /** Of several thousand that callers try, so many go to Kafka, until it is clear that none may. */
  private static final int TRIES_MAX = 300;

  private static final int BATCHES = 100;
  private static final int BATCH = 50;

  @TempDir static Path folder;
  private static Brokers brokers;
  private static Admin admin;

  @BeforeAll
  static void open() throws Exception {
    Map<String, String> settings =
        Map.of(
            "authorizer.class.name",
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found",
            "true",
            "auto.create.topics.enable", // as Kafka has it by default
            "true",
            "offsets.topic.replication.factor",
            "1");
    brokers = Brokers.start(folder, 1, settings);
    admin = Admin.create(Map.of("bootstrap.servers", brokers.bootstrap()));
  }

  @AfterAll
  static void close() throws Exception {
    admin.close();
    brokers.close();
  }

  @Test
  void logThatMayNotBeWritten_isSaid_andWorksOnceItMay() throws Exception {
    try (EdgeFixture edge = serving()) {
      String log = edge.topics.log();
      admin
          .createAcls(
              List.of(
                  acl(log, AclOperation.WRITE, AclPermissionType.DENY),
                  acl(log, AclOperation.ALL, AclPermissionType.ALLOW)))
          .all()
          .get();
      awaitRefusal(edge);
      int before = DyingProducer.SENT.get();
      assertNoneAccepted(hammer(edge));
      awaitProblem(edge, "this edge may not write to " + log + " (ACL)");
      assertAllRefused(hammer(edge));
      assertThat(DyingProducer.SENT.get() - before).isLessThan(TRIES_MAX);
      assertRefused(edge);

      admin
          .deleteAcls(List.of(acl(log, AclOperation.WRITE, AclPermissionType.DENY).toFilter()))
          .all()
          .get();
      assertServesAgain(edge);
    }
  }

  @Test
  void logThatIsDeleted_isSaid_andNotMadeByTheEdge_andWorksOnceItIsThere() throws Exception {
    try (EdgeFixture edge = serving()) {
      String log = edge.topics.log();
      admin.deleteTopics(List.of(log)).all().get();
      int before = DyingProducer.SENT.get();
      awaitProblem(edge, "the topic " + log + " is gone");
      assertAllRefused(hammer(edge));
      assertThat(DyingProducer.SENT.get() - before).isZero();
      assertRefused(edge);
      assertThat(producers()).as("none, which would ask for the topic and so make it").isZero();
      assertThat(admin.listTopics().names().get()).doesNotContain(log);

      NewTopic again = new NewTopic(log, EdgeFixture.PARTITIONS, (short) 1);
      admin
          .createTopics(List.of(again.configs(Map.of("max.message.bytes", "6291456"))))
          .all()
          .get();
      assertServesAgain(edge);
    }
  }

  private static EdgeFixture serving() throws Exception {
    return EdgeFixture.serving(
        brokers.bootstrap(), Map.of("kafka.interceptor.classes", DyingProducer.class.getName()));
  }

  /** Callers that know nothing of waiting. What becomes of all their alerts. */
  private static List<AlertAck> hammer(EdgeFixture edge) {
    List<AlertAck> acks = new ArrayList<>();
    for (int batch = 0; batch < BATCHES; batch++) {
      AlertBatch.Builder alerts = AlertBatch.newBuilder();
      for (int i = 0; i < BATCH; i++) {
        alerts.addAlerts(Alerts.of("refused-" + batch + "-" + i, i));
      }
      acks.addAll(edge.calls().submitAlerts(alerts.build()).getAcksList());
    }
    return acks;
  }

  /** Brokers learn of it a moment after it was said. */
  private static void awaitRefusal(EdgeFixture edge) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () ->
                catchThrowableOfType(
                        StatusRuntimeException.class,
                        () -> edge.calls().submitAlert(Alerts.alert("first").build()))
                    != null);
  }

  private static void assertNoneAccepted(List<AlertAck> acks) {
    assertThat(acks)
        .hasSize(BATCHES * BATCH)
        .allMatch(ack -> ack.getStatus() == AlertAck.Status.UNAVAILABLE);
  }

  private static void assertAllRefused(List<AlertAck> acks) {
    assertThat(acks)
        .hasSize(BATCHES * BATCH)
        .allMatch(ack -> ack.getStatus() == AlertAck.Status.UNAVAILABLE)
        .allMatch(ack -> ack.getMessage().equals(Refusal.LOG_REFUSES.message()));
  }

  private static void awaitProblem(EdgeFixture edge, String problem) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(
            () ->
                assertThat(edge.health.problems())
                    .hasEntrySatisfying(
                        LogWatch.CONDITION, told -> assertThat(told).contains(problem)));
    Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> producers() == 0);
  }

  private static void assertRefused(EdgeFixture edge) throws Exception {
    StatusRuntimeException error =
        catchThrowableOfType(
            StatusRuntimeException.class,
            () -> edge.calls().submitAlert(Alerts.alert("refused").build()));
    assertThat(error.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
    var details = StatusProto.fromThrowable(error).getDetailsList();
    assertThat(details.get(0).unpack(ErrorInfo.class).getReason()).isEqualTo("LOG_REFUSES");
    assertThat(details.get(1).unpack(RetryInfo.class).getRetryDelay().getSeconds()).isEqualTo(10);
    assertThat(edge.gauge("tocsin.edge.in.flight.alerts")).isZero();
  }

  private static void assertServesAgain(EdgeFixture edge) {
    edge.awaitServing();
    assertThat(edge.calls().submitAlert(Alerts.alert("welcome").build()).getStatus())
        .isEqualTo(AlertAck.Status.ACCEPTED);
  }

  /** Open ones: those whose own thread runs. */
  private static long producers() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().startsWith("kafka-producer-network-thread"))
        .count();
  }

  private static AclBinding acl(String topic, AclOperation operation, AclPermissionType type) {
    return new AclBinding(
        new ResourcePattern(ResourceType.TOPIC, topic, PatternType.LITERAL),
        new AccessControlEntry("User:*", "*", operation, type));
  }
}
