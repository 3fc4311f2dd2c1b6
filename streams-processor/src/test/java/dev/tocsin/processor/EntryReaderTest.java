package dev.tocsin.processor;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.processor.EntryReader.Entries;
import io.grpc.Deadline;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class EntryReaderTest {
  private final RecordedLog log = new RecordedLog();
  private final AtomicInteger opened = new AtomicInteger();
  private final EntryReader reader =
      new EntryReader(
          RecordedLog.TOPIC,
          () -> {
            opened.incrementAndGet();
            return log.consumer();
          });

  @AfterEach
  void close() throws InterruptedException {
    reader.close();
  }

  @Test
  void read_givesTheEntryAtAPosition_inAnyOrder_withOneConsumer() throws Exception {
    log.add(3, 30, bytes("three"));
    log.add(4, 40, bytes("four"));
    assertThat(read(4).get()).hasValue("four at 40");
    assertThat(read(3).get()).hasValue("three at 30");
    assertThat(opened.get()).isEqualTo(1);
  }

  @Test
  void read_ofWhatTheLogDoesNotHold_isEmpty() throws Exception {
    log.add(3, 30, bytes("three"));
    log.add(5, 50, bytes("five"));
    log.begin(4);
    assertThat(read(3).get()).as("before its beginning").isEmpty();
    assertThat(read(4).get()).as("taken out of it").isEmpty();
    assertThat(read(5).get()).isPresent();
  }

  @Test
  void read_thatComesToNothingInTime_isUnavailable() {
    assertThat(refusal(read(9, Deadline.after(150, TimeUnit.MILLISECONDS))))
        .isEqualTo("UNAVAILABLE: the log did not give the entry at 0-9 in time");
  }

  @Test
  void read_thatFails_isUnavailable_andTheNextHasAnotherConsumer() throws Exception {
    log.add(3, 30, bytes("three"));
    log.fail(new KafkaException("no"));
    assertThat(refusal(read(3)))
        .isEqualTo("UNAVAILABLE: the entry at 0-3 cannot be read from the log now");
    assertThat(read(3).get()).isPresent();
    assertThat(opened.get()).isEqualTo(2);
  }

  @Test
  void questions_beyondTheBound_areRefusedAtOnce_andTheOthersAnswered() throws Exception {
    log.add(3, 30, bytes("three"));
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch free = new CountDownLatch(1);
    reader.ask(
        null,
        question(
            entries -> {
              asked.countDown();
              try {
                free.await();
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
            },
            new CompletableFuture<>()));
    asked.await();
    List<CompletableFuture<Optional<String>>> waiting = new ArrayList<>();
    for (int i = 0; i < EntryReader.WAITING_MAX; i++) {
      waiting.add(read(3));
    }
    assertThat(refusal(read(3)))
        .isEqualTo("UNAVAILABLE: too many alerts are being read from the log");
    assertThat(waiting).noneMatch(CompletableFuture::isDone);
    free.countDown();
    for (CompletableFuture<Optional<String>> each : waiting) {
      assertThat(each.get()).isPresent();
    }
  }

  private CompletableFuture<Optional<String>> read(long offset) {
    return read(offset, null);
  }

  private CompletableFuture<Optional<String>> read(long offset, Deadline deadline) {
    CompletableFuture<Optional<String>> answer = new CompletableFuture<>();
    reader.ask(
        deadline,
        question(
            entries -> answer.complete(entries.read(0, offset).map(EntryReaderTest::text)),
            answer));
    return answer;
  }

  private static EntryReader.Question question(
      java.util.function.Consumer<Entries> ask, CompletableFuture<?> answer) {
    return new EntryReader.Question() {
      @Override
      public void ask(Entries entries) {
        try {
          ask.accept(entries);
        } catch (StatusRuntimeException e) {
          answer.completeExceptionally(e);
        }
      }

      @Override
      public void refused(StatusRuntimeException why) {
        answer.completeExceptionally(why);
      }
    };
  }

  private static String refusal(CompletableFuture<?> answer) {
    try {
      return "answered " + answer.get();
    } catch (InterruptedException | ExecutionException e) {
      Status status = Status.fromThrowable(e.getCause());
      return status.getCode() + ": " + status.getDescription();
    }
  }

  private static String text(ConsumerRecord<byte[], byte[]> found) {
    return new String(found.value(), StandardCharsets.UTF_8) + " at " + found.timestamp();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
