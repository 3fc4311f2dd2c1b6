package dev.tocsin.query;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetOutOfRangeException;
import org.apache.kafka.common.TopicPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bounded number of consumers that read older events for whichever stream asks, a chunk at a
 * time, so that a slow stream holds none of them while it is slow. Who waits too long for a turn
 * hears so. Thread-safe.
 */
final class CatchUpReaders implements OlderEvents, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(CatchUpReaders.class);
  private static final Duration POLL = Duration.ofMillis(200);
  private static final int POLLS_MAX = 10;
  private static final Duration CLOSE_MAX = Duration.ofSeconds(1);

  private final String topic;
  private final Duration waitMax;
  private final Supplier<Consumer<byte[], byte[]>> consumers;
  private final ScheduledExecutorService timer;
  private final ThreadPoolExecutor threads;
  private final Deque<Consumer<byte[], byte[]>> idle = new ConcurrentLinkedDeque<>();

  /**
   * None is open until it is needed.
   *
   * @param readersMax how many read at once
   * @param waitersMax how many may wait for a turn
   * @param waitMax how long one waits for its answer
   * @param consumers makes a consumer that reads what is committed and has no place to begin
   */
  CatchUpReaders(
      String topic,
      int readersMax,
      int waitersMax,
      Duration waitMax,
      Supplier<Consumer<byte[], byte[]>> consumers,
      ScheduledExecutorService timer) {
    this.topic = topic;
    this.waitMax = waitMax;
    this.consumers = consumers;
    this.timer = timer;
    this.threads =
        new ThreadPoolExecutor(
            readersMax,
            readersMax,
            30,
            TimeUnit.SECONDS,
            new ArrayBlockingQueue<>(waitersMax),
            CatchUpReaders::thread);
    threads.allowCoreThreadTimeOut(true);
  }

  /** How many read now. */
  int active() {
    return threads.getActiveCount();
  }

  @Override
  public void read(int partition, long offset, java.util.function.Consumer<Answer> answer) {
    TopicPartition read = new TopicPartition(topic, partition);
    ask(consumer -> read(consumer, read, offset), answer);
  }

  @Override
  public void find(int partition, EventPosition told, java.util.function.Consumer<Answer> answer) {
    TopicPartition searched = new TopicPartition(topic, partition);
    ask(consumer -> find(consumer, searched, told), answer);
  }

  private void ask(
      Function<Consumer<byte[], byte[]>, Answer> question,
      java.util.function.Consumer<Answer> answer) {
    AtomicBoolean open = new AtomicBoolean(true);
    java.util.function.Consumer<Answer> once =
        given -> {
          if (open.compareAndSet(true, false)) {
            answer.accept(given);
          }
        };
    try {
      Future<?> tooLong =
          timer.schedule(
              () -> once.accept(new Answer.Away("it took too long to read older events")),
              waitMax.toMillis(),
              TimeUnit.MILLISECONDS);
      threads.execute(
          () -> {
            if (open.get()) { // else whoever asked has given up
              once.accept(answer(question));
              tooLong.cancel(false);
            }
          });
    } catch (RejectedExecutionException full) {
      once.accept(new Answer.Away("too many streams wait for older events"));
    }
  }

  @Override
  public void close() throws InterruptedException {
    threads.shutdownNow();
    threads.awaitTermination(CLOSE_MAX.toMillis(), TimeUnit.MILLISECONDS);
    idle.forEach(Consumer::close);
  }

  private Answer answer(Function<Consumer<byte[], byte[]>, Answer> question) {
    Consumer<byte[], byte[]> consumer = idle.poll();
    try {
      if (consumer == null) {
        consumer = consumers.get();
      }
      Answer answer = question.apply(consumer);
      idle.push(consumer);
      return answer;
    } catch (RuntimeException e) {
      LOG.warn("older events cannot be read: {}", e.toString());
      if (consumer != null) {
        consumer.close();
      }
      return new Answer.Away("older events cannot be read now");
    }
  }

  private static Answer read(
      Consumer<byte[], byte[]> consumer, TopicPartition partition, long offset) {
    List<TopicPartition> only = List.of(partition);
    consumer.assign(only);
    long begin = consumer.beginningOffsets(only).get(partition);
    long end = consumer.endOffsets(only).get(partition);
    if (offset < begin || offset > end) {
      return new Answer.Gone();
    }
    try {
      return chunk(consumer, partition, offset, end);
    } catch (OffsetOutOfRangeException e) {
      return new Answer.Gone();
    }
  }

  private Answer find(
      Consumer<byte[], byte[]> consumer, TopicPartition partition, EventPosition told) {
    List<TopicPartition> only = List.of(partition);
    consumer.assign(only);
    long begin = consumer.beginningOffsets(only).get(partition);
    long end = consumer.endOffsets(only).get(partition);
    return new EventSearch(consumer, partition, told, waitMax).find(begin, end);
  }

  /**
   * Events from {@code offset} on that weigh no more than a chunk, but for the first: a fetch is
   * bounded as it is compressed, and holds far more than that.
   */
  static Answer.Found chunk(
      Consumer<byte[], byte[]> consumer, TopicPartition partition, long offset, long end) {
    consumer.seek(partition, offset);
    List<EventItem> items = new ArrayList<>();
    long weight = 0;
    for (int polls = 0;
        polls < POLLS_MAX && items.isEmpty() && consumer.position(partition) < end;
        polls++) {
      for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
        EventItem item = EventItem.of(record);
        weight += item.weight();
        if (!items.isEmpty() && weight > StreamConfig.CHUNK_WEIGHT_MAX) {
          return new Answer.Found(items, item.offset());
        }
        items.add(item);
      }
    }
    return new Answer.Found(items, consumer.position(partition));
  }

  private static Thread thread(Runnable task) {
    Thread thread = new Thread(task, "query-catch-up");
    thread.setDaemon(true);
    return thread;
  }
}
