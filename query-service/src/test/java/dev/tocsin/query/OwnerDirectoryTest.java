package dev.tocsin.query;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.tocsin.proto.state.Owner;
import dev.tocsin.proto.state.Owners;
import dev.tocsin.query.FakeProcessors.Fault;
import dev.tocsin.runtime.Health;
import io.grpc.ManagedChannel;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class OwnerDirectoryTest {
  private final FakeProcessors processors = new FakeProcessors(3);
  private final Health health = new Health();
  private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1);
  private final List<Assignment> told = new CopyOnWriteArrayList<>();
  private OwnerDirectory directory;

  private OwnerDirectory follow(Function<String, ManagedChannel> open, String... addresses) {
    timer.setRemoveOnCancelPolicy(true);
    directory = new OwnerDirectory(List.of(addresses), open, timer, told::add, health);
    directory.start();
    return directory;
  }

  @AfterEach
  void close() {
    if (directory != null) {
      directory.close();
    }
    timer.shutdown();
    processors.close();
  }

  @Test
  void directory_knowsNothingAtFirst() {
    processors.open("a");
    follow(processors.channels(), "a");
    assertThat(directory.current().known()).isFalse();
    assertThat(health.problems()).containsKey("owners");
  }

  @Test
  void directory_followsEachChange() {
    processors.open("a").open("b").assign("a", "b");
    follow(processors.channels(), "a");
    await().until(health::serving);
    assertThat(directory.current().partitions()).isEqualTo(3);
    assertThat(directory.current().owner(0)).contains("a");
    assertThat(directory.current().owner(1)).contains("b");
    assertThat(directory.current().addresses()).containsExactlyInAnyOrder("a", "b");
    processors.assign("b");
    await().until(() -> directory.current().owner(0).equals(Optional.of("b")));
    assertThat(told).hasSize(2);
  }

  @Test
  void directory_tellsStandbysAndWhatHasNoOwner() {
    processors.open("a");
    processors.tell(
        Owners.newBuilder()
            .setPartitions(3)
            .addOwners(Owner.newBuilder().setAddress("a").addActive(0).addActive(99).addActive(-1))
            .addOwners(Owner.newBuilder().setAddress("b").addStandby(0).addStandby(7))
            .build());
    follow(processors.channels(), "a");
    await().until(() -> directory.current().known());
    assertThat(directory.current().standbys(0)).containsExactly("b");
    assertThat(directory.current().orphans()).containsExactly(1, 2);
    assertThat(directory.current().owner(99)).isEmpty();
    await().untilAsserted(() -> assertThat(health.problems().get("owners")).contains("[1, 2]"));
  }

  @Test
  void directory_goesOnToTheNextWhereOneIsAwayOrDies() {
    processors.open("b").open("c").assign("b", "c");
    follow(processors.channels(), "a", "b", "c");
    await().until(health::serving);
    processors.kill("b");
    await().untilAsserted(() -> assertThat(processors.watchers()).isEqualTo(1));
    processors.assign("c");
    await().until(() -> directory.current().owner(0).equals(Optional.of("c")));
  }

  @Test
  void directory_goesOnToTheNextWhereOneTellsNothing() {
    processors.open("a").open("b").assign("b");
    processors.fault("a", Fault.SILENT);
    follow(processors.channels(), "a", "b");
    await().atMost(Duration.ofSeconds(8)).until(health::serving);
  }

  @Test
  void directory_goesOnToTheNextWhereAnAddressCannotBeUsed() {
    processors.open("b").assign("b");
    follow(
        address -> {
          if (address.equals("a")) {
            throw new IllegalArgumentException("no such address");
          }
          return processors.channels().apply(address);
        },
        "a",
        "b");
    await().until(health::serving);
  }

  @Test
  void directory_keepsWhatItKnewAndIsNotReadyWhileNoProcessorAnswers() {
    processors.open("a").assign("a");
    follow(processors.channels(), "a");
    await().until(health::serving);
    processors.kill("a");
    await().until(() -> !health.serving());
    assertThat(health.problems().get("owners")).contains("processor a");
    assertThat(directory.current().owner(0)).contains("a");
    processors.open("a");
    await().atMost(Duration.ofSeconds(8)).until(health::serving);
  }

  @Test
  void directory_keepsWhatItKnewWhereAProcessorKnowsNothingYet() {
    processors.open("a").assign("a");
    follow(processors.channels(), "a");
    await().until(health::serving);
    processors.tell(Owners.getDefaultInstance());
    processors.assign("b");
    await().until(() -> directory.current().owner(0).equals(Optional.of("b")));
    assertThat(told).hasSize(2).allMatch(Assignment::known);
  }

  @Test
  void directory_goesOnToTheNextWhereOneKnowsNothing() {
    FakeProcessors ignorant = new FakeProcessors(3).open("a");
    processors.open("b").assign("b");
    follow(
        address -> (address.equals("a") ? ignorant : processors).channels().apply(address),
        "a",
        "b");
    await()
        .untilAsserted(
            () -> assertThat(health.problems().get("owners")).contains("do not know yet"));
    await().until(health::serving);
    ignorant.close();
  }

  @Test
  void directory_staysWithTheOnlyProcessorUntilThatKnows() {
    processors.open("a");
    follow(processors.channels(), "a");
    await().untilAsserted(() -> assertThat(processors.watchers()).isEqualTo(1));
    // Longer than a silent one is waited for.
    await()
        .during(Duration.ofMillis(3_500))
        .untilAsserted(() -> assertThat(processors.watched).hasValue(1));
    processors.assign("a");
    await().until(health::serving);
    assertThat(processors.watched).hasValue(1);
  }

  @Test
  void directory_closedEndsItsStream() {
    processors.open("a").assign("a");
    follow(processors.channels(), "a");
    await().until(health::serving);
    directory.close();
    await().untilAsserted(() -> assertThat(processors.watchers()).isZero());
    assertThat(timer.getQueue()).isEmpty();
  }

  @Test
  void backoff_doublesToTwoSeconds() {
    assertThat(OwnerDirectory.backoff(1)).isBetween(Duration.ofMillis(80), Duration.ofMillis(120));
    assertThat(OwnerDirectory.backoff(3)).isBetween(Duration.ofMillis(320), Duration.ofMillis(480));
    for (int failures : new int[] {10, 63, 64, 65, Integer.MAX_VALUE}) {
      assertThat(OwnerDirectory.backoff(failures))
          .isBetween(Duration.ofMillis(1_600), Duration.ofMillis(2_400));
    }
  }
}
