package dev.tocsin.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tocsin.proto.alerts.AlertMessage;
import dev.tocsin.proto.alerts.Severity;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The arithmetic of what may be held. */
final class BoundsTest {
  @Test
  void inFlight_refusesBeyondEitherBoundAndTakesAgainOnceReleased() {
    InFlight inFlight = new InFlight(2, 100);

    assertThat(inFlight.acquire(60, Worth.HIGHEST)).isTrue();
    assertThat(inFlight.acquire(60, Worth.HIGHEST)).isFalse(); // bytes
    assertThat(inFlight.acquire(40, Worth.HIGHEST)).isTrue();
    assertThat(inFlight.acquire(0, Worth.HIGHEST)).isFalse(); // alerts
    assertThat(inFlight.alerts()).isEqualTo(2);
    assertThat(inFlight.bytes()).isEqualTo(100);

    inFlight.release(2, 100);
    assertThat(inFlight.acquire(100, Worth.HIGHEST)).isTrue();
    inFlight.release(1, 100);
    assertThat(inFlight.alerts()).isZero();
    assertThat(inFlight.bytes()).isZero();
  }

  @Test
  void inFlight_shedsWhatIsWorthLessFirst() {
    InFlight inFlight = new InFlight(100, 1_000_000);
    for (Worth worth : Worth.values()) {
      int taken = inFlight.alerts();
      while (inFlight.acquire(1, worth)) {
        taken++;
      }
      assertThat(taken).isEqualTo((int) worth.of(100));
      assertThat(inFlight.alerts()).isEqualTo(taken);
    }
    assertThat(inFlight.alerts()).isEqualTo(100);
  }

  @Test
  void inFlight_ofOneByte_stillTakesSomethingOfEveryWorth() {
    for (Worth worth : Worth.values()) {
      assertThat(new InFlight(1, 1).acquire(1, worth)).as(worth.name()).isTrue();
    }
  }

  @Test
  void worth_isByTheSeverity_butWhatHasEndedIsWorthMost() {
    assertThat(worth(Severity.SEVERITY_P0)).isEqualTo(Worth.HIGHEST);
    assertThat(worth(Severity.SEVERITY_P1)).isEqualTo(Worth.HIGH);
    assertThat(worth(Severity.SEVERITY_P2)).isEqualTo(Worth.MIDDLE);
    assertThat(worth(Severity.SEVERITY_P3)).isEqualTo(Worth.LOW);
    assertThat(worth(Severity.SEVERITY_P4)).isEqualTo(Worth.LOW);
    assertThat(worth(Severity.SEVERITY_UNSPECIFIED)).isEqualTo(Worth.LOW);
    assertThat(
            Worth.of(
                AlertMessage.newBuilder()
                    .setSeverity(Severity.SEVERITY_P4)
                    .setStatus(AlertMessage.Status.RESOLVED)
                    .build()))
        .isEqualTo(Worth.HIGHEST);
  }

  private static Worth worth(Severity severity) {
    return Worth.of(AlertMessage.newBuilder().setSeverity(severity).build());
  }

  @Test
  void readWindow_neverAsksBeyondItsAlerts() {
    ReadWindow window = new ReadWindow(100, 1 << 20, 16);
    Random random = new Random(7);
    int asked = window.open();
    int unanswered = 0;
    int most = 0;
    for (int step = 0; step < 100_000; step++) {
      if (asked > 0 && random.nextInt(3) > 0) {
        asked += window.arrived(1, 10) - 1;
        unanswered++;
      } else if (unanswered > 0 && random.nextInt(20) == 0) {
        int answered = 1 + random.nextInt(unanswered);
        asked += window.answered(answered, 10L * answered);
        unanswered -= answered;
      }
      most = Math.max(most, unanswered + asked);
      assertThat(unanswered + asked).isLessThanOrEqualTo(100);
      assertThat(asked).isLessThanOrEqualTo(16);
      assertThat(asked + unanswered).as("never stuck with nothing to come").isPositive();
    }
    assertThat(most).isEqualTo(100);
  }

  @Test
  void readWindow_asksForNothingWhileItsBytesAreFull() {
    ReadWindow window = new ReadWindow(1000, 1000, 2);
    assertThat(window.open()).isEqualTo(2);

    assertThat(window.arrived(1, 1000)).isZero();
    assertThat(window.arrived(1, 500)).isZero();
    assertThat(window.answered(1, 500)).isZero();
    assertThat(window.answered(1, 1000)).isEqualTo(2);
    assertThat(window.idle()).isTrue();
  }

  @Test
  void readWindow_letsABatchBeyondItsAlertsInOnlyAsFarAsItWasAskedFor() {
    ReadWindow window = new ReadWindow(100, 1 << 20, 2);
    assertThat(window.open()).isEqualTo(2);

    assertThat(window.arrived(10_000, 1)).isZero();
    assertThat(window.arrived(10_000, 1)).isZero();
    assertThat(window.answered(10_000, 1)).isZero();
    assertThat(window.answered(10_000, 1)).isEqualTo(2);
  }

  @Test
  void readWindow_onceStoppedAsksForNothing() {
    ReadWindow window = new ReadWindow(10, 1 << 20, 4);
    window.open();
    window.stop();

    assertThat(window.arrived(1, 1)).isZero();
    assertThat(window.idle()).isFalse();
    assertThat(window.answered(1, 1)).isZero();
    assertThat(window.idle()).isTrue();
  }
}
