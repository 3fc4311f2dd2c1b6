package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class EventFeedTest {
  private final List<Long> asked = new ArrayList<>();
  private final OlderEvents older =
      new OlderEvents() {
        @Override
        public void read(int partition, long offset, Consumer<Answer> answer) {
          asked.add(offset);
          List<EventItem> items = new ArrayList<>();
          for (long at = offset; at < 10; at++) {
            items.add(new EventItem(partition, at, new byte[100]));
          }
          answer.accept(new Answer.Found(items, 10));
        }

        @Override
        public void find(int partition, EventPosition told, Consumer<Answer> answer) {}
      };
  private final EventFeed feed =
      new EventFeed(
          new EventRings(new long[] {10}, 1 << 20),
          older,
          new StreamMetrics(new SimpleMeterRegistry()),
          Runnable::run,
          new EventPosition[] {EventPosition.at(0)});

  private long next() {
    EventItem item = feed.next();
    if (item == null) {
      item = feed.next(); // it had to be fetched
    }
    feed.positions()[0] = feed.positions()[0].past(item.offset());
    return item.offset();
  }

  @Test
  void release_holdsNoEventsOfTheTopicAndLosesNone() {
    assertThat(next()).isZero();
    assertThat(next()).isEqualTo(1);
    assertThat(asked).containsExactly(0L);
    feed.release();
    assertThat(next()).isEqualTo(2);
    assertThat(asked).containsExactly(0L, 2L);
  }
}
