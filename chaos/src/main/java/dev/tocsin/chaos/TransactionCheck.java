package dev.tocsin.chaos;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsOptions;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/** Whether all transactions are over: none goes on, and none holds back readers of a topic. */
final class TransactionCheck {
  private static final Duration OVER_MAX = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(200);

  private final Map<String, Object> settings;

  TransactionCheck(String bootstrap) {
    this.settings = Map.of("bootstrap.servers", bootstrap);
  }

  /** What is open when the processors' last commits must be over; in words, empty if nothing is. */
  List<String> open() throws InterruptedException, NotHealedException {
    long begun = System.nanoTime();
    try (Admin admin = Admin.create(settings)) {
      List<String> open = look(admin);
      while (!open.isEmpty() && System.nanoTime() - begun < OVER_MAX.toNanos()) {
        TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
        open = look(admin);
      }
      return open;
    } catch (ExecutionException e) {
      throw new NotHealedException("the broker does not tell its transactions: " + e.getCause());
    }
  }

  private static List<String> look(Admin admin) throws InterruptedException, ExecutionException {
    List<String> open = new ArrayList<>();
    admin.listTransactions().all().get().stream()
        .filter(each -> each.state() == TransactionState.ONGOING)
        .forEach(each -> open.add("transaction " + each.transactionalId() + " goes on"));
    Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
    for (int partition = 0; partition < Cluster.PARTITIONS; partition++) {
      latest.put(new TopicPartition(Cluster.TOPICS.log(), partition), OffsetSpec.latest());
      latest.put(new TopicPartition(Cluster.TOPICS.events(), partition), OffsetSpec.latest());
    }
    latest.put(new TopicPartition(Cluster.TOPICS.deadLetters(), 0), OffsetSpec.latest());
    var committed = ends(admin, latest, IsolationLevel.READ_COMMITTED);
    var all = ends(admin, latest, IsolationLevel.READ_UNCOMMITTED);
    committed.forEach(
        (partition, end) -> {
          if (end.offset() < all.get(partition).offset()) {
            open.add(
                "%s can be read up to %d, and ends at %d"
                    .formatted(partition, end.offset(), all.get(partition).offset()));
          }
        });
    return open;
  }

  private static Map<TopicPartition, ListOffsetsResultInfo> ends(
      Admin admin, Map<TopicPartition, OffsetSpec> of, IsolationLevel level)
      throws InterruptedException, ExecutionException {
    return admin.listOffsets(of, new ListOffsetsOptions(level)).all().get();
  }
}
